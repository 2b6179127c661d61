"""The rig as a Modbus device: what its registers say, and what writing to them does."""

from firmware import report, telemetry
from firmware.lazy import forget
from firmware.limit import Limit
from protocols import modbus, registers
from protocols.registers import NO_REGISTER, RegisterError


class Device(modbus.Device):
    """rig: firmware.rig.Rig."""

    def __init__(self, rig) -> None:
        self._rig = rig
        self.refused = 0  # requests
        self._told = ""

    def read(self, address: int, count: int) -> list:
        return self._counted(registers.answer, self._values(address), address, count)

    def write(self, address: int, words: list) -> None:
        self._counted(self._write, address, words)

    def file(self, number: int, at: int, count: int) -> bytes:
        """A black box, by its number, as a file; what is beyond its end reads 0."""
        from firmware import boxes

        try:
            data = boxes.part(number, 2 * at, 2 * count)
        except OSError as error:
            raise RegisterError(NO_REGISTER, f"file {number}: {error}") from None
        finally:
            forget("firmware.boxes")
        return data + bytes(2 * count - len(data))

    def _counted(self, call, *args):
        try:
            return call(*args)
        except RegisterError:
            self.refused += 1
            raise

    def _values(self, address: int) -> dict:
        """Those of the block the address is in; made for one question and forgotten."""
        rig = self._rig
        if registers.STATE_ADDRESS <= address < registers.POINTS_ADDRESS:
            return telemetry.clamped(report.state(rig, rig.recent.newest))
        if address >= registers.ASK_ADDRESS:
            return {"ask": "", "told": self._told}  # what was asked may hold a secret
        if address >= registers.LIMIT_ADDRESS:
            least_ms = registers.find("ttl_ms").low
            limit_w = rig.dispatch.limit_w if isinstance(rig.dispatch, Limit) else 0
            return {"limit_w": limit_w, "ttl_ms": max(least_ms, rig.dispatch.lease_ms)}
        return registers.identity_of(report.identity(rig.facts, rig.promised, report.chips(rig)))

    def _write(self, address: int, words: list) -> None:
        values: dict = registers.written(address, words)
        if "ask" in values:
            said = telemetry.ascii_only(self._rig.ask(values["ask"], False))
            self._told = said[: registers.find("told").high]
            return
        limit = self._rig.dispatch
        if not isinstance(limit, Limit):
            raise RegisterError(NO_REGISTER, "limit_w: this rig obeys over MQTT")
        limit.write(self._rig.promised, values["limit_w"], values["ttl_ms"])
        self._rig.obey_at_once()
