"""A VEN of OpenADR 2.0b on openleadr: registers, polls, opts in, reports.

openleadr speaks the protocol; here events become one entry in the inbox.  An event that can
be followed is weighed and opted in to; one that cannot, or is more than the settings want
unseen, is opted out of and refused with its reason.
Loss: what is known is followed to its end, then default_mw.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from typing import Any

from supervisor.config import Config, ConfigError
from supervisor.envelope import Entry
from supervisor.grid import openadr2_events as events
from supervisor.grid.capability import WITHIN_S
from supervisor.grid.openadr2_client import bounded_client
from supervisor.grid.openadr2_events import EventError, Means
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.loss import FOREVER
from supervisor.plan import PlanError, Word, compose, kind_of
from supervisor.sections.kinds import W_PER_MW
from supervisor.sections.openadr2 import Openadr2Config

log = logging.getLogger(__name__)
SOURCE = "openadr2"
AGAIN_S = 10.0
for talkative in ("openleadr", "apscheduler"):
    logging.getLogger(talkative).setLevel(logging.WARNING)


class Openadr2:
    def __init__(
        self,
        section: Openadr2Config,
        site: str,
        limit_w: int,
        inbox: Inbox,
        board: Board,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._section, self._site, self._inbox = section, site, inbox
        self._board, self._clock = board, clock
        self._default_w = round(section.default_mw * W_PER_MW)
        self._loss = section.loss("follow-schedule", site, SOURCE, limit_w)
        self._began_w: dict[str, int] = {}
        self._means = Means(site, limit_w, section.levels_pct, lambda n: self._began_w.get(n, 0))
        self._words: dict[str, list[Word]] = {}
        self._heard_s = 0.0

    async def run(self) -> None:
        self._say()
        while True:
            client = self._make()
            try:
                await client.run()
                while client.scheduler.running:
                    await asyncio.sleep(AGAIN_S)
            except Exception as error:  # openleadr's own, of any kind: the VTN is tried again
                self._inbox.refuse(SOURCE, f"the VTN: {type(error).__name__} {error}".rstrip())
            finally:
                await _stopped(client)
            await asyncio.sleep(AGAIN_S)

    def _make(self) -> Any:
        """An openleadr client that calls us."""
        section = self._section
        client = bounded_client(
            section.poll_s,
            lambda why: self._inbox.refuse(SOURCE, why),
            ven_name=section.ven or self._site,
            vtn_url=section.url,
            cert=section.cert_file,
            key=section.key_file,
            ca_file=section.ca_file,
            show_fingerprint=False,
        )
        client.add_handler("on_event", self.hear)
        client.add_handler("on_update_event", self.hear)
        client.add_hook("after_parse_xml", lambda *_: self._heard())  # a message, not any answer
        for name, value in (("REAL_POWER", self._metered_w), ("setpoint", self._asked_w)):
            client.add_report(
                callback=value,
                resource_id=self._site,
                measurement=name,
                report_specifier_id=f"{self._site}-{name}",
                r_id=name,
                unit="W",
                sampling_rate=timedelta(seconds=section.report_s),
                report_duration=timedelta(hours=1),
            )
        for number, within in enumerate(WITHIN_S):
            for way in ("down", "up"):
                client.add_report(
                    callback=partial(self._able_w, way, number),
                    resource_id=self._site,
                    measurement="REAL_POWER",
                    report_type=f"{way}RegulationCapacityAvailable",
                    report_specifier_id=f"{self._site}-capability",
                    r_id=f"{way}_{within}_s",
                    unit="W",
                    sampling_rate=timedelta(seconds=section.report_s),
                    report_duration=timedelta(hours=1),
                )
        return client

    def _able_w(self, way: str, number: int) -> float | None:
        """What the site could give back, or take up, in one of WITHIN_S."""
        told = self._board.told
        return float(getattr(told.capability, f"{way}_w")[number]) if told else None

    def _metered_w(self) -> float | None:
        told = self._board.told
        return float(told.metered_w or 0) if told and told.quality == "ok" else None

    def _asked_w(self) -> float | None:
        return float(self._board.told.asked_w) if self._board.told else None

    # ---- events

    def hear(self, event: Mapping[str, Any]) -> str:
        """One event, new, changed or cancelled: whether this site takes part."""
        name = str(event.get("event_descriptor", {}).get("event_id", ""))
        told = self._board.told
        self._began_w.setdefault(name, told.asked_w if told else 0)
        before = self._words.get(name)
        try:
            found = events.words(event, self._means)
            self._words[name] = found
            if found and found != before and (refusal := self._board.weigh(self._entry())):
                raise EventError(f"{events.called(event)}: {refusal}")
            self._heard()
        except (EventError, PlanError) as error:
            self._words[name] = before or []
            self._inbox.refuse(SOURCE, str(error))
            return "optOut"
        cancelled = event.get("event_descriptor", {}).get("event_status") in events.GONE
        return "optIn" if found or cancelled else "optOut"

    def _heard(self) -> None:
        self._heard_s = self._clock()
        self._words = {
            name: words
            for name, words in self._words.items()
            if any(word.until_s > self._heard_s for word in words)
        }
        self._began_w = {name: w for name, w in self._began_w.items() if name in self._words}
        self._say()

    def _say(self) -> None:
        self._inbox.renew(self._entry())

    def _entry(self) -> Entry:
        said = [word for words in self._words.values() for word in words]
        rows, until_s = compose(said, self._default_w) if said else ((), FOREVER)
        because = ", ".join(sorted({word.name for word in said}))[:200] or "no events: its default"
        kind = kind_of(said, self._heard_s)
        return Entry(
            SOURCE, rows, until_s, self._heard_s, self._loss, self._default_w, 0, because, kind
        )


async def _stopped(client: Any) -> None:
    """openleadr's stop() expects that it ever got as far as a session."""
    if client.client_session is not None:
        await client.stop()


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Openadr2 | None:
    section = config.signal.openadr2
    if section is None:
        return None
    if find_spec("openleadr") is None:
        raise ConfigError("signal.openadr2 needs openleadr: pip install 'surplus[openadr2]'")
    return Openadr2(section, config.site.name, config.site.limit_w, inbox, board)
