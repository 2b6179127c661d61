"""The button and the light; both runtimes."""

from firmware import face
from firmware.face import AMBER, BLUE, DARK, GREEN, RED, VIOLET, WHITE, Face

STEP_MS = 100


def pressed(one, for_ms, state="running"):
    """Press so long and let go; what was said, in order."""
    said = []
    for turn in range(for_ms // STEP_MS + 1):
        one.step(STEP_MS, turn < for_ms // STEP_MS, state)
        said += one.said
        one.said.clear()
    return said


def lights(one, state, turns=20):
    """The colours of two seconds, each once."""
    return {one.step(STEP_MS, False, state) for _ in range(turns)}


def test_every_state_has_its_light():
    for state, expected in (
        ("joining", {BLUE, DARK}),
        ("asleep", {BLUE}),
        ("waking", {GREEN, DARK}),
        ("running", {GREEN}),
        ("fault", {RED, DARK}),
    ):
        assert lights(Face(), state) == expected, state


def test_a_press_locates_for_a_minute_and_another_ends_it():
    one = Face()
    assert pressed(one, 300) == ["pressed"] and one.locate_left_ms == face.LOCATE_MS
    assert lights(one, "fault") == {WHITE, DARK}
    assert pressed(one, 300) == ["pressed"] and one.locate_left_ms == 0
    pressed(one, 300)
    for _ in range(face.LOCATE_MS // STEP_MS):
        one.step(STEP_MS, False, "asleep")
    assert one.locate_left_ms == 0 and lights(one, "asleep") == {BLUE}


def test_a_spike_on_the_line_is_no_press():
    one = Face()
    for _ in range(50):
        assert pressed(one, 100) == []
        assert not one.held and not one.locate_left_ms


def test_held_for_three_seconds_is_off_at_once_and_until_held_again():
    one = Face()
    for turn in range(30):
        one.step(STEP_MS, True, "running")
        assert one.held == (turn == 29), turn
    assert one.said.pop() == "held off"
    assert pressed(one, 0) == [] and one.held and lights(one, "fault") == {AMBER}
    assert pressed(one, 300) == ["pressed"] and one.held, "a press does not let go"
    assert pressed(one, 3_500) == ["let go"] and not one.held


def test_held_for_ten_seconds_it_may_be_set_up_for_ten_minutes_and_is_off():
    for before in (False, True):
        one = Face()
        one.held = before
        assert pressed(one, 12_000)[-1] == "may be set up" and one.held
        assert lights(one, "fault") == {VIOLET, DARK}
        for _ in range(face.SET_UP_MS // STEP_MS):
            one.step(STEP_MS, False, "fault")
        assert one.set_up_left_ms == 0 and one.held


def test_a_button_that_is_stuck_does_each_thing_once():
    one = Face()
    for _ in range(20_000):
        one.step(STEP_MS, True, "running")
    assert one.said == ["held off", "may be set up"] and not one.set_up_left_ms


def test_locate_has_an_end_whatever_is_asked():
    one = Face()
    one.locate(10**9)
    assert one.locate_left_ms == face.LOCATE_MS_MAX
    one.locate(-5)
    assert one.locate_left_ms == 0


def test_a_restart_leaves_time_for_an_answer():
    one = Face()
    one.step(STEP_MS, False, "running")
    assert not one.restarts_now
    one.restart()
    for _ in range(face.RESTART_MS // STEP_MS):
        assert not one.restarts_now
        one.step(STEP_MS, False, "running")
    assert one.restarts_now
