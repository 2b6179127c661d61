"""What a story may say, what it may not, and what it is told instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import story, story_acts, story_tables, story_words
from hil.story import StoryError
from hil.story_judge import BAD, GOOD, PENDING, Watch
from hil.story_play import understood
from hil.story_words import WordError

RIG = story_tables.VOCABULARIES["rig"]
ACTS = story_tables.ACTS["rig"]
TALE = """
title = "A fan jams"
about = "Why."
[vary]
fan = { from = 0, to = 3 }
[[step]]
do = "break fan_stopped:{fan}"
expect = 'within 3 s: board_w == 0'
"""


def told(change: tuple[str, str]) -> str:
    """What is said about the tale with one thing changed."""
    assert change[0] in TALE
    with pytest.raises(StoryError) as error:
        understood("tale.toml", story.parse(TALE.replace(*change), "tale.toml"))
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("expect =", "expct ="), 'step[0]: no key \'expct\'; did you mean "expect"?'),
        (("about =", "abut ="), 'no key \'abut\'; did you mean "about"?'),
        (("to = 3", "til = 3"), "no key 'til'; there are from, to"),
        (('title = "A fan jams"', "title = 3"), "title: Expected `str`, got `int`"),
        (("board_w", "bord_w"), 'step 1: expect: no quantity "bord_w"; did you mean "board_w"?'),
        (("== 0", "== -5"), '"board_w == -5" cannot be: board_w is from 0 to 6000 W'),
        (("board_w == 0", "board_w >= 0"), "cannot be"),
        (("board_w == 0", "board_w == 3 kW"), "board_w is in W, not kW"),
        (("board_w == 0", "state == falt"), 'no state "falt"; did you mean "fault"?'),
        (("board_w == 0", "state < fault"), "only == and != make sense"),
        (("board_w == 0", "board_w == hash_ghs"), "different units"),
        (("board_w == 0", "event fan-stoped"), 'no event "fan-stoped"; did you mean'),
        (("board_w == 0", 'board_w has "x"'), "board_w is compared"),
        (("board_w == 0", "why == hot"), 'write why has "..."'),
        (("board_w == 0", "the boards are off"), "is no condition"),
        (("within 3 s", "within 3"), '"3" is no time'),
        (("within 3 s", "in 3 s"), '"in 3 s:" is not "within 3 s:"'),
        (("fan_stopped", "fan_stoped"), 'step 1: do: no fault "fan_stoped"; did you mean'),
        (("from = 0, to = 3", "from = 9, to = 9"), "fan_stopped has parts 0 to 3"),
        (("break", "brake"), 'nobody can "brake fan_stopped'),
        (("{fan}", "{fun}"), '{fun} is not in [vary]; did you mean "fan"?'),
        (("to = 3", "to = -1"), "from 0 to -1 is nothing"),
        (("[vary]", "[vary"), "tale.toml:"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_what_can(change, said):
    text = told(change)
    assert text.startswith("tale.toml:") and said in text


def test_a_seed_chooses_and_the_same_one_chooses_the_same():
    chosen = [story.parse(TALE, "tale.toml", seed) for seed in range(20)]
    assert chosen == [story.parse(TALE, "tale.toml", seed) for seed in range(20)]
    assert {step.do[0] for each in chosen for step in each.step} == {
        f"break fan_stopped:{fan}" for fan in range(4)
    }


@pytest.mark.parametrize(
    ("text", "within_s", "for_s"),
    [
        ("board_w == 0", 0, 0),
        ("within 500 ms: board_w == 0", 0.5, 0),
        ("for 2 min: board_w == 0", 0, 120),
        ("within 3 s and for 1 h: board_w == 0 and state == fault", 3, 3600),
    ],
)
def test_an_expectation_is_what_it_says(text, within_s, for_s):
    read = story_words.expectation(text, RIG)
    assert (read.within_s, read.for_s, read.text) == (within_s, for_s, text)


WELL = {
    "board_w": 100.0,
    "wall_w": 130.0,
    "aim_w": 130.0,
    "state": "running",
    "why": "Fan 2 is weak",
}


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("board_w > 99", True),
        ("board_w > 100", False),
        ("board_w >= 100 W", True),
        ("board_w != 100", False),
        ("wall_w <= aim_w", True),
        ("wall_w > aim_w", False),
        ("state == running", True),
        ("state != running", False),
        ('why has "fan 2"', True),
        ('why has "fan 3"', False),
        ("board_w == 100 and state == fault", False),
        ("event hot", True),
        ("event overheat", False),
        ("event hot and board_w < 101", True),
    ],
)
def test_a_condition_is_true_of_a_sample_or_not(text, true):
    assert story_words.condition(text, RIG).true(WELL, {"hot"}) is true


def test_never_holds_only_while_its_other_half_is_true():
    never = story_words.never("board_w > 50 while state == fault", RIG)
    assert not never.broken(WELL, ())
    assert never.broken(WELL | {"state": "fault"}, ())
    assert not never.broken(WELL | {"state": "fault", "board_w": 0.0}, ())


@given(st.text(max_size=60))
def test_no_sentence_does_worse_than_to_be_refused(text):
    for read in (story_words.expectation, story_words.never):
        try:
            read(text, RIG)
        except WordError:
            pass
    try:
        story_acts.order(text, ACTS)
    except WordError:
        pass


@pytest.mark.parametrize(
    ("text", "call", "args"),
    [
        ("budget level 5.5", "budget", (5.5,)),
        ("silence", "silence", ()),
        ("break fan_stopped:2", "break_", ("fan_stopped:2",)),
        ("lose 30 %", "lose", (30.0,)),
        ("delay 800 ms", "delay", (0.8,)),
        ("clock -1 h", "clock", (-3600.0,)),
        ("clock  +90 s", "clock", (90.0,)),
    ],
)
def test_an_order_is_its_act_with_its_blanks_filled(text, call, args):
    read = story_acts.order(text, ACTS)
    assert (read.call, read.args) == (call, args)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("broker gone", 'there is "broker down", "broker up", "broker half-open"'),
        ("brokr down", 'there is "broker down"'),
        ("lose 101 %", "101 %: from 0 to 100"),
        ("delay 3 parsecs", '"3 parsecs" is no time'),
        ("xyzzy", 'there is "air <number> C", "break <fault>"'),
    ],
)
def test_what_nobody_can_do_is_told_what_they_can(text, said):
    with pytest.raises(WordError) as error:
        story_acts.order(text, ACTS)
    assert said in str(error.value)


def test_percents_go_from_nothing_to_everything():
    assert [story_acts.order(f"lose {n} %", ACTS).args for n in (0, 100)] == [(0.0,), (100.0,)]


def test_the_ends_of_what_can_be_can_be_asked_for():
    for text in ("fan_pm == 1000", "fan_pm == 0", "within 0 s: fan_pm != 1000"):
        assert story_words.expectation(text, RIG)
    for text in ("fan_pm <= 1000", "fan_pm > 1000", "fan_pm < 0", "fan_pm == 1001"):
        with pytest.raises(WordError, match="cannot be"):
            story_words.expectation(text, RIG)
    assert story_words.shown(0.12345) == "0.123" and story_words.shown("x") == '"x"'


# the values of one quantity, ten a second -> verdict, when it came true
def judged(text: str, values: str) -> tuple[str, str]:
    """values: one letter a look, T where the condition is true."""
    watch = Watch(story_words.expectation(text, RIG), 5.0)
    for look, value in enumerate(values):
        watch.step(5.0 + look / 10, {"board_w": 0.0 if value == "T" else 9.0}, ())
    return watch.verdict, watch.because


@pytest.mark.parametrize(
    ("text", "values", "verdict", "because"),
    [
        ("board_w == 0", "T", GOOD, "at once"),
        ("board_w == 0", "f", BAD, "board_w is 9"),
        ("within 300 ms: board_w == 0", "fff", PENDING, ""),
        ("within 300 ms: board_w == 0", "fffT", GOOD, "after 0.3 s"),
        ("within 300 ms: board_w == 0", "ffff", BAD, "board_w is 9, 0.3 s after it was done"),
        ("for 300 ms: board_w == 0", "TTT", PENDING, ""),
        ("for 300 ms: board_w == 0", "TTTT", GOOD, "at once"),
        ("for 300 ms: board_w == 0", "TTTf", BAD, "true for 0.3 s only"),
        ("for 300 ms: board_w == 0", "fTTTT", BAD, "board_w is 9"),
        ("within 200 ms and for 300 ms: board_w == 0", "TfTTTT", GOOD, "after 0.2 s"),
        ("within 200 ms and for 300 ms: board_w == 0", "TfTTTf", BAD, "true for 0.3 s only"),
        ("within 200 ms and for 300 ms: board_w == 0", "TfTTT", PENDING, ""),
    ],
)
def test_deadlines_to_the_look(text, values, verdict, because):
    found = judged(text, values)
    assert found[0] == verdict and because in found[1]
