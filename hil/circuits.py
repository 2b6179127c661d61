"""Which pin and which address reaches which part, board by board.

Pins and addresses repeat firmware/boards/ on purpose: this is what is there, that is
what the firmware believes about it.  A board without a file there is for tests by raw frames.
"""

from dataclasses import dataclass, replace

from hil.machines import S19_XP, S19J_PRO, S19K_PRO, S21_PRO, Model


@dataclass(frozen=True, slots=True)
class Circuit:
    model: Model
    enable_pins: tuple[int, ...] = (4, 5, 6)  # of each board; () where a PIC does it
    reset_pins: tuple[int, ...] = (7, 8, 9)  # low: held in reset
    hash_power_pin: int = 10
    hash_power_on: int = 1  # the level that lets the supply give its volts
    led_pin: int = 3  # a WS2812
    button_pin: int = 0  # pulls down
    fan_pin: int = 21
    tach_pins: tuple[int, ...] = (38, 39, 40, 41)
    scl_pins: tuple[int, ...] = (48, 2)  # of each I2C bus
    sda_pins: tuple[int, ...] = (47, 1)
    sensor_bus: int = 0
    sensors: str = "tmp75"
    sensor_address: int = 0x48  # then one after the other: inlet and outlet of each board
    supply: str = "pmbus"  # or "apw-" and the type, in hexadecimal
    supply_bus: int = 1
    supply_address: int = 0x58
    pic_address: int = 0  # of the first board; one after the other; 0: none
    eeprom_address: int = 0x50  # of the first board, on the sensors' bus
    fan_controller: int = 0  # an EMC2305's address there, which then drives the fans; 0: none
    monitor: int = 0  # an INA238's, which sees the boards' rail; 0: none
    line_uart: int | None = None  # RS-485
    line_pin: int | None = None  # turns its driver round; high sends


_ANTMINER = {"enable_pins": (), "hash_power_on": 0, "supply_address": 0x10, "pic_address": 0x20}
CIRCUITS = {
    "s21pro": Circuit(S21_PRO),
    "s21pro_line": Circuit(
        replace(S21_PRO, boards=2),
        enable_pins=(4, 5),
        reset_pins=(7, 8),
        line_uart=2,
        line_pin=6,
    ),
    "s19kpro": Circuit(S19K_PRO),
    "s19jpro": Circuit(S19J_PRO, sensors="lm75a", supply="apw-75", **_ANTMINER),  # type: ignore[arg-type]
    "s19xp": Circuit(S19_XP, supply="apw-76", fan_controller=0x2F, monitor=0x40, **_ANTMINER),  # type: ignore[arg-type]
}


def of(model: Model) -> Circuit:
    """The circuit of a machine.  Raises KeyError for one nobody has wired."""
    for circuit in CIRCUITS.values():
        if circuit.model is model:
            return circuit
    raise KeyError(f"no board is wired for a machine of {model.chips} BM{model.chip}")
