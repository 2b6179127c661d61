"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import messages, registers
from protocols.registers import NO_REGISTER, NO_VALUE, RegisterError

HELLO = {
    "v": 1,
    "nonce": "0123456789abcdef",
    "model": "S21 Pro",
    "firmware": "0.1.0",
    "boards": 3,
    "chips": 195,
    "floor_w": 25,
    "points": [[900, 79560], [70_000, 234702]],
    "wake_ms": 65_537,
    "up_w_per_s": 1040,
}
STATE = {
    "v": 1,
    "up_ms": 86_400_000,
    "state": "running",
    "level": 2,
    "power_w": 70_000,
    "hash_ghs": 234_702,
    "hot_dc": 653,
    "inlet_dc": -15,
    "fan_rpm": 5940,
    "fan_pm": 920,
    "cap_level": 2,
    "term": 1,
    "seq": 2,
    "epoch": 3,
    "lease_ms": 9_876,
    "id": 4,
    "event": 66_000,
    "why": "inlet 35 °C",
}
VALUES = registers.values_of(HELLO, STATE) | {"ask": "", "told": "located for 60 s"}
# how MQTT is told apart, timed and joined: no sense on a bus with one master
NOT_ON_MODBUS = ("v", "nonce", "points", "up_ms", "term", "seq", "epoch", "id")


def refusal(call, *args):
    """(code, text) of the refusal, or what came instead."""
    try:
        return call(*args)
    except RegisterError as error:
        return error.code, str(error)


def refuses(code, name, call, *args):
    result = refusal(call, *args)
    return isinstance(result, tuple) and result[0] == code and str(name) in result[1]


def test_the_map_word_for_word():
    assert registers.answer(VALUES, 0, 8) == [1, 3, 195, 25, 1, 1, 0, 1040]
    assert registers.answer(VALUES, 8, 24)[:5] == [0x5332, 0x3120, 0x5072, 0x6F00, 0]
    assert registers.answer(VALUES, 32, 16)[:3] == [0x302E, 0x312E, 0x3000]
    assert registers.answer(VALUES, 100, 7) == [3, 2, 2, 1, 4464, 3, 38094]
    assert registers.answer(VALUES, 107, 7) == [653, 0xFFF1, 5940, 920, 987, 1, 464]
    assert registers.answer(VALUES, 114, 60)[0] == 0x696E
    assert registers.answer(VALUES, 200, 12) == [0, 900, 1, 14024, 1, 4464, 3, 38094] + [0] * 4


def test_every_value_comes_back():
    for name in [register.name for register in registers.every()]:
        if name in registers.LIMIT:
            continue
        expected = 9_870 if name == "lease_ms" else VALUES[name]
        assert registers.decode(name, registers.encode(name, VALUES[name])) == expected, name


def test_whole_blocks_come_back():
    for address, count in ((0, 48), (100, 74), (200, 124), (324, 4)):
        words = registers.answer(VALUES, address, count)
        assert len(words) == count <= 125
        for name, value in registers.named(address, words).items():
            assert value == (9_870 if name == "lease_ms" else VALUES[name])


def test_the_same_names_and_ranges_as_the_messages():
    names = [register.name for register in registers.every()]
    for table in (messages.HELLO, messages.STATE):
        for name, field in table.items():
            assert (name in names) == (name not in NOT_ON_MODBUS), name
            if name in names:
                register = registers.find(name)
                assert (register.low, register.high) == (field.low, field.high)
    assert registers.find("ttl_ms").low == messages.BUDGET["ttl_ms"].low
    assert registers.find("point_32").address == 324 and "point_33" not in names


def test_registers_fit_their_words_and_do_not_overlap():
    end = 0
    for register in registers.every():
        assert register.address >= end
        end = register.address + register.words
        if register.kind in (registers.U16, registers.I16, registers.U32):
            signed = register.kind == registers.I16
            bits = 16 * register.words - signed
            assert register.high // register.scale < 1 << bits
            assert register.low // register.scale >= (-(1 << bits) if signed else 0)
            assert register.words == (2 if register.kind == registers.U32 else 1)
        if register.kind == registers.TEXT:
            assert 2 * register.words >= register.high


def test_a_text_may_fill_its_registers():
    words = registers.encode("model", "x" * 48)
    assert words == [0x7878] * 24 and registers.decode("model", words) == "x" * 48


def test_where_each_block_begins():
    for name, address in (("map", 0), ("state", 100), ("point_1", 200), ("limit_w", 400)):
        assert registers.find(name).address == address
    assert (registers.LIMIT_ADDRESS, NO_REGISTER, NO_VALUE) == (400, 2, 3)


def test_a_limit_is_a_lease():
    words = registers.limit_words(70_000, 10_000)
    assert words == [1, 4464, 1000]
    assert registers.written(registers.LIMIT_ADDRESS, words) == {
        "limit_w": 70_000,
        "ttl_ms": 10_000,
    }
    assert registers.limit_words(0, 10_009)[2] == 1000  # never longer than was meant


def test_a_limit_without_its_lease_is_refused():
    assert refuses(NO_REGISTER, "ttl_ms", registers.written, 400, [0, 3500])
    assert refuses(NO_REGISTER, "limit_w", registers.written, 402, [1000])


def test_words_are_written_whole_and_alone():
    words = registers.encode("ask", "set state_ms=20000")
    assert registers.written(500, words) == {"ask": "set state_ms=20000"}
    assert refuses(NO_REGISTER, "whole", registers.written, 500, words[:20])
    assert refuses(NO_REGISTER, "told", registers.written, 560, words)
    assert refuses(NO_VALUE, "ask", registers.written, 500, [0xFFFF] * 60)


def test_what_can_only_be_read_cannot_be_written():
    assert refuses(NO_REGISTER, "level", registers.written, 101, [8])
    assert refuses(NO_REGISTER, "point_1", registers.written, 200, [0, 1, 0, 1])


def test_limits_out_of_range_are_refused():
    for limit_w, ttl_ms, name in (
        (-1, 1000, "limit_w"),
        (100_001, 1000, "limit_w"),
        (1000, 99, "ttl_ms"),
        (1000, 600_001, "ttl_ms"),
        (True, 1000, "limit_w"),
        (1000, None, "ttl_ms"),
    ):
        assert refuses(NO_VALUE, name, registers.limit_words, limit_w, ttl_ms)
    assert refuses(NO_VALUE, "limit_w", registers.written, 400, [2, 0, 1000])
    assert refuses(NO_VALUE, "ttl_ms", registers.written, 400, [0, 3500, 9])
    assert registers.written(400, [0, 3500, 10])["ttl_ms"] == 100


def test_unknown_and_cut_registers_are_refused():
    for address, count in ((48, 1), (5, 1), (4, 1), (0, 9), (174, 1), (328, 4), (0, 0), (-1, 1)):
        assert refuses(NO_REGISTER, "", registers.answer, VALUES, address, count), address
    assert refuses(NO_REGISTER, "volts", registers.encode, "volts", 1)
    assert refuses(NO_REGISTER, "volts", registers.decode, "volts", [1])
    assert refuses(NO_REGISTER, "wake_ms", registers.decode, "wake_ms", [1])


def test_values_out_of_range_are_refused():
    for name, value in (
        ("level", 33),
        ("hot_dc", 3001),
        ("hot_dc", -1001),
        ("state", "tired"),
        ("state", 3),
        ("model", ""),
        ("model", "x" * 49),
        ("why", "°" * 61),
        ("why", 5),
        ("point_1", (1,)),
        ("point_1", (-1, 0)),
        ("point_1", 7),
        ("point_2", (1, 1 << 32)),
    ):
        assert refuses(NO_VALUE, name, registers.encode, name, value), (name, value)
    for name, words in (
        ("level", [33]),
        ("hot_dc", [3001]),
        ("state", [5]),
        ("model", [0] * 24),
        ("model", [0xFFFF] * 24),
        ("map", [2]),
        ("level", [65536]),
        ("level", [-1]),
        ("level", ["2"]),
    ):
        assert refuses(NO_VALUE, name, registers.decode, name, words), (name, words)
