"""The probe: its line's frames, its chips' images, and the real firmware on parts behind it."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.boards import s21pro
from hil.bench import Bench
from hil.boards import files, probe_link
from hil.boards.copper import Copper, Memory
from hil.boards.probe_link import ProbeLink
from hil.boards.probed_rig import ProbedRig
from hil.boards.serial_board import SerialBoard
from hil.boards.terminal_rig import TerminalRig
from hil.link import shared_loop
from hil.machines import S21_PRO
from hil.plant import Plant
from hil.probe import frames, pins
from hil.probe.frames import Receiver, frame
from hil.rig import settings
from hil.wiring import Wiring

WAITING = "waiting for a bench"
ROOT = Path(__file__).parents[2]

# ---- the line


def test_a_frame_as_it_is_on_the_line():
    sent = frame(frames.TACH, 38, b"\xc6\x00")
    assert sent == bytes.fromhex("a7 04 26 0200 c600") + sent[-2:]
    assert Receiver().feed(sent) == [(frames.TACH, 38, b"\xc6\x00")]
    with pytest.raises(ValueError, match="513 bytes in one frame; at most 512"):
        frame(frames.SERIAL, 0, bytes(513))


some_frames = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40)), max_size=6
)


@given(some_frames, st.lists(st.integers(1, 20), max_size=40))
def test_frames_arrive_however_the_bytes_are_cut(said, cuts):
    line = b"".join(frame(*one) for one in said)
    receiver, heard = Receiver(), []
    for size in [*cuts, len(line)]:
        heard += receiver.feed(line[:size])
        line = line[size:]
    assert heard == said and receiver.dropped == 0


@given(some_frames, st.binary(max_size=30), st.binary(max_size=30))
def test_noise_costs_no_frame_that_follows_it_whole(said, before, after):
    """Noise may look like the head of a frame, and is over with the longest frame at the latest."""
    receiver = Receiver()
    heard = receiver.feed(before + b"".join(frame(*one) for one in said) + after)
    heard += receiver.feed(bytes(frames.PAYLOAD_MAX + 16))
    heard += receiver.feed(frame(frames.BEAT))
    assert heard[-1] == (frames.BEAT, 0, b"")
    if frames.SYNC not in before:
        assert heard[: len(said)] == said and receiver.dropped >= len(before)


@given(st.binary(max_size=2000))
def test_any_bytes_are_survived_and_not_kept(noise):
    receiver = Receiver()
    for at in range(0, len(noise), 100):
        receiver.feed(noise[at : at + 100])
        assert len(receiver._held) <= frames.PAYLOAD_MAX + 7


@pytest.mark.parametrize("at", range(9))
def test_a_byte_that_is_changed_on_the_way_is_noticed(at):
    sent = bytearray(frame(frames.IMAGE, 0, b"\x00\x19"))
    sent[at] ^= 0x04
    assert Receiver().feed(bytes(sent) + bytes(600)) == []


# ---- images of chips


def test_what_a_part_answers_fits_a_memory():
    for part in probe_link.PARTS:
        assert probe_link.overlapping(part) == []
    two = probe_link.Part(0, 0x58, reads=((0x8B, 3), (0x8D, 3)), writes=())
    assert probe_link.overlapping(two) == [0x8D]


def test_an_i2c_target_answers_from_where_it_was_pointed():
    memory = Memory(0x49, bytearray(b"\x19\x80\x60" + bytes(253)))
    assert memory.transfer(b"\x00", 2) == (b"", b"\x19\x80")
    assert memory.transfer(b"", 1) == (b"", b"\x60"), "goes on where it was"
    assert memory.transfer(b"\x01\x20", 0) == (b"\x20", b"")
    assert memory.transfer(b"\x00", 3) == (b"", b"\x19\x20\x60")
    assert memory.transfer(b"\xff", 2) == (b"", b"\x00\x19"), "and wraps around"


# ---- wires


def test_every_wire_of_the_rig_ends_at_the_probe_at_the_same_pin():
    assert [(n, rx, tx) for n, tx, rx in pins.UARTS] == [b[:3] for b in s21pro.BOARDS]
    assert [s21pro.SENSOR_BUS[:3], s21pro.SUPPLY_BUS[:3]] == list(pins.BUSES)
    enable_reset = [pin for board in s21pro.BOARDS for pin in board[3:]]
    assert sorted(pins.LEVELS) == sorted([*enable_reset, s21pro.HASH_POWER_PIN])
    assert (pins.DUTY, pins.TACHS) == (s21pro.FAN_PWM_PIN, s21pro.FAN_TACH_PINS)


def test_the_wiring_table_is_true():
    page = (ROOT / "hil" / "README.md").read_text()
    table = page.split("| wire | pins | who drives it |")[1].split("\n\n")[0]
    named = {int(pin) for cell in re.findall(r"\|([^|]+)\|[^|]+\|\n", table + "\n")
             for pin in re.findall(r"\b\d+\b", cell)}  # fmt: skip
    all_pins = {p for wires in (*pins.UARTS, *pins.BUSES) for p in wires[1:]}
    assert named == all_pins | {*pins.LEVELS, pins.DUTY, *pins.TACHS}


# ---- the whole way


def test_the_firmware_runs_on_parts_behind_a_probe(tmp_path):
    """Waking: UARTs and both I2C writes; holding: reads; a jammed fan: tachs; all by the probe."""
    with Bench(tmp_path) as bench:
        desk = ProbedRig(bench, "probed")
        site, hands, plant = bench.site, desk.hands, desk.plant
        heard = site.heard("probed")
        bench.run_until(lambda: heard.joined, 20, "joined")
        assert not plant.supply.enabled and min(fan.rpm for fan in hands.wiring.fans) > 1500
        site.level(1)
        first_w = heard.hello["points"][0][0]
        bench.run_until(lambda: abs(plant.wall_w / first_w - 1) < 0.03, 20, "level 1")
        assert plant.supply.command_v == 11.9, "written through the probe"
        assert [chain.baud for chain in hands.wiring.chains] == [3_125_000] * 3
        hands.wiring.faults.add("fan_stopped:2")
        bench.run_until(lambda: plant.supply.volts < 1, 4, "a stopped fan cuts hash power")
        bench.run_until(lambda: "fan-stopped" in heard.codes, 2, "and is told")
        assert abs(heard.state["power_w"] / first_w - 1) < 0.06, "read through the probe"
        assert (hands.dropped, hands.hellos, hands.strange) == (0, 1, "")


def test_a_part_that_dies_leaves_the_bus(tmp_path):
    with Bench(tmp_path) as bench:
        desk = ProbedRig(bench, "probed")
        bench.run_until(lambda: 0 in desk.copper.probe.memories, 5, "a thermometer")
        desk.hands.wiring.faults.add("sensor_lost:1")
        bench.run_until(lambda: 0 not in desk.copper.probe.memories, 1, "it is off the bus")
        assert 1 in desk.copper.probe.memories, "the supply is still there"
        desk.hands.wiring.faults.clear()
        bench.run_until(lambda: 0 in desk.copper.probe.memories, 1, "back again")


@pytest.mark.real_time
def test_on_its_own_console_a_probe_begins_and_lets_go(tmp_path):
    """The line is the prompt's: copied and started by the same port the frames then take."""
    loop = shared_loop()
    wiring = Wiring(Plant(S21_PRO), "chips", loop.time, loop.call_at)
    copper = Copper(loop.time, [(part.bus, part.address) for part in probe_link.PARTS], wiring.i2c)
    config = settings("bench", "probe", "127.0.0.1", 1883, bytes(32))
    with TerminalRig(tmp_path, config, copper.probe) as probe:
        # the unix port's Ctrl-C comes from the terminal, so that is what has to be told
        raw = "import termios\ntermios.setraw(0)\n"
        with SerialBoard(probe.port) as board:
            board.put(files.of_probe(raw + files.PROBE_MAIN))
            board.restart()
            assert WAITING in board.console(20, until=WAITING)
        link = ProbeLink(probe.port, wiring, loop)
        until(lambda: set(copper.probe.memories) == {0, 1}, "both parts on their buses")
        until(lambda: copper.probe.pwms.keys() == set(pins.TACHS), "fans that turn")
        assert copper.rig.i2c(0, 0x49, b"\x00", 2) == (0, b"\x19\x00"), "25 C, from its memory"
        link.close()
        until(lambda: not copper.probe.memories and not copper.probe.pwms, "it lets go")
        assert link.hands.dropped <= 2, "no more than the end of the prompt's line"


def until(true, what):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, f"not within 20 s: {what}"
        time.sleep(0.01)
