"""Plays a story on a stage: does what it says, looks ten times a second, judges.

A stage is a rig on the bench or a site of modelled rigs, each with a clock of its own.  The
same story with the same seed on the same code gives the same Run.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hil import story_tables
from hil.story import Story, StoryError, lines
from hil.story_acts import Arg, Order, order
from hil.story_judge import BAD, PENDING, Watch
from hil.story_words import (
    Expectation,
    Never,
    Value,
    WordError,
    duration_s,
    expectation,
    never,
    shown,
)

PASSED, FAILED, EXPECTED, UNEXPECTED, BROKEN = (
    "passed",
    "failed",
    "expected failure",
    "unexpected pass",
    "broken",
)
RIGHT = (PASSED, EXPECTED)
DID, SAW, MET, MISSED = "did", "saw", "met", "missed"


class Stage(Protocol):
    """What a story is played on."""

    @property
    def now_s(self) -> float:
        """Since the story began."""

    def do(self, call: str, args: tuple[Arg, ...]) -> None: ...
    def run(self) -> None:
        """Let the time until the next look pass."""

    def look(self) -> dict[str, Value]: ...
    def events(self) -> list[tuple[str, str]]:
        """(code, text) of every event since the last call."""

    def log(self) -> str:
        """What helps to understand a failure."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Scene:
    """A step of a story, understood."""

    wait_s: float
    orders: tuple[Order, ...]
    expected: tuple[Expectation, ...]


@dataclass(frozen=True)
class Line:
    """One line of the timeline.  kind: did, saw, met or missed."""

    at_s: float
    kind: str
    text: str


@dataclass
class Run:
    """What became of a story.  samples: one row a look, in the order of columns."""

    name: str
    story: Story
    seed: int
    verdict: str = PASSED
    because: str = ""
    timeline: list[Line] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    samples: list[list[Value]] = field(default_factory=list)
    virtual_s: float = 0.0
    wall_s: float = 0.0
    log: str = ""

    @property
    def right(self) -> bool:
        return self.verdict in RIGHT

    def said(self, at_s: float, kind: str, text: str) -> None:
        self.timeline.append(Line(round(at_s, 3), kind, text))


def understood(name: str, story: Story) -> tuple[list[Scene], list[Never]]:
    """All sentences of a story.  Raises StoryError, which names the place."""
    words, acts = story_tables.VOCABULARIES[story.on], story_tables.ACTS[story.on]
    scenes, place = [], ""
    try:
        for n, step in enumerate(story.step, 1):
            place = f"step {n}: wait"
            wait_s = duration_s(step.wait) if step.wait else 0.0
            place = f"step {n}: do"
            orders = tuple(order(line, acts) for line in lines(step.do))
            place = f"step {n}: expect"
            expected = tuple(expectation(line, words) for line in lines(step.expect))
            scenes.append(Scene(wait_s, orders, expected))
        place = "never"
        return scenes, [never(line, words) for line in lines(story.never)]
    except WordError as error:
        raise StoryError(f"{name}: {place}: {error}") from None


class Player:
    """Plays one story to its end."""

    def __init__(self, name: str, story: Story, seed: int, stage: Stage) -> None:
        self._scenes, self._nevers = understood(name, story)
        self._stage = stage
        self._heard: set[str] = set()  # events since the step began
        self._seen: dict[str, Value] = {}
        self._told = story_tables.TOLD[story.on]
        self.run = Run(name, story, seed)

    def play(self) -> Run:
        """Raises nothing that the stage does not."""
        begun_s = time.perf_counter()
        self._look()
        failed = next((bad for scene in self._scenes if (bad := self._scene(scene))), "")
        run = self.run
        run.because = failed
        run.verdict = verdict(failed, run.story.expected_failure)
        run.virtual_s, run.wall_s = self._stage.now_s, time.perf_counter() - begun_s
        run.log = self._stage.log()
        return run

    def _scene(self, scene: Scene) -> str:
        """Why it failed; "" when it did not."""
        until_s = self._stage.now_s + scene.wait_s
        while self._stage.now_s < until_s - 1e-6:
            self._stage.run()
            if broken := self._look():
                return broken
        self._heard = set()
        for each in scene.orders:
            self.run.said(self._stage.now_s, DID, each.text)
            self._stage.do(each.call, each.args)
        watches = [Watch(each, self._stage.now_s) for each in scene.expected]
        return self._until_judged(watches)

    def _until_judged(self, watches: Sequence[Watch]) -> str:
        while True:
            broken = self._look()
            for watch in watches:
                if watch.verdict == PENDING:
                    watch.step(self._stage.now_s, self._seen, self._heard)
                    self._judged(watch)
            if broken or (broken := self._bad(watches)):
                return broken
            if all(watch.verdict != PENDING for watch in watches):
                return ""
            self._stage.run()

    def _judged(self, watch: Watch) -> None:
        if watch.verdict != PENDING:
            kind = MISSED if watch.verdict == BAD else MET
            self.run.said(watch.at_s, kind, f"{watch.expectation.text}: {watch.because}")

    def _bad(self, watches: Sequence[Watch]) -> str:
        bad = [watch for watch in watches if watch.verdict == BAD]
        return f"{bad[0].expectation.text}: {bad[0].because}" if bad else ""

    def _look(self) -> str:
        """Take a sample; what it breaks of `never`."""
        run, now_s = self.run, self._stage.now_s
        for code, text in self._stage.events():
            self._heard.add(code)
            run.said(now_s, SAW, f"event {code}: {text}")
        before, self._seen = self._seen, self._stage.look()
        for name in self._told:
            if before and self._seen[name] != before[name]:
                run.said(now_s, SAW, f"{name} is {shown(self._seen[name])}")
        run.columns = run.columns or list(self._seen)
        run.samples.append([round(now_s, 3), *self._seen.values()])
        for each in self._nevers:
            if each.broken(self._seen, self._heard):
                because = f"never {each.text}: {each.condition.found(self._seen)}"
                run.said(now_s, MISSED, because)
                return because
        return ""


def verdict(failed: str, expected_failure: str) -> str:
    if expected_failure:
        return EXPECTED if failed else UNEXPECTED
    return FAILED if failed else PASSED
