"""The parts of a rig, made new: what its circuit lists, for the plant's machine, from its name."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from hil.chips.apw import Apw
from hil.chips.at24c import At24c
from hil.chips.bm13xx import Chain
from hil.chips.board_pic import BoardPic
from hil.chips.fan import Fan
from hil.chips.fan_controllers import Emc2305
from hil.chips.i2c import Part
from hil.chips.ina import Ina238
from hil.chips.pmbus_psu import PmbusPsu
from hil.chips.tmp75 import Tmp75
from hil.circuits import Circuit
from hil.plant import Plant
from protocols.identity import Identity, encoded

SHUNT_UOHM = 100  # 300 A make 30 mV of it


@dataclass(frozen=True, slots=True)
class Parts:
    chains: list[Chain]
    fans: list[Fan]
    psu: PmbusPsu | Apw
    sensors: list[Tmp75]
    eeproms: list[At24c]
    pics: list[BoardPic]
    fan_controller: Emc2305 | None
    monitor: Ina238 | None

    def on_buses(self, circuit: Circuit) -> dict[tuple[int, int], Part]:
        """Everything on the I2C buses, by bus and address."""
        parts: dict[tuple[int, int], Part] = {
            (circuit.supply_bus, circuit.supply_address): self.psu
        }
        rows: tuple[tuple[int, Sequence[Part]], ...] = (
            (circuit.sensor_address, self.sensors),
            (circuit.eeprom_address, self.eeproms),
            (circuit.pic_address, self.pics),
        )
        for first, row in rows:
            parts |= {(circuit.sensor_bus, first + n): part for n, part in enumerate(row)}
        if self.fan_controller:
            parts[circuit.sensor_bus, circuit.fan_controller] = self.fan_controller
        if self.monitor:
            parts[circuit.sensor_bus, circuit.monitor] = self.monitor
        return parts


def made(plant: Plant, circuit: Circuit, name: str) -> Parts:
    """Parts of one rig: the same name, the same luck."""
    seed, model = zlib.crc32(name.encode()), plant.model
    fans = [Fan(spread, seed + n) for n, spread in enumerate(model.fan_spread)]
    return Parts(
        chains=[Chain(model.chip, model.chips, seed + n) for n in range(model.boards)],
        fans=fans,
        psu=_supply(plant, circuit),
        sensors=[Tmp75(circuit.sensors == "lm75a") for _ in range(2 * model.boards)],
        eeproms=[_eeprom(plant, f"{name}/{n}") for n in range(model.boards)],
        pics=[BoardPic() for _ in range(model.boards if circuit.pic_address else 0)],
        fan_controller=Emc2305(fans) if circuit.fan_controller else None,
        monitor=Ina238(SHUNT_UOHM) if circuit.monitor else None,
    )


def _supply(plant: Plant, circuit: Circuit) -> PmbusPsu | Apw:
    kind, _, of = circuit.supply.partition("-")
    if kind == "apw":
        return Apw(plant, int(of, 16))
    return PmbusPsu(plant, circuit.supply_address)


def _eeprom(plant: Plant, serial: str) -> At24c:
    """A board's identity, as its factory would have written it."""
    model = plant.model
    mv, mhz = model.supply_mv[1] // 10 * 10, round(model.limit_mhz[0])
    chip = f"BM{model.chip}"
    return At24c(
        encoded(Identity(serial[-17:], "ED", chip, 4, 0x011E, 0x0100, "BB", mv, mhz, 9998))
    )
