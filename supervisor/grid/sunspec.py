"""The site as a SunSpec device: a Modbus TCP server with models 1, 701, 704, 711 and 715.

A master reads what the site draws (701, import negative), writes what it may draw (704)
and may keep a heartbeat (715).  What it writes is checked whole before any of it counts;
a refused write is an exception on the wire and a line in the ledger.  Started anew, the
registers are empty and the site is in failsafe until it is written to.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pymodbus.server import ModbusTcpServer

from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.grid import sunspec_control as control
from supervisor.grid.plain_map import Plain
from supervisor.grid.sunspec_live import fill, settle_droop, settle_scales
from supervisor.grid.sunspec_map import BASE, Image, MapError
from supervisor.grid.told import Board
from supervisor.grid.unit import unit
from supervisor.inbox import Inbox
from supervisor.loss import FOREVER, Loss, Watch
from supervisor.plan import compose, kind_of
from supervisor.sections.frequency import FrequencyConfig
from supervisor.sections.kinds import W_PER_MW
from supervisor.sections.sunspec import SunspecConfig

SOURCE = "sunspec"
BEAT_S = 1.0


class Sunspec:
    """Takes one master or several; the last one to write holds, as on any device."""

    def __init__(
        self,
        section: SunspecConfig,
        limit_w: int,
        inbox: Inbox,
        board: Board,
        clock: Callable[[], float] = time.time,
        droop: FrequencyConfig | None = None,
    ) -> None:
        self.port = 0
        self._section, self._limit_w, self._board = section, limit_w, board
        self._inbox, self._clock = inbox, clock
        self._default_w = round(section.default_mw * W_PER_MW)
        self.image = Image(control.FOLLOWED)
        settle_scales(self.image, limit_w, self._default_w)
        settle_droop(self.image, droop)
        self._since_s: dict[str, float] = {}  # when each function was last written
        self._watch = Watch(section.heartbeat_s or FOREVER)
        self._beats = 0
        self.plain = Plain(
            limit_w, self._default_w, section.revert_s, inbox, board, self.say, clock
        )

    async def run(self) -> None:
        self.say()
        await self.start()
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                self._beats += 1
        finally:
            await self._server.shutdown()  # type: ignore[no-untyped-call]

    async def start(self) -> int:
        """Listen.  The port."""
        refuse = partial(self._inbox.refuse, SOURCE)
        devices = [
            unit(self._section.unit, BASE, self.shown, self.write, refuse),
            self.plain.device(self._section.plain_unit),
        ]
        where = (self._section.host, self._section.port)
        self._server = ModbusTcpServer(devices, address=where)
        await self._server.serve_forever(background=True)
        transport: Any = self._server.transport
        self.port = int(transport.sockets[0].getsockname()[1])
        return self.port

    def shown(self) -> list[int]:
        """All registers as they read now."""
        fill(self.image, self._board.told, self._limit_w, self._beats)
        self._count_down()
        return self.image.registers

    def write(self, address: int, values: list[int]) -> str:
        """ "" when it was taken; else why not, and nothing has changed."""
        before, own_s = list(self.image.registers), self._section.revert_s
        before_s = control.ends_s(self.image, self._since_s, own_s)
        try:
            hit = self.image.write(address, values)
            control.check(self.image, self._limit_w)
        except MapError as error:
            self.image.registers[:] = before
            return str(error)
        now_s = self._clock()
        if (715, "ControllerHb") in hit and before != self.image.registers:
            self._watch = self._watch.beat(now_s)
        touched = {point for model, point in hit if model == 704}
        self._since_s, ordered = control.renewed(
            self.image, touched, self._since_s, before_s, own_s, now_s
        )
        if ordered:
            self._watch = self._watch.limit(now_s)
        self.say()
        return ""

    def say(self) -> None:
        """What the registers ask, as the one entry of this source."""
        now_s, heartbeat_s = self._clock(), self._section.heartbeat_s
        words = control.words(self.image, self._limit_w, self._since_s, self._section.revert_s)
        failsafe = heartbeat_s > 0 and self._watch.failsafe(now_s)
        rows, until_s = ((), FOREVER) if failsafe else compose(words, self._limit_w)
        if not words and (self._since_s or self.plain.written) and not failsafe:
            self._inbox.withdraw(SOURCE)  # switched off by its master, or the other map is used
            return
        self._inbox.renew(
            Entry(
                SOURCE,
                rows,
                until_s,
                self._watch.heard_s if heartbeat_s and not failsafe else now_s,
                Loss(after_s=heartbeat_s or FOREVER),
                None if rows and not heartbeat_s else self._default_w,
                because=", ".join(f"704.{word.name}" for word in words) or "not written to yet",
                kind=kind_of(words, now_s),
            )
        )

    def _count_down(self) -> None:
        now_s = self._clock()
        for function in (control.LIMIT, control.SET):
            left_s = 0.0
            if (
                function.timer in self._since_s
                and self.image.get(704, function.enable) == control.ON
            ):
                timer_s = control.timer_s(self.image, function.timer, self._section.revert_s)
                left_s = max(0.0, self._since_s[function.timer] + timer_s - now_s)
            self.image.put(704, function.left, left_s)


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Sunspec | None:
    section = config.signal.sunspec
    if section is None:
        return None
    return Sunspec(section, config.site.limit_w, inbox, board, droop=config.frequency)
