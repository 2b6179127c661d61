"""The site as an IEC 60870-5-104 outstation, on c104.

c104 is under the GPL and comes only as the extra "iec104", which users install themselves.
It runs threads of its own; orders are checked in them, so that the master gets its answer,
and said to the inbox on our loop.  It listens on loopback only: masters come by the gate.

    1001  C_SE_NC_1  set-point, MW                 1010  C_SC_NA_1  emergency: on is 0 MW
    1002  C_SE_TC_1  the same with a time tag      1011  C_SC_NA_1  watchdog: any write
    1003  C_SE_NC_1  the same, select before operate: weighed when it is selected
    2001  M_ME_NC_1  measured values, MW, in the order of scada.MEASURED
    2101  M_SP_NA_1  single points, in the order of scada.FLAGS
"""

import asyncio
import struct
import time
from concurrent.futures import Future
from importlib.util import find_spec
from typing import Any

from supervisor.config import Config, ConfigError
from supervisor.grid.iec104_gate import LOOPBACK, Gate
from supervisor.grid.scada import FLAGS, MEASURED, Desk
from supervisor.grid.told import STALE_S, Board
from supervisor.inbox import Inbox
from supervisor.nats import free_port
from supervisor.sections.scada import Iec104Config

SOURCE = "iec104"
SETPOINT, TAGGED, SELECTED, EMERGENCY, WATCHDOG = 1001, 1002, 1003, 1010, 1011
VALUES, POINTS = 2001, 2101
REPORT_MS = 2_000
BEAT_S = 0.5
WEIGHED_S = 2.0  # a select is decided by then, or the order after it is refused
SELECT = struct.Struct("<BBHHHBfB")  # type, number, cause, station, address (2 + 1), MW, qualifier
SETPOINT_TYPE, ACTIVATION, SELECTING = 50, 6, 0x80


def selected(frame: bytes, station: int) -> float | None:
    """The MW that a frame selects; None when it is another frame."""
    if len(frame) != 6 + SELECT.size or frame[2] & 1:
        return None
    kind, number, cause, common, low, high, mw, qualifier = SELECT.unpack_from(frame, 6)
    wanted = (SETPOINT_TYPE, 1, ACTIVATION, station, SELECTED)
    if (kind, number, cause & 0x3F, common, low | high << 16) != wanted:
        return None
    return float(mw) if qualifier & SELECTING else None


class Iec104:
    def __init__(self, section: Iec104Config, desk: Desk, board: Board) -> None:
        self.desk, self._section, self._board = desk, section, board
        self.port = section.port
        self._server: Any = None
        self._points: dict[int, Any] = {}
        self._connects = 0
        self._shown_s = time.monotonic()
        self._selected: tuple[float, Future[str]] | None = None

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.desk.say()
        self.start()
        gate = Gate(self._server.port, self.desk.refuse)
        self.port = await gate.start(self._section.host, self._section.port)
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                self.desk.linked(self._connects if self._server.active_connection_count else None)
                self.desk.say()
                self.show()
        finally:
            gate.stop()
            self._server.stop()

    def start(self) -> None:
        import c104

        self._server = c104.Server(ip=LOOPBACK, port=free_port(LOOPBACK))
        station = self._server.add_station(common_address=self._section.address)
        self._orders(c104, station)
        self._server.on_receive_raw(callable=self._selects(c104))
        self._server.on_connect(callable=self._welcome(c104))
        kinds = ((VALUES, MEASURED, c104.Type.M_ME_NC_1), (POINTS, FLAGS, c104.Type.M_SP_NA_1))
        for first, names, kind in kinds:
            for number in range(first, first + len(names)):
                self._points[number] = station.add_point(number, kind, report_ms=REPORT_MS)
                self._points[number].on_before_auto_transmit(callable=self._doubts(c104))
        self.show()
        self._server.start()

    def _welcome(self, c104: Any) -> Any:
        """Takes everybody and counts, so that a new link is known from the one before."""

        def welcome(server: c104.Server, ip: str) -> bool:
            self._connects += 1
            return True

        return welcome

    def _orders(self, c104: Any, station: Any) -> None:
        """The command points; each answers the master by what the desk says."""

        def order(
            point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
        ) -> c104.ResponseState:
            refusal = self._order(point.io_address, message.info)
            self._loop.call_soon_threadsafe(self._after, refusal)
            return c104.ResponseState.FAILURE if refusal else c104.ResponseState.SUCCESS

        direct, select = c104.CommandMode.DIRECT, c104.CommandMode.SELECT_AND_EXECUTE
        for number, kind, mode in (
            (SETPOINT, c104.Type.C_SE_NC_1, direct),
            (TAGGED, c104.Type.C_SE_TC_1, direct),
            (SELECTED, c104.Type.C_SE_NC_1, select),
            (EMERGENCY, c104.Type.C_SC_NA_1, direct),
            (WATCHDOG, c104.Type.C_SC_NA_1, direct),
        ):
            self._points[number] = station.add_point(number, kind, command_mode=mode)
            self._points[number].on_receive(callable=order)

    def _selects(self, c104: Any) -> Any:
        """Sees every frame: c104 answers a select by itself and tells nobody else."""

        def frame(server: c104.Server, data: bytes) -> None:
            mw = selected(data, self._section.address)
            if mw is not None:
                self._selected = mw, self._weigh(mw)

        return frame

    def _weigh(self, mw: float) -> "Future[str]":
        return asyncio.run_coroutine_threadsafe(self._weighed(mw), self._loop)

    async def _weighed(self, mw: float) -> str:
        return self.desk.wrong(mw) or self.desk.selected(mw)

    def _blocked(self, mw: float) -> str:
        """Why a selected set-point is not operated.  In a thread of c104's.

        That it was selected is c104's to see; the frame may reach us later than the order.
        """
        selected_mw, weighing = self._selected or (mw, self._weigh(mw))
        if selected_mw != mw:
            weighing = self._weigh(mw)
        self._selected = None
        try:
            return weighing.result(WEIGHED_S)
        except TimeoutError:
            return f"it was not weighed within {WEIGHED_S:g} s"

    def _doubts(self, c104: Any) -> Any:
        """c104 reports by itself: what nobody has shown for a while goes out as invalid."""

        def doubt(point: c104.Point) -> None:
            if time.monotonic() - self._shown_s > STALE_S:
                point.quality = c104.Quality.Invalid

        return doubt

    def _order(self, number: int, info: Any) -> str:
        if number == EMERGENCY:
            return self.desk.emergency(bool(info.value))
        if number == WATCHDOG:
            return self.desk.watchdog()
        if number == SELECTED and (blocked := self._blocked(float(info.value))):
            return blocked
        tag = info.recorded_at if number == TAGGED else None
        if number == TAGGED and tag is None:
            return "the command has no time tag"
        return self.desk.setpoint(float(info.value), tag.timestamp() if tag else None)

    def _after(self, refusal: str) -> None:
        if refusal:
            self.desk.refuse(refusal)
        else:
            self.desk.say()

    def show(self) -> None:
        """The values of now; what is not known is marked invalid and keeps no old number."""
        import c104

        told, self._shown_s = self._board.told, time.monotonic()
        for number, value in enumerate(MEASURED.values(), VALUES):
            mw = value(told) if told else None
            quality = c104.Quality() if mw is not None else c104.Quality.Invalid
            self._points[number].info = c104.ShortInfo(actual=mw or 0.0, quality=quality)
        for number, flag in enumerate(FLAGS.values(), POINTS):
            quality = c104.Quality() if told else c104.Quality.Invalid
            self._points[number].info = c104.SingleInfo(
                on=bool(told and flag(told)), quality=quality
            )


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Iec104 | None:
    section = config.signal.iec104
    if section is None:
        return None
    if find_spec("c104") is None:
        raise ConfigError("signal.iec104 needs c104 (GPL-3.0): pip install 'surplus[iec104]'")
    site = config.site
    desk = Desk(SOURCE, section, site.name, site.limit_w, inbox, weigh=board.weigh)
    return Iec104(section, desk, board)
