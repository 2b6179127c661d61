"""[[modbus_rigs]]: rigs of ours without IP, behind a gateway."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from protocols import topics
from supervisor.sections.kinds import Seconds
from supervisor.settings import Section

UNITS_MAX = 247  # addresses a Modbus line has


class ModbusRigs(Section, frozen=True, kw_only=True):
    """Units of one gateway that speak the register map of a rig (protocols/registers.py)."""

    name: Annotated[str, Meta(description="rigs are called by this and their unit: hall-a-17")]
    gateway: Annotated[str, Meta(min_length=1, description="the name of one of [[modbus]]")]
    units: Annotated[
        str, Meta(pattern=r"^\d+(-\d+)?(,\d+(-\d+)?)*$", description='such as "1-40" or "1-8,12"')
    ]
    poll_s: Seconds = 2.0

    @property
    def numbers(self) -> list[int]:
        """The units, each once."""
        found: set[int] = set()
        for part in self.units.split(","):
            first, _, last = part.partition("-")
            found.update(range(int(first), min(int(last or first), UNITS_MAX) + 1))
        return sorted(found)


def nonsense(groups: tuple[ModbusRigs, ...], gateways: set[str]) -> Iterator[tuple[str, str]]:
    names = [group.name for group in groups]
    for group in groups:
        if names.count(group.name) > 1:
            yield "modbus_rigs.name", f"two groups are called {group.name}"
        if wrong := topics.name_error(f"{group.name}-247"):
            yield "modbus_rigs.name", wrong
        if group.gateway not in gateways:
            yield "modbus_rigs.gateway", f"{group.gateway} is none of [[modbus]]"
        numbers = group.numbers
        if not numbers or numbers[0] < 1 or numbers[-1] > UNITS_MAX:
            yield "modbus_rigs.units", f'{group.units} is none of "1-{UNITS_MAX}"'
