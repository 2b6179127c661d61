"""The virtual machine module under MicroPython itself, by small programs on it."""

import json
import time
from pathlib import Path

import pytest

from hil.rig import SOFTWARE, VirtualRig, settings

pytestmark = pytest.mark.real_time
CONFIG = settings("bench", "rig-v", "127.0.0.1", 1, bytes(32))

BUSES = """
import json, machine, struct, time
from machine import I2C, PWM, UART, Counter, Pin

out = {"cause": machine.reset_cause(), "id": len(machine.unique_id())}
sensors = I2C(0, scl=Pin(48), sda=Pin(47), freq=100_000)
supply = I2C(1, scl=Pin(2), sda=Pin(1), freq=100_000)
out["sensors"], out["supply"] = sensors.scan(), supply.scan()
out["inlet"] = sensors.readfrom_mem(0x48, 0, 2).hex()
sensors.writeto(0x48, b"\\x01", False)
out["config"] = sensors.readfrom(0x48, 1).hex()
try:
    sensors.readfrom_mem(0x20, 0, 2)
except OSError as error:
    out["nobody"] = error.errno
power, enable, reset = Pin(10, Pin.OUT, value=1), Pin(5, Pin.OUT, value=1), Pin(8, Pin.OUT, value=1)
time.sleep_ms(500)
uart = UART(1, baudrate=115200, tx=Pin(15), rx=Pin(16), rxbuf=100)
uart.write(b"\\x55\\xaa\\x52\\x05\\x00\\x00\\x0a")
out["sent"] = uart.txdone()
uart.flush()
out["flushed"] = uart.txdone()
out["early"] = uart.any()
time.sleep_ms(120)
out["kept"], out["first"] = uart.any(), uart.read(9).hex()
uart.init(baudrate=115200)
out["after init"] = uart.read()
fans = PWM(Pin(21), freq=25_000, duty_u16=0)
out["duty"] = fans.duty_u16()
tach = Counter(0, Pin(38))
time.sleep_ms(100)
out["pulses"] = tach.value(0)
out["level"] = enable(), Pin(30, Pin.IN).value()
print(json.dumps(out))
"""

RESETS = """
import machine, time
if machine.reset_cause() == machine.PWRON_RESET:
    machine.reset()
if machine.reset_cause() == machine.SOFT_RESET:
    machine.Pin(10, machine.Pin.OUT, value=1)
    machine.WDT(timeout=200)
    while True:
        time.sleep_ms(10)
print("bitten")
"""


def until(true, seconds=10.0):
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + seconds
        time.sleep(0.01)


def test_what_a_program_finds_on_its_pins(tmp_path):
    with VirtualRig(tmp_path, CONFIG, program=BUSES) as rig:
        until(lambda: "\n" in rig.log_text())
        out = json.loads(rig.log_text())
        assert (out["cause"], out["id"], out["nobody"]) == (1, 6, 19)
        thermometers, eeproms = [72, 73, 74, 75, 76, 77], [80, 81, 82]
        assert out["sensors"] == thermometers + eeproms and out["supply"] == [0x58]
        assert (out["inlet"], out["config"]) == ("1900", "60")
        assert (out["sent"], out["flushed"], out["early"]) == (False, True, 0)
        # 585 bytes came; a receive buffer of 100 keeps no more
        assert out["kept"] == 100 and out["first"] == "aa55137000000000" + "06"
        assert out["after init"] is None and out["duty"] == 0
        assert 5 < out["pulses"] < 40 and out["level"] == [1, 0]
        rig.kill()
        until(lambda: rig.wiring.pins == {} and rig.wiring.fan_duty == 1.0)


def test_a_reset_and_a_watchdog_start_it_again(tmp_path):
    with VirtualRig(tmp_path, CONFIG, program=RESETS) as rig:
        until(lambda: "bitten" in rig.log_text())
        assert rig.resets == [1, SOFTWARE, 3]
        assert rig.wiring.pins == {} and rig.alive


def test_a_board_whose_bench_is_gone_ends(tmp_path):
    rig = VirtualRig(tmp_path, CONFIG, program="")
    rig.start()
    process = rig._process
    rig._loop.call_soon_threadsafe(rig._link.close)
    until(lambda: process.poll() is not None)
    rig.close()


def test_a_program_that_fails_says_why_and_stays(tmp_path):
    with VirtualRig(tmp_path, CONFIG, program="raise ValueError('cold')") as rig:
        until(lambda: "ValueError: cold" in rig.log_text())
        assert rig.alive


def test_settings_hold_the_rigs_keys_and_not_the_sites(tmp_path):
    key = b"site key" * 4
    rig = VirtualRig(tmp_path, settings("bench", "rig-v", "127.0.0.1", 1, key))
    text = Path(rig.flash / "settings.json").read_text()
    assert key.hex() not in text and json.loads(text)["rig"] == "rig-v"
    with pytest.raises(ValueError, match="Rig"):
        VirtualRig(tmp_path, settings("bench", "Rig", "127.0.0.1", 1, key))
