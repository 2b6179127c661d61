"""The site as a DNP3 (IEEE 1815) outstation, on dnp3py.

    analog output 0    set-point, MW: direct operate, or select before operate
    binary output 0    emergency: latch on is 0 MW      1   watchdog: any operate
    analog inputs      MW, in the order of scada.MEASURED, class 2 events
    binary inputs      in the order of scada.FLAGS, class 1 events

An order is answered with the point's own status: OUT_OF_RANGE changes nothing.  A select
is weighed: what it would do goes on record, and is BLOCKED when the settings say so.  A
value that is not known is COMM_LOST, and no old number.
"""

import asyncio
from importlib.util import find_spec
from typing import Any

from supervisor.config import Config, ConfigError
from supervisor.grid.scada import FLAGS, MEASURED, Desk
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.sections.scada import Dnp3Config

SOURCE = "dnp3"
SETPOINT, EMERGENCY, WATCHDOG = 0, 0, 1
DEADBAND_MW = 0.01
BEAT_S = 0.5


class Dnp3:
    def __init__(self, section: Dnp3Config, desk: Desk, board: Board) -> None:
        self.desk, self._section, self._board = desk, section, board
        self._runner: Any = None
        self._database: Any = None

    @property
    def port(self) -> int:
        """Once it listens."""
        return int(self._runner.local_address[1])

    @property
    def listening(self) -> bool:
        return bool(self._runner and self._runner.is_running)

    async def run(self) -> None:
        self.desk.say()
        self._make()
        self.show()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._runner.run())
            tasks.create_task(self._show_for_ever())

    def _make(self) -> None:
        from dnp3.database import Database
        from dnp3.outstation import Outstation, OutstationConfig, OutstationTcpRunner

        section = self._section
        self._database = Database()
        for index in range(len(MEASURED)):
            self._database.add_analog_input(index, _analog())
        for index in range(len(FLAGS)):
            self._database.add_binary_input(index, _binary())
        self._database.add_analog_output(SETPOINT)
        for index in (EMERGENCY, WATCHDOG):
            self._database.add_binary_output(index)
        config = OutstationConfig(section.address, section.master, time_sync_required=False)
        outstation = Outstation(config, self._database, _handler(self))
        self._runner = OutstationTcpRunner(outstation, section.host, section.port)

    async def _show_for_ever(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.desk.linked(self._connection())
            self.desk.say()
            self.show()

    def _connection(self) -> object:
        """The one that lives; None when none does."""
        task = self._runner._connection_task
        return None if task is None or task.done() else task

    # ---- orders, on our own loop

    def setpoint(self, mw: float) -> str:
        """Checked and followed."""
        refusal = self.desk.setpoint(mw)
        self._after(refusal, act=True)
        return refusal

    def selected(self, mw: float) -> tuple[str, str]:
        """Before it is operated: why it is out of range, why it is more than may be unseen."""
        wrong = self.desk.wrong(mw)
        blocked = "" if wrong else self.desk.selected(mw)
        self._after(wrong or blocked, act=False)
        return wrong, blocked

    def switch(self, index: int, on: bool, *, act: bool) -> str:
        if index not in (EMERGENCY, WATCHDOG):
            return f"binary output {index} is not there; 0 is the emergency, 1 the watchdog"
        if act:
            if index == EMERGENCY:
                self.desk.emergency(on)
            else:
                self.desk.watchdog()
            self._after("", act)
        return ""

    def _after(self, refusal: str, act: bool) -> None:
        if refusal:
            self.desk.refuse(refusal)
        elif act:
            self.desk.say()

    def show(self) -> None:
        """The values of now; events are made where one changed."""
        from dnp3.core.flags import AnalogQuality, BinaryQuality

        told = self._board.told
        for index, value in enumerate(MEASURED.values()):
            mw = value(told) if told else None
            quality = AnalogQuality.COMM_LOST if mw is None else AnalogQuality.ONLINE
            self._database.update_analog_input(index, mw or 0.0, quality)
        for index, flag in enumerate(FLAGS.values()):
            known = BinaryQuality.ONLINE if told else BinaryQuality.COMM_LOST
            self._database.update_binary_input(index, bool(told and flag(told)), known)


def _analog() -> Any:
    from dnp3.database import AnalogInputConfig, EventClass

    return AnalogInputConfig(event_class=EventClass.CLASS_2, deadband=DEADBAND_MW)


def _binary() -> Any:
    from dnp3.database import BinaryInputConfig, EventClass

    return BinaryInputConfig(event_class=EventClass.CLASS_1)


def _handler(ours: Dnp3) -> Any:
    """What dnp3py calls for a command; made here because its classes are an extra."""
    from dnp3.core.enums import ControlCode
    from dnp3.outstation import CommandResult, DefaultCommandHandler

    def said(refusal: str) -> CommandResult:
        return CommandResult.out_of_range(refusal) if refusal else CommandResult.success()

    class Handler(DefaultCommandHandler):
        def select_analog_output(self, index: int, value: float) -> CommandResult:
            if index != SETPOINT:
                return missing()
            wrong, blocked = ours.selected(value)
            return CommandResult.blocked(blocked) if blocked else said(wrong)

        def operate_analog_output(
            self, index: int, value: float, select_sequence: int
        ) -> CommandResult:
            return self.direct_operate_analog_output(index, value)

        def direct_operate_analog_output(self, index: int, value: float) -> CommandResult:
            return said(ours.setpoint(value)) if index == SETPOINT else missing()

        def select_binary_output(
            self, index: int, code: Any, count: int, on_time: int, off_time: int
        ) -> CommandResult:
            return said(ours.switch(index, on(code), act=False))

        def operate_binary_output(
            self,
            index: int,
            code: Any,
            count: int,
            on_time: int,
            off_time: int,
            select_sequence: int,
        ) -> CommandResult:
            return self.direct_operate_binary_output(index, code, count, on_time, off_time)

        def direct_operate_binary_output(
            self, index: int, code: Any, count: int, on_time: int, off_time: int
        ) -> CommandResult:
            return said(ours.switch(index, on(code), act=True))

    def on(code: Any) -> bool:
        return code in (ControlCode.LATCH_ON, ControlCode.PULSE_ON)

    def missing() -> CommandResult:
        return CommandResult.not_supported("the set-point is analog output 0")

    return Handler()


def adapter_of(config: Config, inbox: Inbox, board: Board) -> Dnp3 | None:
    section = config.signal.dnp3
    if section is None:
        return None
    if find_spec("dnp3") is None:
        raise ConfigError("signal.dnp3 needs dnp3py: pip install 'surplus[dnp3]'")
    site = config.site
    desk = Desk(SOURCE, section, site.name, site.limit_w, inbox, weigh=board.weigh)
    return Dnp3(section, desk, board)
