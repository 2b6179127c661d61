"""README.md has every fault and every file."""

import re
import tomllib
from pathlib import Path

from hil import story, story_tables
from hil.faults import FAULTS
from hil.story_run import checked

README = Path(__file__).parents[2] / "hil" / "README.md"
STORIES = README.parent / "stories" / "README.md"


def test_every_fault_is_in_the_readme_with_its_own_words():
    text = README.read_text()
    for name, (what, _, _) in FAULTS.items():
        assert f"| `{name}` | {what} |" in text, name


def test_every_file_of_the_table_exists():
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in row.split("|")[1].replace("`", "").split(",")]
    for name in (name.strip() for name in names if "." in name):
        assert (README.parent / name).exists(), name


def test_the_story_of_the_walk_through_can_be_played():
    (toml,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.S)
    assert tomllib.loads(toml) and checked("access-point-reboots", toml, 3).step[2].do == [
        "wifi on"
    ]


def test_everything_a_story_can_say_is_on_its_page_and_nothing_else():
    text = STORIES.read_text()
    rows = {line for line in text.splitlines() if line.startswith("| `")}
    wanted = set()
    for on, words in story_tables.VOCABULARIES.items():
        for name, asked in words.quantities.items():
            unit = asked.unit or ", ".join(f"`{word}`" for word in asked.words)
            unit = unit or ("text" if asked.free else "")
            wanted.add(f"| `{name}` | {unit} | {asked.what} |")
        for act in story_tables.ACTS[on]:
            wanted.add(f"| `{act.pattern.replace('|', ' or ')}` | {act.what} |")
    keys = text.split("## Keys")[1].split("\n## ")[0].splitlines()
    assert rows - wanted == {line for line in keys if line.startswith("| `")}
    assert not wanted - rows


def test_every_key_of_a_story_is_on_its_page():
    keys = STORIES.read_text().split("## Keys")[1].split("\n## ")[0]
    for name in (*story.Story.__struct_fields__, *story.Rig.__struct_fields__):
        assert f"`{name}`" in keys or f"`[{name}]`" in keys or f"`[[{name}]]`" in keys, name
    for name in story.Site.__struct_fields__:
        assert f"`{name}`" in keys, name
