"""What can be broken on a virtual rig, live: names for VirtualRig.faults.

A name alone means the part given here; "fan_stopped:2" means part 2.
"""

from collections.abc import Iterable

# name: (what happens, how many such parts, the part meant by the name alone; None = all)
FAULTS: dict[str, tuple[str, int, int | None]] = {
    "fan_stopped": ("a fan's rotor jams", 4, 0),
    "tach_dead": ("a fan turns and its tach line says nothing", 4, 0),
    "sensor_lost": ("a thermometer no longer acknowledges", 6, 1),
    "sensor_stuck": ("a thermometer goes on saying what it last said", 6, 1),
    "sensor_spike": ("a thermometer says 127.9 C every fourth time", 6, 1),
    "i2c_stuck": ("an I2C bus is held low: 0 the sensors', 1 the supply's", 2, None),
    "psu_off": ("the supply has no mains: no volts, no answers", 1, 0),
    "psu_fault": ("the supply switches itself off, too hot, until switched off and on", 1, 0),
    "chip_missing": ("a board's chain is broken behind its 40th chip", 3, 0),
    "board_dead": ("a board takes no power and says nothing", 3, 0),
}


def parse(text: str) -> tuple[str, frozenset[int]]:
    """A fault's name and the parts it hits.  Raises ValueError."""
    name, colon, number = text.partition(":")
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    _, parts, usual = FAULTS[name]
    if colon:
        if not number.isdecimal() or int(number) >= parts:
            raise ValueError(f"fault {text!r}: {name} has parts 0 to {parts - 1}")
        return name, frozenset((int(number),))
    return name, frozenset(range(parts) if usual is None else (usual,))


class Faults(set[str]):
    """A set of faults that refuses what does not exist; safe to change while the rig runs."""

    def add(self, fault: str) -> None:
        parse(fault)
        super().add(fault)

    def update(self, *others: Iterable[str]) -> None:
        for other in others:
            for fault in other:
                self.add(fault)

    def hit(self, name: str) -> frozenset[int]:
        """The parts this kind of fault is on now."""
        parts: frozenset[int] = frozenset()
        for fault in tuple(self):
            kind, hit = parse(fault)
            if kind == name:
                parts |= hit
        return parts
