"""From the faults that are on to what is broken in the parts: the meaning of hil/faults.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil import supply
from hil.chips.tmp75 import SAYS

if TYPE_CHECKING:
    from hil.wiring import Wiring

BROKEN_BEHIND, LOST_CHIP = 40, 19  # chips of a board with chip_missing; the one of chip_lost
RETURNED = 0.4  # of the hot air
MAINS_V = {"mains_sag": 172.0, "brown_out": 120.0, "psu_off": 0.0}
OCP_WAIT_S = 30.0
LYING_STATUS = 0x0840
READS_LOW = 0.85


def break_parts(wiring: Wiring, begun: frozenset[str]) -> None:
    """Every part as broken as the faults say; begun: those that were not on before."""
    _fans(wiring)
    _sensors(wiring)
    _chains(wiring)
    _supply(wiring)
    if "psu_ocp:0" in begun and wiring.plant.supply.enabled:
        wiring.plant.supply.trip(supply.OVER_CURRENT)
    _buses(wiring, begun)
    wiring.plant.recirculation = RETURNED if wiring.faults.hit("recirculation") else 0.0


def _buses(wiring: Wiring, begun: frozenset[str]) -> None:
    on = wiring.faults.hit("sda_stuck")
    wiring.buses.release(on)
    for bus in on:
        if f"sda_stuck:{bus}" in begun:
            wiring.buses.hold(bus)


def keep_broken(wiring: Wiring) -> None:
    """What a fault does again and again, as long as it is on."""
    output = wiring.plant.supply
    if wiring.faults.hit("psu_fault") and output.enabled:
        output.trip(supply.OVER_HEAT)


def _fans(wiring: Wiring) -> None:
    hit = wiring.faults.hit
    for n, fan in enumerate(wiring.fans):
        fan.jammed, fan.slow = n in hit("fan_stopped"), n in hit("fan_slow")
        fan.tach_dead, fan.tach_doubled = n in hit("tach_dead"), n in hit("tach_doubled")
        fan.tach_noisy = n in hit("tach_noisy")


def _sensors(wiring: Wiring) -> None:
    hit = wiring.faults.hit
    for n, sensor in enumerate(wiring.sensors):
        sensor.lost, sensor.stuck = n in hit("sensor_lost"), n in hit("sensor_stuck")
        sensor.spike = n in hit("sensor_spike")
        said = [word for name, word in SAYS.items() if n in hit(f"sensor_{name}")]
        sensor.says = said[0] if said else b""


def _chains(wiring: Wiring) -> None:
    hit = wiring.faults.hit
    for n, chain in enumerate(wiring.chains):
        chain.answering = BROKEN_BEHIND if n in hit("chip_missing") else chain.chips
        chain.lost = frozenset((LOST_CHIP,)) if n in hit("chip_lost") else frozenset()
        chain.line.noisy = n in hit("uart_noise")


def _supply(wiring: Wiring) -> None:
    hit, psu, output = wiring.faults.hit, wiring.psu, wiring.plant.supply
    output.mains_v = min(
        [volts for fault, volts in MAINS_V.items() if hit(fault)], default=supply.NOMINAL_V
    )
    output.latch_wait_s = OCP_WAIT_S if hit("psu_ocp") else wiring.plant.model.latch_wait_s
    psu.stays_on = bool(hit("psu_stays_on"))
    psu.lying_status = LYING_STATUS if hit("psu_status_lies") else 0
    psu.reported = 0.0 if hit("psu_power_unread") else READS_LOW if hit("psu_reads_low") else 1.0
