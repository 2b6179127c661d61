"""The page of this folder says what the code says."""

import re
from pathlib import Path

import pytest

from hil.commands import registers as registers_csv
from protocols import meanings, messages, registers, topics

FOLDER = Path(__file__).parents[2] / "protocols"
PAGE = (FOLDER / "README.md").read_text()
KINDS = {messages.INT: "integer", messages.TEXT: "text", messages.LIST: "list"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the last table under a heading, without its head."""
    section = re.split(r"^#+ ", PAGE.split(f"# {heading}\n", 1)[1], flags=re.M)[0]
    table = section.strip().split("\n\n")[-1].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("kind", messages.TABLES)
def test_every_message_field_is_on_the_page(kind):
    members = messages.TABLES[kind] | messages.OPTIONAL.get(kind, {})
    assert rows(kind) == [
        [f"`{name}`", KINDS[field.kind], *map(str, field[1:]), meanings.of_member(kind, name)]
        for name, field in members.items()
    ]


def test_every_register_is_on_the_page():
    single = [r for r in registers.every() if r.kind != registers.POINT]
    listed = rows("Registers")
    points = [row for row in listed if "point_" in row[0]]
    expected = [[f"`{r[0]}`", *map(str, r[1:])] for r in single]
    assert [row for row in listed if row not in points] == expected
    (point, *_), first = points, registers.find("point_1")
    assert point[0] == f"`point_1` ... `point_{registers.POINTS_MAX}`"
    assert point[1:] == [f"{first.address} + {first.words} each", *map(str, first[2:])]


def test_the_map_for_a_plc_is_the_map():
    """Made by `surplus hil registers > protocols/registers.csv`."""
    assert (FOLDER / "registers.csv").read_text() == registers_csv.table()


def test_limits_states_and_topics_are_on_the_page():
    assert f"at most {messages.SIZE_MAX} bytes" in PAGE
    assert f"contract version {messages.VERSION}." in PAGE
    assert f"{', '.join(messages.STATES)}, from 0" in PAGE
    assert f"`{topics.budget('<site>')}`" in PAGE
    for kind in topics.KINDS:
        assert f"`{topics.rig('<site>', '<rig>', kind)}`" in PAGE
    assert f"`{messages.UP.decode()}` or `{messages.DOWN.decode()}`" in PAGE


def test_every_file_is_on_the_map():
    mapped = set(re.findall(r"^\| \[(\w+\.py)\]", PAGE, flags=re.M))
    assert mapped == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}


def test_links_lead_somewhere():
    for page in FOLDER.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
