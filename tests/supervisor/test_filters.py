"""Filters: the same rigs are found in a view and in the columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import rig

from supervisor import filters
from supervisor.live import Wish, matches, page

SICK = rig(7, rig="c07-r2-14", place="c07", state="fault", hot_dc=812, why="fan 2 stands still")


@pytest.mark.parametrize(
    "text, found",
    [
        ("", True),
        ("fan", True),
        ("FAN stands", True),
        ("fan moves", False),
        ("state:fault", True),
        ("state:running", False),
        ("place:c07", True),
        ("rig:c07-r2", True),
        ("rig:fan", False),
        ("hot>81", True),
        ("hot>81.2", False),
        ("hot>=81.2", True),
        ("hot<81.2", False),
        ("hot<=81.2", True),
        ("hash=215", True),
        ("hash:214", False),
        ("state:fault hot>81 c07", True),
        ("state:fault hot<81 c07", False),
        ("hot>", False),
        ("hot>warm", False),
        ("colour:red", False),
        ("state>fault", False),
    ],
)
def test_what_is_found(text, found):
    assert matches(SICK, text) is found


def test_a_page_says_how_many_there_are():
    rigs = [rig(n, hot_dc=10 * n) for n in range(100)]
    got = page(rigs, Wish(limit=10, offset=5, order="hot", text="hot>=50"))
    assert got.found == 50 and [r.hot_dc for r in got.rigs] == list(range(940, 840, -10))


@given(st.text(max_size=64))
def test_no_filter_breaks_anything(text):
    filters.holds(filters.parse(text), SICK)
