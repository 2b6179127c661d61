"""The site's own list of rigs: places and priorities, or a sentence about what is wrong."""

import pytest

from supervisor.roster import Roster, RosterError, Stand, read, roster
from supervisor.tree import NOWHERE
from tests.supervisor.small import fleet_of

GOOD = """rig,place,priority
r0,east/c1/k3,protected
r1,east/c2,
r2,,9
"""


def listed(tmp_path, text):
    path = tmp_path / "rigs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_places_and_priorities(tmp_path):
    assert read(listed(tmp_path, GOOD)) == {
        "r0": Stand("east/c1/k3", 0),
        "r1": Stand("east/c2", 5),
        "r2": Stand("", 9),
    }


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "line 1: the header must be rig,place,priority"),
        ("rig,place\n", "line 1: the header"),
        ("rig,place,priority\nr0,a\n", "line 2: 2 values"),
        ("rig,place,priority\nR 0,a,1\n", "line 2: rig:"),
        ("rig,place,priority\nr0,a,1\nr0,b,1\n", "line 3: r0 is there twice"),
        ("rig,place,priority\nr0,a//b,1\n", "line 2: place"),
        ("rig,place,priority\nr0,a,0\n", "line 2: priority: '0'; right is protected, 1 to 9"),
        ("rig,place,priority\nr0,a,10\n", "priority"),
        (b"\xff\xfe\x00", "is not CSV"),
        ('rig,place,priority\n"r0', "line 2"),
    ],
)
def test_what_is_wrong_names_the_file_and_the_line(tmp_path, text, words):
    with pytest.raises(RosterError) as error:
        read(listed(tmp_path, text))
    assert "rigs.csv" in str(error.value) and words in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RosterError, match="cannot be read"):
        read(tmp_path / "none.csv")


def test_rigs_take_their_seats_and_the_others_keep_the_defaults(tmp_path):
    fleet, stands = fleet_of(4), read(listed(tmp_path, GOOD))
    seated = roster(stands, {"east": 5000.0})
    seated.seat(fleet, 0)
    assert fleet.priority.tolist() == [0, 5, 9, 5]
    assert [seated.tree.paths[node] if node >= 0 else "" for node in fleet.node] == [
        "east/c1/k3",
        "east/c2",
        "",
        "",
    ]
    assert seated.place("r1") == "east/c2" and seated.place("r9") == ""


def test_without_limits_there_is_no_tree_and_nobody_hangs_anywhere(tmp_path):
    fleet, seated = fleet_of(2), roster(read(listed(tmp_path, GOOD)), {})
    seated.seat(fleet, 0)
    assert seated.tree is None and (fleet.node == NOWHERE).all()
    assert Roster().place("r0") == ""
