"""The status registers of a PMBus supply: what is wrong now, and what was since it was cleared."""

from hil.supply import ON_ABOVE_V, OVER_CURRENT, OVER_HEAT, Supply
from protocols import pmbus_supply

CML_COMMAND, CML_DATA, CML_PEC = 0x80, 0x40, 0x20
_OV_FAULT, _UV_WARN, _UV_FAULT = 0x80, 0x20, 0x10  # of STATUS_VOUT and STATUS_INPUT
_OC_FAULT, _OT_FAULT = 0x80, 0x80
SETTLED_S = 1.0  # on for so long before low volts count
NAMES = (
    pmbus_supply.STATUS_VOUT,
    pmbus_supply.STATUS_IOUT,
    pmbus_supply.STATUS_INPUT,
    pmbus_supply.STATUS_TEMPERATURE,
    pmbus_supply.STATUS_CML,
)


class Status:
    def __init__(self, supply: Supply) -> None:
        self._supply = supply
        self._latched = dict.fromkeys(NAMES, 0)

    def note(self, cml: int) -> None:
        """Something was wrong with what the host said."""
        self._latched[pmbus_supply.STATUS_CML] |= cml

    def look(self, limits_v: tuple[float, float, float]) -> None:
        """Keep what is wrong now, until it is cleared."""
        for name, bits in self._present(limits_v).items():
            self._latched[name] |= bits

    def clear(self) -> None:
        self._latched = dict.fromkeys(NAMES, 0)

    def bits(self, name: int, limits_v: tuple[float, float, float]) -> int:
        """One status register: what was latched, and what is wrong now."""
        return self._latched[name] | self._present(limits_v).get(name, 0)

    def word(self, limits_v: tuple[float, float, float]) -> int:
        """STATUS_WORD, which sums the others up."""
        supply, bits = self._supply, self._latched | {}
        for name, present in self._present(limits_v).items():
            bits[name] |= present
        word = 0
        for name, summary in (
            (pmbus_supply.STATUS_VOUT, 1 << 15),
            (pmbus_supply.STATUS_IOUT, 1 << 14),
            (pmbus_supply.STATUS_INPUT, 1 << 13),
            (pmbus_supply.STATUS_TEMPERATURE, 1 << 2),
            (pmbus_supply.STATUS_CML, pmbus_supply.STATUS_COMMUNICATION),
        ):
            word |= summary if bits[name] else 0
        word |= 1 << 5 if bits[pmbus_supply.STATUS_VOUT] & _OV_FAULT else 0
        word |= 1 << 4 if bits[pmbus_supply.STATUS_IOUT] & _OC_FAULT else 0
        word |= 1 << 3 if bits[pmbus_supply.STATUS_INPUT] & _UV_FAULT else 0
        if supply.volts < 1:
            word |= pmbus_supply.STATUS_OFF
        if supply.volts < 0.9 * supply.command_v:
            word |= pmbus_supply.STATUS_POWER_NOT_GOOD
        return word

    def _present(self, limits_v: tuple[float, float, float]) -> dict[int, int]:
        """What is wrong now; limits: over-voltage fault, under-voltage warning, and fault."""
        supply, present = self._supply, {}
        if supply.latched == OVER_CURRENT:
            present[pmbus_supply.STATUS_IOUT] = _OC_FAULT
        elif supply.latched == OVER_HEAT:
            present[pmbus_supply.STATUS_TEMPERATURE] = _OT_FAULT
        if supply.under_voltage:
            present[pmbus_supply.STATUS_INPUT] = _UV_FAULT | _UV_WARN
        elif supply.mains_v < ON_ABOVE_V:
            present[pmbus_supply.STATUS_INPUT] = _UV_WARN
        over_v, warn_v, under_v = limits_v
        if supply.volts > over_v:
            present[pmbus_supply.STATUS_VOUT] = _OV_FAULT
        elif supply.on_s > SETTLED_S and supply.volts < warn_v:
            present[pmbus_supply.STATUS_VOUT] = _UV_WARN | (
                _UV_FAULT if supply.volts < under_v else 0
            )
        return present
