"""Every story, played: fast ones in `make test`, all of them with many seeds in `make soak`."""

import os

import pytest

from firmware import settings
from hil import story, story_run, story_trace
from hil.story_play import Run
from hil.story_rig import RigStage

SEEDS = int(os.environ.get("SURPLUS_SEEDS", "20"))
NAMES = story.names()
STORIES = {name: story.load(story.find(name)) for name in NAMES}
FAST = [name for name in NAMES if not STORIES[name].slow]


def play(name: str, seed: int) -> Run:
    run = story_run.played(name, story_run.source(name), seed)
    assert run.right, f"{run.verdict}: {run.because}\n{story_trace.timeline(run)}\n{run.log}"
    return run


@pytest.mark.parametrize("name", FAST)
def test_the_story(name):
    run = play(name, 0)
    print(f"{run.verdict}: {run.virtual_s:.0f} s in {run.wall_s:.1f} s")


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", NAMES)
def test_the_story_with_many_seeds(name):
    for seed in range(SEEDS):
        play(name, seed)


def test_every_seed_makes_a_story_that_can_be_played():
    for name in NAMES:
        source = story_run.source(name)
        for seed in range(20 if STORIES[name].vary else 1):
            story_run.checked(name, source, seed)


def test_every_fault_seen_in_the_field_is_a_story():
    told = {each.field for each in STORIES.values()}
    assert told - {None} == set(range(1, 23))


def test_every_story_says_why_it_is_told():
    for name, each in STORIES.items():
        assert len(each.about) > 80, name
        if each.field:
            assert f"Field fault {each.field}" in each.about, name
        if each.expected_failure:
            assert len(each.expected_failure) > 40, name


def test_most_stories_pass_outright():
    known = [name for name in NAMES if STORIES[name].expected_failure]
    assert len(known) < len(NAMES) / 8


def test_the_same_seed_gives_the_same_trace_byte_for_byte():
    """With chance in it: noise on a wire, and a clock's ticks."""
    name, traces = "noise-while-waking", []
    for _ in range(2):
        run = story_run.played(name, story_run.source(name), 5)
        traces.append(story_trace.text(run, story_run.source(name)))
    assert story_trace.difference(*traces) == "" and len(traces[0]) > 10_000
    other = story_run.played(name, story_run.source(name), 6)
    assert story_trace.difference(traces[0], story_trace.text(other, story_run.source(name)))


def test_settings_are_whole_wherever_power_is_lost(monkeypatch):
    """At every step that changes a file."""
    stage = RigStage(STORIES["settings-write-loses-power"], 0)
    monkeypatch.chdir(stage.rig.flash)
    try:
        assert settings.load()["state_ms"] == 10_000
        for step in range(1, 7):
            stage.save_and_lose_power(step)
            stage.bench.run(3.0)
            assert not stage.rig.alive, "three steps, and three of the event of its start"
            assert settings.load()["state_ms"] == (20_000 if step >= 4 else 10_000)
        stage.rig.restart()
        stage.bench.run(10.0)
        assert stage.rig.alive and settings.load()["state_ms"] == 20_000
    finally:
        stage.close()
