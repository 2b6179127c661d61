"""surplus hil registers: a rig's Modbus map as CSV, for who programs a PLC."""

import csv
import io
import sys

from protocols import meanings, messages, registers

HEAD = ("name", "address", "plc", "kind", "words", "scale", "unit", "from", "to", "access", "what")
FIRST_PLC = 40_001  # address 0 in the numbering of older tools


def registers_() -> None:
    """The Modbus registers of a rig as CSV; the same as protocols/registers.csv."""
    sys.stdout.write(table())


def table() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for one in registers.every():
        address = (one.address, FIRST_PLC + one.address)
        numbers = (one.kind, one.words, one.scale, one.unit, one.low, one.high, one.access)
        writer.writerow((one.name, *address, *numbers, what(one)))
    return out.getvalue()


def what(one: registers.Register) -> str:
    """In words, as in the messages."""
    if one.kind == registers.POINT:
        return "watts u32, GH/s u32 of an operating point; 0 beyond the last"
    if one.kind == registers.NAME:
        return "number of: " + ", ".join(f"{n} {name}" for n, name in enumerate(messages.STATES))
    return meanings.of_register(one.name)
