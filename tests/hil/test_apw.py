"""A virtual APW answers byte by byte, late, and as the recorded ones did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.chips.apw import WATCHDOG_S, Apw
from hil.chips.apw_eeprom import crc16_modbus
from hil.machines import S19_XP, S19J_PRO
from hil.plant import Plant
from protocols import apw

SOON, LATER = 0.1, 0.4


def supply(kind: int = 0x71) -> tuple[Plant, Apw]:
    plant = Plant(S19J_PRO)
    return plant, Apw(plant, kind)


def send(psu: Apw, request: bytes, now_s: float, port: int = apw.PORT) -> None:
    for byte in request:
        assert psu.write(bytes((port, byte)), now_s)


def fetch(psu: Apw, size: int, now_s: float, port: int = apw.PORT) -> bytes:
    data = b""
    for _ in range(size):
        assert psu.write(bytes((port,)), now_s)
        data += psu.read(1, now_s)
    return data


def ask(psu: Apw, command: int, data: bytes = b"", now_s: float = 0.0, version: int = 1) -> bytes:
    send(psu, apw.frame(command, data, version), now_s)
    asked = data[version] if command == apw.READ_EEPROM else 0
    size = apw.reply_size(command, version, asked)
    said, reply = apw.decoded(fetch(psu, size, now_s + LATER), version)
    assert said == command
    return reply


def run(plant: Plant, psu: Apw, seconds: float, now_s: float = 0.0) -> None:
    for n in range(round(seconds / 0.05)):
        plant.step(0.05, [3000.0] * 4)
        psu.look(now_s + n * 0.05)


@pytest.mark.parametrize("port", [apw.PORT, apw.OLD_PORT])
def test_captured_requests_get_the_captured_replies(port):
    _, psu = supply()
    for request, reply in (
        ("55AA04010500", "55AA060106000D00"),
        ("55AA04020600", "55AA060271007900"),
        ("55AA04050900", "55AA060500000B00"),
        ("55AA0683A7003001", "55AA0683A7003001"),
        ("55AA04030700", "55AA0603A700B000"),
        ("55AA068100008700", "55AA068100008700"),
    ):
        send(psu, bytes.fromhex(request), 0.0, port)
        assert fetch(psu, len(reply) // 2, LATER, port) == bytes.fromhex(reply)


def test_the_two_ways_a_host_finds_the_port():
    _, psu = supply()
    assert fetch(psu, 1, 0.0, apw.OLD_PORT) == b"\xf5"
    send(psu, b"\xf5", 0.0)
    assert fetch(psu, 1, 0.0) == b"\xf5" and fetch(psu, 1, 0.0) == b"\xff"


def test_read_too_soon_it_gives_what_was_there_before():
    _, psu = supply()
    send(psu, apw.frame(apw.TYPE), 0.0)
    assert fetch(psu, 8, SOON) == b"\xff" * 8
    send(psu, apw.frame(apw.FIRMWARE), 1.0)
    assert fetch(psu, 8, 1.0 + SOON) == apw.frame(apw.TYPE, b"\x71\0"), "stale, and a good frame"
    assert fetch(psu, 8, 1.0 + LATER) == apw.frame(apw.FIRMWARE, b"\6\0")


def test_volts_follow_the_set_point_once_the_wire_is_low():
    plant, psu = supply()
    run(plant, psu, 1.0)
    assert plant.supply.volts == 0
    psu.enable(True)
    run(plant, psu, 1.0)
    assert plant.supply.volts == pytest.approx(15.12), "the most, until it is told"
    ask(psu, apw.SET_VOLTAGE, bytes((apw.n_of(13_000, 0x71), 0)))
    run(plant, psu, 3.0)
    assert plant.supply.volts == pytest.approx(13.0, abs=0.013)
    count = apw.word(ask(psu, apw.MEASURED))
    assert apw.sampled_mv(count, 0x71) == pytest.approx(13_003, abs=10)
    assert ask(psu, apw.ENABLED) == b"\1\0"


def test_a_set_point_beyond_its_range_gives_the_nearest_it_can():
    plant, psu = supply()
    ask(psu, apw.SET_VOLTAGE, b"\0\0")
    assert plant.supply.command_v == 15.12
    ask(psu, apw.SET_VOLTAGE, b"\xff\0")
    assert plant.supply.command_v == 11.96


def test_a_starved_watchdog_takes_the_volts():
    plant, psu = supply()
    psu.enable(True)
    ask(psu, apw.WATCHDOG, b"\1\0", 0.0)
    psu.look(WATCHDOG_S - 1)
    assert plant.supply.enabled
    psu.look(WATCHDOG_S + 1)
    assert not plant.supply.enabled
    ask(psu, apw.WATCHDOG, b"\1\0", WATCHDOG_S + 2)
    assert plant.supply.enabled
    ask(psu, apw.WATCHDOG, b"\0\0", WATCHDOG_S + 3)
    psu.look(10 * WATCHDOG_S)
    assert plant.supply.enabled


def test_version_2_says_volts_themselves():
    plant = Plant(S19_XP)
    psu = Apw(plant, 0x6A)
    psu.enable(True)
    send(psu, apw.frame(apw.TYPE), 0.0)
    assert fetch(psu, 8, LATER) == b"\xff" * 8, "a request of version 1"
    assert ask(psu, apw.TYPE, version=2) == b"\x6a\0"
    assert ask(psu, apw.SET_VOLTAGE, apw.volts(13_600), version=2) == apw.volts(13_600)
    run(plant, psu, 2.0)
    assert apw.milli(ask(psu, apw.MEASURED, version=2)) == 13_600
    assert apw.milli(ask(psu, apw.GET_VOLTAGE, version=2)) == 13_600
    assert len(ask(psu, apw.ERROR_DATA, version=2)) == 68


def test_an_overload_waits_thirty_seconds_to_be_forgotten():
    plant, psu = supply(0xC1)
    psu.enable(True)
    run(plant, psu, 1.0)
    for load in plant.loads:
        load.on, load.mhz, load.working, load.hashing = True, 1100.0, 1.0, 1.0
    run(plant, psu, 0.5)
    assert plant.supply.latched and ask(psu, apw.STATUS)[0] == 1
    for load in plant.loads:
        load.on = False
    for off_s, latched in ((10, True), (25, True), (31, False)):
        psu.enable(False)
        run(plant, psu, off_s)
        psu.enable(True)
        run(plant, psu, 1.0)
        assert bool(plant.supply.latched) == latched, off_s
    assert plant.supply.volts > 12


@pytest.mark.parametrize("kind, at", [(0x71, 0x40), (0xC1, 0x00)])
def test_its_eeprom_has_a_good_checksum(kind, at):
    _, psu = supply(kind)
    reply = ask(psu, apw.READ_EEPROM, bytes((at, 32)))
    assert reply[0] == 32 and len(reply) == 33
    assert crc16_modbus(reply[1:]) == 0, "over the whole, checksum included"
    assert crc16_modbus(b"123456789") == 0x4B37


def test_without_mains_nobody_acknowledges():
    plant, psu = supply()
    plant.supply.mains_v = 0.0
    assert not psu.write(b"\x11\x55") and psu.read(1) is None


@pytest.mark.parametrize("kind", [0x41, 0x71, 0x76, 0xC1, 0x62, 0x6A])
@given(
    said=st.lists(
        st.binary(max_size=3)
        | st.sampled_from(
            [bytes((0x11, byte)) for byte in apw.frame(apw.SET_VOLTAGE, b"\x20\0")]
            + [b"\x11\x55", b"\x11\xaa", b"\x00\xf5"]
        ),
        max_size=60,
    )
)
def test_any_bytes_do_no_harm(kind, said):
    plant = Plant(S19J_PRO)
    psu = Apw(plant, kind)
    low_mv, high_mv = psu._range_mv()
    for n, data in enumerate(said):
        assert psu.write(data, n * 0.1)
        assert len(psu.read(n % 5, n * 0.1)) == n % 5
        psu.look(n)
        assert low_mv <= plant.supply.command_v * 1000 <= high_mv
    assert len(psu.port._heard) <= apw.SIZE_MAX and len(psu.port._reply) <= apw.SIZE_MAX
