"""The stage of site stories: what a story does to the world, and what it sees of it."""

from collections import deque

import numpy as np

from hil.fleet import FAULT, RUNNING, WAKING
from hil.story import Story
from hil.story_acts import Arg
from hil.story_parts import AIRFLOW, UNIX_S
from hil.story_words import Value
from hil.story_world import LOOK_S, World
from supervisor.envelope import FOREVER, Entry
from supervisor.merit import Ints

NOBODY_S = 1e6  # since something that has not happened


class SiteStage:
    """The Stage of hil/story_play.py for `on = "site"`."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story, self._chance = story, np.random.default_rng(seed)
        self.world = World(story.site, seed)
        self._past_w: deque[float] = deque(maxlen=round(60 / LOOK_S) + 1)
        self._limit_w, self._fell_s = 0, -NOBODY_S
        self._wakes = 0
        self._waking = np.zeros(story.site.rigs, dtype=bool)

    @property
    def now_s(self) -> float:
        return self.world.now_s

    def run(self) -> None:
        self.world.step()
        self._past_w.append(self.world.drawn_w)
        waking = self.world.fleet.state == WAKING
        self._wakes += int((waking & ~self._waking).sum())
        self._waking = waking

    def do(self, call: str, args: tuple[Arg, ...]) -> None:
        getattr(self, call)(*args)

    def events(self) -> list[tuple[str, str]]:
        return []

    def log(self) -> str:
        return ""

    def close(self) -> None:
        self.world.close()

    # ---- what is seen

    def look(self) -> dict[str, Value]:
        world, site = self.world, self.world.site
        decision = site.decision if site else None
        envelope = site.envelope if site else None
        limit_w = envelope.limit_w if envelope else self._limit_w
        self._mark_fall(limit_w)
        asked_w = decision.asked_w if decision else 0
        could_w = min(limit_w, decision.capacity_w) if decision else 0
        minute_w = self._past_w or (world.drawn_w,)
        meter = world.inbox.meter
        return {
            "drawn_kw": world.drawn_w / 1e3,
            "limit_kw": limit_w / 1e3,
            "limit_by": f"{envelope.source}: {envelope.because}" if envelope else "nobody",
            "asked_kw": asked_w / 1e3,
            "committed_kw": (decision.committed_w if decision else 0) / 1e3,
            "ahead_kw": max(0.0, world.drawn_w - asked_w) / 1e3 if decision else 0.0,
            "over_kw": max(0.0, world.drawn_w - limit_w) / 1e3,
            "short_kw": max(0.0, could_w - world.drawn_w) / 1e3,
            "settled_s": min(NOBODY_S, world.now_s - self._fell_s),
            "rise_kw": (world.drawn_w - min(minute_w)) / 1e3,
            "fall_kw": (max(minute_w) - world.drawn_w) / 1e3,
            **self._rigs(),
            "term": world.terms,
            "supervisor": "alive" if site else "dead",
            "meter_age_s": world.now_s - meter.at_s if meter else NOBODY_S,
            "error_pct": self._error_pct(),
            "refused": world.refused,
            "fans": sum(fan.speed > AIRFLOW for fan in world.hall.fans),
            "air_c": world.hall.air_c,
        }

    def _rigs(self) -> dict[str, Value]:
        state = self.world.fleet.state
        return {
            "awake": int((state == RUNNING).sum()),
            "waking": int((state == WAKING).sum()),
            "faulty": int((state == FAULT).sum()),
            "joined": self.world.rigs.joined,
            "wakes": self._wakes,
        }

    def _mark_fall(self, limit_w: int) -> None:
        if limit_w < self._limit_w:
            self._fell_s = self.world.now_s
        self._limit_w = limit_w

    def _error_pct(self) -> float:
        """Of the models that rigs run on: the supervisor's factor against the true one."""
        site, fleet = self.world.site, self.world.fleet
        if site is None:
            return 0.0
        worst = 0.0
        for factor, name in zip(site.dispatcher.learner.factors, site.fleet.models, strict=False):
            true = [1 + model.report_error for model in fleet.models if model.name == name]
            worst = max(worst, abs(float(factor) / true[0] - 1) if true else 0.0)
        return 100 * worst

    # ---- what a story does

    def ask(self, target_pct: float) -> None:
        self._say("one", target_pct)

    def ask_two(self, target_pct: float) -> None:
        self._say("two", target_pct)

    def _say(self, name: str, target_pct: float) -> None:
        feed = self.world.feeds[name]
        feed.target_pct, feed.flap = target_pct, None
        self.world.say(name, feed.word(self.now_s))

    def silent(self) -> None:
        self.world.feeds["one"].target_pct = None

    def silent_two(self) -> None:
        self.world.feeds["two"].target_pct = None

    def flap(self, one_pct: float, other_pct: float, period_s: float) -> None:
        self._say("one", one_pct)
        self.world.feeds["one"].flap = (other_pct, period_s, self.now_s + period_s)

    def old_word(self) -> None:
        self.world.say("one", self.world.feeds["one"].first)

    def skewed(self, target_pct: float, skew_s: float) -> None:
        feed = self.world.feeds["one"]
        before_pct, feed.target_pct = feed.target_pct, target_pct
        self.world.say("one", feed.word(self.now_s, skew_s))
        feed.target_pct = before_pct

    def person(self, target_pct: float) -> None:
        limit_w = round(self._story.site.limit_mw * 1e4 * target_pct)
        said = ((UNIX_S + self.now_s, limit_w),)
        self.world.inbox.put_signal(
            Entry("person", said, heard_s=UNIX_S + self.now_s, until_s=FOREVER)
        )

    def withdraw(self) -> None:
        if self.world.site:
            self.world.site.withdraw("person")

    def meter(self, fault: str) -> None:
        self.world.meter.fault = "" if fault == "healed" else fault

    def die(self) -> None:
        self.world.kill()

    def back(self) -> None:
        self.world.start()

    def broker_down(self) -> None:
        self.world.broker = False

    def broker_up(self) -> None:
        self.world.broker = True
        self.world.rigs.greet()

    def fail_wakes(self, share_pct: float) -> None:
        self.world.fleet.fails_to_wake = share_pct / 100

    def stuck_on(self, share_pct: float) -> None:
        awake = np.flatnonzero(self.world.fleet.state == RUNNING)
        self.world.stuck = self._some(awake, share_pct)

    def mute_power(self) -> None:
        self.world.rigs.mute = True

    def fans(self, word: str) -> None:
        for fan in self.world.hall.fans:
            fan.broken = word == "fail"

    def _some(self, rows: Ints, share_pct: float) -> Ints:
        count = round(len(rows) * share_pct / 100)
        return np.sort(self._chance.choice(rows, count, replace=False))
