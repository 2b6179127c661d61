"""A VEN of OpenADR 3.1: the events of a VTN followed, and reported on.

    poll, or be told that something changed -> events -> words -> one entry in the inbox

It looks every poll_s, and at once when the VTN's notifier or webhook says so; what is told
there is not believed but looked up.  An event that makes no sense is refused and its last
good form stands.  Loss: the known schedule is followed to its end, then the subscription
(User Guide 8.10.1); a start that finds no VTN begins at the subscription known by the
settings, because nobody knows how long the site was dark.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from supervisor import keys
from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.grid import openadr3_events as events
from supervisor.grid import openadr3_notify
from supervisor.grid.openadr3_client import Vtn, VtnError
from supervisor.grid.openadr3_events import Event, EventError, Means
from supervisor.grid.openadr3_notify import Webhook
from supervisor.grid.openadr3_reports import FORECAST, forecast, foretold, report, wanted
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.plan import PlanError, Word, compose, holding_w, kind_of
from supervisor.sections.kinds import W_PER_MW
from supervisor.sections.openadr3 import Openadr3Config

log = logging.getLogger(__name__)
SOURCE = "openadr3"
LOOKS_MAX, LOOKS_S = 8, 2.0  # so many in so long, however often there is said to be news
TOPICS = "notifiers/mqtt/topics/events"


@dataclass(slots=True)
class Known:
    """An event as last understood."""

    event: Event
    words: list[Word]
    seen_s: float


class Program(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    program_name: str = ""


class Openadr3:
    def __init__(
        self,
        section: Openadr3Config,
        site: str,
        limit_w: int,
        inbox: Inbox,
        board: Board,
        vtn: Vtn,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changed = asyncio.Event()  # somebody says there is something new
        self.vtn, self._section, self._inbox, self._board = vtn, section, inbox, board
        self._site, self._clock, self._ven = site, clock, section.ven or site
        self._loss = section.loss("follow-schedule", site, SOURCE, limit_w)
        self._default_w = round(section.default_mw * W_PER_MW)
        self._known: dict[str, Known] = {}
        self._began_w: dict[str, int] = {}  # what was asked when an event was first heard
        self._means = Means(site, limit_w, tuple(section.levels_pct), self._drawn_w)
        self._refused: dict[str, str] = {}
        self._reports: dict[str, str] = {}  # event id -> the report's id at the VTN
        self._enrolled = False
        self._wrong = ""

    async def run(self) -> None:
        try:
            if not await self.look():
                self._put((), float("inf"), 0.0)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_for_ever())
                tasks.create_task(self._report_for_ever())
                for task in self._notified():
                    tasks.create_task(task)
        finally:
            await self.vtn.close()

    def _notified(self) -> list[Coroutine[None, None, None]]:
        """The ways the settings name to be told of changes."""
        section, ways = self._section, []
        if section.notifier:
            ways.append(openadr3_notify.listen(self.vtn, TOPICS, self.changed.set))
        if section.callback_url:
            webhook = Webhook(section.callback_host, section.callback_port, self.changed.set)
            ways += [webhook.run(), self._subscribe(webhook)]
        return ways

    async def _subscribe(self, webhook: Webhook) -> None:
        """Asked for until the VTN has it; what an earlier start left there is taken away."""
        body = webhook.subscription(self._ven, self._section.callback_url)
        while True:
            try:
                while (old := await self._there("subscriptions", clientName=self._ven)) is not None:
                    await self.vtn.delete(f"subscriptions/{old}")
                await self.vtn.send("POST", "subscriptions", body)
                return
            except VtnError as error:
                log.warning("subscription: %s", error)
                await asyncio.sleep(self._section.poll_s)

    async def _look_for_ever(self) -> None:
        """A flood of notifications is no flood of looks."""
        looks_s = deque[float](maxlen=LOOKS_MAX)
        while True:
            try:
                async with asyncio.timeout(self._section.poll_s):
                    await self.changed.wait()
            except TimeoutError:
                pass
            self.changed.clear()
            await self.look()
            looks_s.append(asyncio.get_running_loop().time())
            if len(looks_s) == LOOKS_MAX:
                await asyncio.sleep(looks_s[0] + LOOKS_S - looks_s[-1])

    async def look(self) -> bool:
        """One look at the VTN: enrolled, and its events understood.  False when it failed."""
        try:
            if not self._enrolled:
                await self._enrol()
            self.hear(await self.vtn.list("events", **await self._only()), self._clock())
        except (VtnError, EventError) as error:
            if str(error) != self._wrong:
                self._wrong = str(error)
                self._inbox.refuse(SOURCE, self._wrong)
            return False
        self._wrong = ""
        return True

    async def _only(self) -> dict[str, str]:
        """The filter for the program of the settings."""
        if not self._section.program:
            return {}
        answer = await self.vtn.list("programs")
        try:
            programs = msgspec.json.decode(answer, type=list[Program])
        except (msgspec.DecodeError, RecursionError) as error:
            raise VtnError(f"GET programs: {error}") from None
        named = [one.id for one in programs if one.program_name == self._section.program]
        if not named:
            raise VtnError(f"the VTN has no program {self._section.program!r} for this site")
        return {"programID": named[0]}

    async def _enrol(self) -> None:
        """This site as a ven with one resource, unless it is there already."""
        ven_id = await self._there("vens", venName=self._ven)
        if ven_id is None:
            body = {"objectType": "VEN_VEN_REQUEST", "venName": self._ven}
            power = {"type": "MAX_POWER_CONSUMPTION", "values": [self._means.limit_w / 1000]}
            ven_id = await self.vtn.send("POST", "vens", body | {"attributes": [power]})
        if await self._there("resources", venID=ven_id, resourceName=self._site) is None:
            body = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": self._site}
            await self.vtn.send("POST", "resources", body | {"venID": ven_id})
        self._enrolled = True

    async def _there(self, path: str, **params: str) -> str | None:
        try:
            found = msgspec.json.decode(
                await self.vtn.list(path, **params), type=list[dict[str, object]]
            )
        except (msgspec.DecodeError, RecursionError) as error:
            raise VtnError(f"GET {path}: {error}") from None
        return str(found[0].get("id")) if found else None

    # ---- events

    def hear(self, payload: bytes, now_s: float) -> None:
        """All events there are now; those no longer there are cancelled.  Raises EventError."""
        heard = events.decode(payload)
        ids = {event.id for event in heard}
        self._known = {name: known for name, known in self._known.items() if name in ids}
        self._refused = {name: why for name, why in self._refused.items() if name in ids}
        self._began_w = {name: w for name, w in self._began_w.items() if name in ids}
        self._reports = {
            key: at for key, at in self._reports.items() if key.removesuffix(FORECAST) in ids
        }
        news = [event.id for event in heard if self._understand(event, now_s)]
        said = [word for known in self._known.values() for word in known.words]
        if len(said) > events.WORDS_MAX:
            raise EventError(f"{len(said)} intervals in all events; the most is {events.WORDS_MAX}")
        capacity = events.capacity_words(said)
        subscribed_w = holding_w(capacity, now_s)
        self._default_w = self._default_w if subscribed_w is None else subscribed_w
        try:
            rows, until_s = compose([*events.limit_words(said), *capacity], self._default_w)
        except PlanError as error:
            raise EventError(str(error)) from None
        self._put(rows, until_s, now_s, news=bool(news))

    def _understand(self, event: Event, now_s: float) -> bool:
        """Whether it is news that can be followed."""
        before = self._known.get(event.id)
        if before is not None and before.event == event:
            return False
        seen_s = before.seen_s if before else now_s
        told = self._board.told
        self._began_w.setdefault(event.id, told.asked_w if told else 0)
        try:
            found = events.words(event, seen_s, self._means)
        except EventError as error:
            if self._refused.get(event.id) != str(error):
                self._refused[event.id] = str(error)
                self._inbox.refuse(SOURCE, str(error))
            return False
        self._known[event.id] = Known(event, found, seen_s)
        return bool(found)

    def _drawn_w(self, event_id: str) -> int:
        return self._began_w.get(event_id, 0)

    def _put(
        self,
        rows: tuple[tuple[float, int], ...],
        until_s: float,
        heard_s: float,
        news: bool = False,
    ) -> None:
        called = ", ".join(sorted(known.event.called for known in self._known.values()))
        because = called[:200] or "no events: its subscription"
        said = [word for known in self._known.values() for word in known.words]
        entry = Entry(
            SOURCE,
            rows,
            until_s,
            heard_s,
            self._loss,
            self._default_w,
            because=because,
            kind=kind_of(events.limit_words(said), heard_s),
        )
        if news:
            self._board.weigh(entry)  # on record; OpenADR 3 has no way to say no
        self._inbox.renew(entry)

    # ---- reports

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._section.report_s)
            try:
                await self.report()
            except VtnError as error:
                log.warning("report: %s", error)

    async def report(self) -> int:
        """Reports for every event that asks for them.  How many were sent."""
        told, sent = self._board.told, 0
        for name, known in self._known.items():
            if told is None:
                continue
            event, period_s = known.event, self._section.report_s
            if wanted(event):
                await self._send(name, report(event, self._ven, self._site, told, period_s))
                sent += 1
            if foretold(event):
                ahead = [
                    span
                    for span in events.spans(event, known.seen_s, self._site)
                    if span.until_s > self._clock()
                ]
                drawn_w = self._board.foreseen_w
                await self._send(
                    name + FORECAST, forecast(event, self._ven, self._site, ahead, drawn_w)
                )
                sent += 1
        return sent

    async def _send(self, key: str, body: dict[str, Any]) -> None:
        at = self._reports.get(key)
        method, path = ("POST", "reports") if at is None else ("PUT", f"reports/{at}")
        self._reports[key] = await self.vtn.send(method, path, body)


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Openadr3 | None:
    section = config.signal.openadr3
    if section is None:
        return None
    secret = keys.password(Path(section.secret_file))
    vtn = Vtn(section.url, section.client_id, secret)
    return Openadr3(section, config.site.name, config.site.limit_w, inbox, board, vtn)
