"""A client of an IEEE 2030.5 utility server: dynamic operating envelopes by CSIP-AUS.

py20305 speaks the wire: TLS by the standard's suites, discovery, XML.  Its own event engine
is not used, because on a loss it leaves a running control at once; here the known schedule
is followed to its end and then the default control, reached by its gradient.  Once poll_s:

    device capability -> our end device -> its programs -> controls -> words -> one entry
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from supervisor.config import Config, ConfigError
from supervisor.envelope import Entry
from supervisor.grid import csip_controls as controls
from supervisor.grid import csip_readings as readings
from supervisor.grid.csip_controls import ControlError, Default
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.loss import FOREVER
from supervisor.plan import PlanError, Word, compose
from supervisor.sections.csip import CsipConfig
from supervisor.sections.kinds import W_PER_MW

log = logging.getLogger(__name__)
SOURCE = "csip"
CLOCK_S = 2.0  # what clocks may differ by and still be the same
ANSWERED_MAX = 10_000  # controls whose answers are remembered
logging.getLogger("py20305").setLevel(logging.CRITICAL)  # it says what we say, and more


class Csip:
    """wire: a Sep2Client."""

    def __init__(
        self,
        section: CsipConfig,
        site: str,
        limit_w: int,
        inbox: Inbox,
        board: Board,
        wire: Any,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.wire, self._section, self._site, self._limit_w = wire, section, site, limit_w
        self._inbox, self._board, self._clock = inbox, board, clock
        self._loss = section.loss("follow-schedule", site, SOURCE, limit_w)
        self._default = Default(round(section.default_mw * W_PER_MW))
        self._words: dict[str, list[Word]] = {}  # by program
        self._answered: dict[bytes, list[int]] = {}
        self._points: str | None = None  # where mirror usage points are put
        self._point: str | None = None  # where ours is
        self._ahead_s = 0.0  # the server's clock, of ours
        self._wrong = ""

    async def run(self) -> None:
        self._put(0.0)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_for_ever())
                tasks.create_task(self._report_for_ever())
        finally:
            await self.wire.close()

    async def _look_for_ever(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._section.poll_s)

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._section.report_s)
            try:
                await self.report()
            except Exception as error:  # as in look(); the point is put there anew
                self._point = None
                log.warning("readings: %s %s", type(error).__name__, error)

    async def look(self) -> bool:
        """One look at the server, and the answers it is owed.  False when it failed."""
        from py20305.client.discovery import discover
        from py20305.client.state import DiscoveredState

        state = DiscoveredState()
        try:
            await discover(self.wire, state, dcap_path=self._section.path)
            self._set_clock(self.wire.timebase.offset())
            self._points = state.mup_list_href
            programs = self._ours(state)
            self.hear(programs)
            await self._answer(programs)
        except Exception as error:  # py20305's and xsdata's own, of any kind: asked again
            why = f"the server: {type(error).__name__} {error}"[:300]
            if why != self._wrong:
                self._wrong = why
                self._inbox.refuse(SOURCE, why)
            return False
        self._wrong = ""
        return True

    def _ours(self, state: Any) -> list[Any]:
        """The programs of the end device that our certificate names, or of the only one."""
        lfdi = self.wire.client_lfdi
        devices = [
            href
            for href, device in state.end_devices.items()
            if lfdi is None or device.lfdi.hex() == lfdi.lower()
        ]
        if len(devices) != 1:
            raise ControlError(f"it knows {len(devices)} end devices by our LFDI {lfdi}; one is us")
        hrefs = state.device_mapping.device_to_programs.get(devices[0], [])
        return [state.der_programs[href] for href in hrefs]

    def _set_clock(self, ahead_s: float) -> None:
        """The server tells whole seconds; what they jitter by is no other time."""
        if abs(ahead_s - self._ahead_s) > CLOCK_S:
            self._ahead_s = float(round(ahead_s))

    # ---- controls

    def hear(self, programs: list[Any]) -> None:
        """All programs there are now.  Raises ControlError and PlanError; then nothing moved."""
        default = controls.default_of(programs)
        found = {
            program.href: controls.words(
                program.der_controls, program.primacy, self._site, self._ahead_s
            )
            if program.der_controls_complete
            else self._words.get(program.href, [])
            for program in programs
        }
        before = self._words, self._default
        news = found != self._words
        self._words = found
        self._default = self._default if default.w is None else default
        try:
            self._put(self._clock(), news=news and any(found.values()))
        except PlanError:
            self._words, self._default = before
            raise

    def _put(self, heard_s: float, news: bool = False) -> None:
        said = [word for words in self._words.values() for word in words]
        default = self._default
        rows, until_s = compose(said, default.w or 0) if said else ((), FOREVER)
        grad_w_per_s = None if default.grad is None else default.grad * self._limit_w
        loss = self._loss
        if grad_w_per_s is not None:
            loss = replace(loss, fall_w_per_s=grad_w_per_s)
        because = ", ".join(sorted({word.name for word in said}))[:200] or "its default control"
        entry = Entry(
            SOURCE,
            rows,
            until_s,
            heard_s,
            loss,
            default.w,
            because=because,
            up_w_per_s=grad_w_per_s,
        )
        if news:
            self._board.weigh(entry)  # on record; there is no way to say no
        self._inbox.renew(entry)

    # ---- answers

    async def _answer(self, programs: list[Any]) -> None:
        """What the server asked to be told about each control: received, started, completed."""
        ahead_s, now_s = self._ahead_s, self._clock()
        for control in (one for program in programs for one in program.der_controls):
            ours = controls.import_w(controls.called(control), control.dercontrol_base) is not None
            if not (ours and control.reply_to and any(control.response_required)):
                continue
            told = self._answered.setdefault(control.m_rid.value, [])
            for status in controls.due(
                control, controls.span_s(control, self._site, ahead_s), now_s
            ):
                if status not in told:
                    await self._say(control, status, now_s + ahead_s)
                    told.append(status)
        while len(self._answered) > ANSWERED_MAX:
            del self._answered[next(iter(self._answered))]

    async def _say(self, control: Any, status: int, server_s: float) -> None:
        from py20305.models.sep.sep import DercontrolResponse, MRidtype, TimeType

        answer = DercontrolResponse(
            created_date_time=TimeType(value=int(server_s)),
            end_device_lfdi=self._lfdi,
            status=status,
            subject=MRidtype(value=control.m_rid.value),
        )
        await self.wire.post(control.reply_to, answer)

    # ---- readings

    async def report(self) -> bool:
        """The site's power, where the server takes readings.  Whether one was sent."""
        told = self._board.told
        if self._points is None or told is None:
            return False
        if self._point is None:
            point = readings.usage_point(self._site, self._lfdi)
            self._point = await self.wire.post(self._points, point)
        said = readings.reading(self._site, told, self._clock() + self._ahead_s)
        if said is None or self._point is None:
            return False
        await self.wire.post(self._point, said)
        return True

    @property
    def _lfdi(self) -> bytes:
        return bytes.fromhex(self.wire.client_lfdi or "00" * 20)


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Csip | None:
    section = config.signal.csip
    if section is None:
        return None
    if find_spec("py20305") is None:
        raise ConfigError("signal.csip needs py20305: pip install 'surplus[csip]'")
    site = config.site
    return Csip(section, site.name, site.limit_w, inbox, board, wire_of(section))


def wire_of(section: CsipConfig) -> Any:
    """py20305's client; without a certificate in the clear, which a utility refuses."""
    from py20305.client.http import Sep2Client
    from py20305.client.tls import TlsConfig

    cert, key, ca = section.cert_file, section.key_file, section.ca_file
    tls = TlsConfig(Path(cert), Path(key), Path(ca)) if cert and key and ca else None
    return Sep2Client(section.url, tls)
