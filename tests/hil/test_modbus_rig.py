"""The real firmware as a Modbus device: on its line in virtual time, and before foreign masters."""

import random
import shutil
import subprocess
import time

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from hil.bench import CHIP_HEAP, Bench
from hil.rig import VirtualRig, settings
from hil.rs485 import Pty
from protocols import blackbox, modbus, registers
from protocols.blackbox_reading import read
from supervisor.nats import free_port
from supervisor.sources import rigs_modbus

UNIT, UART = 7, 2
LINE = {"obeys": "modbus", "modbus_unit": UNIT}
KEY = bytes(range(32))


class Master:
    """Raw frames on the line of a rig in virtual time."""

    def __init__(self, folder, **changed):
        self.bench = Bench(folder, seed=3)
        self.rig = self.bench.rig(
            "rig-1", board="s21pro_line", heap=CHIP_HEAP, changed=LINE | changed
        )
        self.answers = []
        self.rig.wiring.line.heard = self.answers.append
        self.bench.run(3)

    def say(self, frame):
        self.rig.noise(UART, frame)

    def ask(self, pdu, unit=UNIT):
        self.answers.clear()
        self.say(modbus.rtu(unit, pdu))
        self.bench.run(0.3)
        return b"".join(self.answers)

    def read(self, address, count):
        frame = self.ask(b"\3" + address.to_bytes(2, "big") + count.to_bytes(2, "big"))
        assert frame[:3] == bytes((UNIT, 3, 2 * count)) and modbus.crc(frame[:-2]) == frame[-2:]
        return [int.from_bytes(frame[at : at + 2], "big") for at in range(3, 3 + 2 * count, 2)]

    def state(self):
        return registers.named(100, self.read(100, 74))

    def limit(self, watts, ttl_ms=3_000, unit=UNIT):
        words = registers.limit_words(watts, ttl_ms)
        data = b"".join(word.to_bytes(2, "big") for word in words)
        return self.ask(
            b"\x10" + registers.LIMIT_ADDRESS.to_bytes(2, "big") + b"\0\3\6" + data, unit
        )


@pytest.fixture
def master(tmp_path):
    made = Master(tmp_path)
    yield made
    made.bench.close()


def test_it_serves_what_the_supervisor_polls(master):
    words = [master.read(*block) for block in (rigs_modbus.IDENTITY, rigs_modbus.POINTS)]
    hello = rigs_modbus.hello_of(*words)
    assert (hello["boards"], hello["chips"], len(hello["points"])) == (2, 130, 8)
    assert not any(master.read(*rigs_modbus.MORE)) and hello["model"].endswith("RS-485")
    state = registers.named(rigs_modbus.STATE[0], master.read(*rigs_modbus.STATE))
    assert state["state"] == "joining" and state["why"] == "waiting for a limit"
    assert state["inlet_dc"] == pytest.approx(250, abs=5) and state["event"] >= 1


def test_a_limit_is_a_lease(master):
    first_w = registers.named(200, master.read(200, 4))["point_1"][0]
    assert master.limit(first_w + 100)[1:2] == b"\x10" and master.read(400, 3)[1] == first_w + 100
    for _ in range(8):
        master.limit(first_w + 100)
        master.bench.run(2)
    state = master.state()
    assert state["state"] == "running" and state["power_w"] == pytest.approx(
        first_w + 100, rel=0.03
    )
    assert master.rig.wiring.line.lost == 0, "every byte while the driver was on"
    master.limit(first_w - 1)
    assert master.rig.board_w == 0, "below the first point is asleep"
    for _ in range(8):
        master.limit(first_w)
        master.bench.run(2)
    assert master.rig.board_w > 0
    master.limit(first_w, 2_000)
    wait_s = master.bench.run_until(lambda: master.rig.board_w == 0, 5, "the limit ended")
    assert 1.5 <= wait_s <= 2.1
    assert master.state()["why"] == "the limit was not renewed" and master.state()["lease_ms"] == 0


def test_what_is_said_to_others_to_all_and_in_vain(master):
    assert master.ask(b"\3\0\0\0\1", unit=UNIT + 1) == b""
    assert master.limit(3_000, unit=modbus.EVERYBODY) == b"" and master.read(400, 2)[1] == 3_000
    assert master.ask(b"\3\0\1\0\x40")[1:3] == b"\x83\x02", "no register ends there"
    assert master.ask(b"\6\x01\x91\x0b\xb8")[1:3] == b"\x86\x02", "a limit without its lease"
    assert master.ask(b"\x11")[1:3] == b"\x91\x01"
    assert master.limit(100_000, 10_000)[1:2] == b"\x10"
    garbage = random.Random(5)
    for _ in range(50):
        master.say(garbage.randbytes(garbage.randint(1, 300)))
        master.bench.run(0.05)
    assert master.read(0, 1) == [registers.MAP_VERSION]


def test_a_setting_over_modbus(master):
    def ask(line):
        words = registers.encode("ask", line)
        data = b"".join(word.to_bytes(2, "big") for word in words)
        assert master.ask(b"\x10\x01\xf4\0\x3c\x78" + data)[1:2] == b"\x10"
        return registers.named(500, master.read(500, 120))

    assert ask("set state_ms=20000") == {"ask": "", "told": "state_ms: holds"}
    assert ask("get state_ms")["told"] == "state_ms=20000 ms"
    assert "from 1000 to 60000" in ask("set state_ms=1")["told"]
    assert ask("set rig_key=00")["told"].startswith("refused: rig_key: 32 bytes")
    assert ask("set wifi_name=x")["told"].startswith("refused: only at the rig")
    assert ask("locate")["told"] == "located for 60 s" and master.bench.run(0.2) is None
    assert master.state()["state"] == "joining"


def test_a_black_box_is_a_file_of_records(master):
    master.rig.faults.add("fan_stopped:1")
    master.bench.run(20)
    raw = b""
    while not raw or any(raw[-240:]):
        at = (len(raw) // 2).to_bytes(2, "big")
        frame = master.ask(b"\x14\7\6\0\1" + at + b"\0\x78")
        raw += frame[5:-2]
    head = blackbox.HEAD_SIZE + 4
    blocks = -(-(len(raw.rstrip(b"\0")) - head) // blackbox.BLOCK)
    whole = head + blocks * blackbox.BLOCK
    box = read(raw[:whole])
    assert box.why == "fan-stopped" and box.rows[-1][1]["fan_rpm"] == 0
    assert master.ask(b"\x14\7\6\0\2\0\0\0\x10")[1:3] == b"\x94\x02", "no such box"


def test_in_a_fault_no_limit_wakes_it(master):
    master.rig.faults.add("fan_stopped:1")
    master.bench.run(3)
    for _ in range(5):
        master.limit(3_000)
        master.bench.run(1)
    state = master.state()
    assert state["state"] == "fault" and "fan-stopped" in state["why"] and master.rig.board_w == 0


def test_a_rig_that_obeys_over_mqtt_is_read_and_not_limited(tmp_path):
    master = Master(tmp_path, obeys="mqtt")
    with master.bench as bench:
        heard = bench.site.heard("rig-1")
        bench.run_until(lambda: heard.joined, 10, "joined")
        bench.site.level(1)
        bench.run_until(lambda: heard.state["level"] == 1, 30, "level 1")
        assert master.limit(0)[1:3] == b"\x90\x02" and master.state()["level"] == 1
        assert master.rig.board_w > 0


# ---- foreign masters, in real time


def wait_for(true, within_s=20):
    until_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until_s, "not in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """(path of its serial line, its TCP port)."""
    port = free_port("127.0.0.1")
    config = settings("bench", "rig-real", "127.0.0.1", 1, KEY) | LINE
    config |= {"board": "s21pro_line", "modbus_port": port}
    rig = VirtualRig(tmp_path_factory.mktemp("real"), config)
    pty = Pty(rig._loop, lambda data: rig.wiring.push(UART, data))
    rig.wiring.line.heard = pty.say
    with rig:
        wait_for(lambda: rig.wiring.watchdog_ms)  # its loops run
        yield pty.path, port
    pty.close()


def clients(real):
    path, port = real
    yield ModbusSerialClient(path, baudrate=19_200, parity="N", timeout=5, retries=3)
    yield ModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=3)


@pytest.mark.real_time
@pytest.mark.timeout(120)
def test_pymodbus_on_the_line_and_over_tcp(real):
    for client in clients(real):
        wait_for(client.connect)
        words = client.read_holding_registers(0, count=48, device_id=UNIT).registers
        assert registers.named(0, words)["chips"] == 130
        watts, ttl_ms = 900, 60_000
        done = client.write_registers(400, registers.limit_words(watts, ttl_ms), device_id=UNIT)
        assert not done.isError()
        read = client.read_input_registers(400, count=3, device_id=UNIT).registers
        assert registers.named(400, read)["limit_w"] == watts and 0 < read[2] <= ttl_ms // 10
        refused = client.write_register(401, 5, device_id=UNIT)
        assert refused.isError() and refused.exception_code == registers.NO_REGISTER
        client.close()


def mbpoll(*args):
    return subprocess.run(
        ["mbpoll", "-0", "-o", "5", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    ).stdout


@pytest.mark.real_time
@pytest.mark.timeout(120)
@pytest.mark.skipif(not shutil.which("mbpoll"), reason="needs mbpoll (Debian's package mbpoll)")
def test_mbpoll_on_the_line_and_over_tcp(real):
    path, port = real
    unit = ("-t", "4", "-a", str(UNIT))
    ways = (
        ("-m", "rtu", "-b", "19200", "-P", "none", *unit, path),
        ("-m", "tcp", "-p", str(port), *unit, "127.0.0.1"),
    )
    for way in ways:
        # a starved machine may answer later than mbpoll waits: asked again, which changes nothing
        asked = (
            (("-r", "0", "-c", "4", "-1", *way), "[2]: \t130"),
            (("-r", "400", *way, "0", "900", "6000"), "Written 3 references"),
            (("-r", "400", "-c", "3", "-1", *way), "[401]: \t900"),
            (("-r", "401", *way, "900"), "Illegal data address"),
        )
        for arguments, answer in asked:
            wait_for(lambda arguments=arguments, answer=answer: answer in mbpoll(*arguments))
