"""What can be broken on a virtual rig, live: names for VirtualRig.faults.

A name alone means the part given here; "fan_stopped:2" means part 2.
"""

from collections.abc import Iterable
from functools import lru_cache

# name: (what happens, how many such parts, the part meant by the name alone; None = all)
FAULTS: dict[str, tuple[str, int, int | None]] = {
    "fan_stopped": ("a fan's rotor jams", 4, 0),
    "fan_slow": ("a fan turns at 60 % of its speed", 4, 0),
    "tach_dead": ("a fan turns and its tach line says nothing", 4, 0),
    "tach_doubled": ("a fan's tach line pulses twice as often as it should", 4, 0),
    "tach_noisy": ("a fan's tach line has 40 pulses a second too many", 4, 0),
    "recirculation": ("40 % of the hot air comes in again", 1, 0),
    "sensor_lost": ("a thermometer no longer acknowledges", 6, 1),
    "sensor_stuck": ("a thermometer goes on saying what it last said", 6, 1),
    "sensor_spike": ("a thermometer says 127.9 C every fourth time", 6, 1),
    "sensor_high": ("a thermometer says 127.88 C", 6, 1),
    "sensor_zero": ("a thermometer says 0 C", 6, 1),
    "sensor_minus_one": ("a thermometer says -1 C", 6, 1),
    "sensor_ones": ("a thermometer's bits all read 1", 6, 1),
    "i2c_stuck": ("an I2C bus is held low: 0 the sensors', 1 the supply's", 2, None),
    "sda_stuck": (
        "a part holds an I2C bus's data line low until it has been clocked nine times",
        2,
        None,
    ),
    "psu_off": ("the supply has no mains: no volts, no answers", 1, 0),
    "psu_fault": ("the supply switches itself off, too hot, until switched off and on", 1, 0),
    "psu_ocp": (
        "the supply trips on over-current, and stays off until it was left off for 30 s",
        1,
        0,
    ),
    "psu_stays_on": ("the supply gives its volts whatever it is told", 1, 0),
    "psu_status_lies": ("STATUS_WORD says 0x0840, off and not good, while all is well", 1, 0),
    "psu_reads_low": ("the supply reports 15 % less power than flows", 1, 0),
    "psu_power_unread": ("the supply reports 0 W at any load", 1, 0),
    "mains_sag": ("the mains sag to 172 V: volts give way at full load", 1, 0),
    "brown_out": ("the mains fall to 120 V: the supply answers, its output is off", 1, 0),
    "chip_missing": ("a board's chain is broken behind its 40th chip", 3, 0),
    "chip_lost": ("a board's 20th chip is dead; the others behind it are not", 3, 0),
    "uart_noise": ("a chain's UART has noise for 0.1 s of every second, both ways", 3, 0),
    "board_dead": ("a board takes no power and says nothing", 3, 0),
    "board_stays_on": ("a board keeps its power and goes on, whatever its lines say", 3, 0),
    "board_never_wakes": ("a board that has been switched off stays off", 3, 0),
}


@lru_cache(maxsize=256)
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

    def one_by_one(self) -> frozenset[str]:
        """Every fault that is on with its part's number, also where none was given."""
        return frozenset(f"{name}:{n}" for name, hit in map(parse, tuple(self)) for n in hit)

    def hit(self, name: str) -> frozenset[int]:
        """The parts this kind of fault is on now."""
        parts: frozenset[int] = frozenset()
        for fault in tuple(self):
            kind, hit = parse(fault)
            if kind == name:
                parts |= hit
        return parts
