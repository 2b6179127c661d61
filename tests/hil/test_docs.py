"""README.md has every fault and every file."""

from pathlib import Path

from hil.faults import FAULTS

README = Path(__file__).parents[2] / "hil" / "README.md"


def test_every_fault_is_in_the_readme_with_its_own_words():
    text = README.read_text()
    for name, (what, _, _) in FAULTS.items():
        assert f"| `{name}` | {what} |" in text, name


def test_every_file_of_the_table_exists():
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in row.split("|")[1].replace("`", "").split(",")]
    for name in (name.strip() for name in names if "." in name):
        assert (README.parent / name).exists(), name
