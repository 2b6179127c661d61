"""One unit of a Modbus server: registers made anew for each reading, writes checked whole.

What a master writes is taken or refused as one; a refusal is an exception on the wire and
a line in the ledger.
"""

from collections.abc import Callable

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice


def unit(
    number: int,
    base: int,
    shown: Callable[[], list[int]],
    write: Callable[[int, list[int]], str],
    refuse: Callable[[str], None],
) -> SimDevice:
    """base: its first register.  shown(): all of them now.  write(address, values): "" when it
    was taken, else why not."""

    async def answer(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if written is not None and (refusal := write(address, [int(one) for one in written])):
            refuse(refusal)
            return ExcCodes.ILLEGAL_VALUE
        registers[:] = shown()
        return None

    registers = SimData(base, values=[0] * len(shown()), datatype=DataType.REGISTERS)
    return SimDevice(number, simdata=[registers], action=answer)
