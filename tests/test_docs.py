"""The pages say what the code does: commands, settings, folders, files, links.

Message fields and registers are compared by tests/protocols, faults by tests/hil, the
rig's settings and rules by tests/firmware.
"""

import os
import re
from pathlib import Path

import pytest
import typer

from supervisor import config
from supervisor.cli import build

ROOT = Path(__file__).parents[1]
NOT_OURS = ("__pycache__", "build", "dist", "node_modules")
TEXT = (".md", ".py", ".toml", ".txt", ".svg", ".tcss", ".ini", ".csv", "")
# spelled so that this file does not find itself
HOSTS = ("pypi" + ".org", "python" + "hosted", "index" + "-url", "trusted" + "-host")


def ours() -> list[Path]:
    """Every file of the project, whether git is there or not."""
    found = []
    for folder, below, names in os.walk(ROOT):
        at_root = Path(folder) == ROOT
        below[:] = [
            name
            for name in below
            if name not in NOT_OURS
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or (at_root and name == ".ci"))
        ]
        found += [Path(folder, name) for name in names]
    return sorted(found)


FILES = ours()
PAGES = [path for path in FILES if path.suffix == ".md"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(page: Path) -> list[str]:
    """The code on a page: every line of its blocks, and every span."""
    text, lines = page.read_text(), []
    for block in re.findall(r"^```.*?^```", text, re.M | re.S):
        lines += block.splitlines()[1:-1]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines += [line for line in prose.splitlines() if line.startswith("    ")]
    return [line.strip() for line in lines] + re.findall(r"`([^`\n]+)`", prose)


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)


# ---- commands


def commands() -> dict[str, set[str]]:
    """Every command of the command line by its words, with its options."""
    found: dict[str, set[str]] = {}

    def walk(command, words: tuple[str, ...]) -> None:
        options = {option for each in command.params for option in each.opts}
        found[" ".join(words)] = {option for option in options if option.startswith("--")}
        for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
            walk(command.get_command(None, name), (*words, name))

    walk(typer.main.get_command(build()), ())
    return found


COMMANDS = commands()
CALLS = [
    (named(page), match[1].split("  #")[0].split())
    for page in PAGES
    for line in code(page)
    if (match := re.match(r"(?:\.venv/bin/)?surplus ([a-z].*)", line))
]


def test_every_command_is_on_a_page():
    called = {" ".join(words[:size]) for _, words in CALLS for size in (1, 2)}
    leaves = {name for name in COMMANDS if not any(o.startswith(f"{name} ") for o in COMMANDS)}
    assert len(leaves - {""}) > 8
    assert not leaves - {""} - called


@pytest.mark.parametrize("page, words", CALLS, ids=lambda value: str(value)[:40])
def test_every_command_on_a_page_exists(page, words):
    name = words[0]
    assert name in COMMANDS, f"{page}: surplus {' '.join(words)}"
    for word in words[1:]:
        if f"{name} {word}" not in COMMANDS:
            break
        name = f"{name} {word}"
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert not options - COMMANDS[name] - {"--help"}, f"{page}: surplus {' '.join(words)}"


def test_every_make_on_a_page_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    asked = {
        (named(page), match[1])
        for page in PAGES
        for line in code(page)
        if (match := re.match(r"make ([a-z-]+)", line))
    }
    assert {"run", "test", "setup", "check", "help"} <= {target for _, target in asked}
    assert not [call for call in asked if call[1] not in targets]


# ---- settings


def first_cells(page: Path, heading: str) -> set[str]:
    """What stands as code in the first column of the tables under a heading."""
    section = page.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {span for cell in rows for span in re.findall(r"`([^`]+)`", cell)}


def test_every_key_of_the_settings_is_on_the_page_and_no_other():
    known = config.keys()
    leaves = {key for key in known if not any(other.startswith(f"{key}.") for other in known)}
    assert first_cells(ROOT / "supervisor" / "README.md", "Settings") == leaves


# ---- folders and files


def folders() -> list[str]:
    tops = {path.relative_to(ROOT).parts[0] for path in FILES if path.parent != ROOT}
    return sorted(name for name in tops if not name.startswith("."))


@pytest.mark.parametrize("folder", folders())
def test_every_folder_has_a_page_and_is_on_the_map(folder):
    assert (ROOT / folder / "README.md").is_file()
    assert f"| [{folder}/]({folder}/README.md) |" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("folder", ["supervisor", "protocols"])
def test_every_file_of_a_folder_is_on_its_map(folder):
    page = (ROOT / folder / "README.md").read_text()
    files = [path for path in FILES if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]
    names = [str(path.relative_to(ROOT / folder)) for path in files if path.name != "__init__.py"]
    assert len(names) > 5
    assert not [name for name in names if name not in page]


def test_every_folder_of_tests_is_on_its_page():
    page = (ROOT / "tests" / "README.md").read_text()
    inner = {path.parent.name for path in FILES if path.parent.parent == ROOT / "tests"}
    assert not [name for name in inner if f"| `{name}/` |" not in page]


def test_every_decision_is_in_the_list():
    page = (ROOT / "docs" / "README.md").read_text()
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert not [path.name for path in decisions if f"(decisions/{path.name})" not in page]
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))


# ---- links


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in anchors(there), f"{link}: no such heading"


def test_no_file_names_where_packages_come_from():
    for path in FILES:
        if path.suffix in TEXT:
            text = path.read_text("utf-8", "replace").lower()
            assert not [host for host in HOSTS if host in text], named(path)


def test_the_screenshot_needs_nobody_else():
    picture = (ROOT / "docs" / "screenshot.svg").read_text()
    links = set(re.findall(r"""https?://[^"'\s<)]+""", picture))
    assert links <= {"http://www.w3.org/2000/svg"}
