"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import pmbus, pmbus_supply
from protocols.pmbus import ChecksumError, PmbusError


def refuses(error, call, *args):
    try:
        call(*args)
    except error:
        return True
    return False


def test_linear11_reads():
    for word, milli in (
        (0xD360, 13_500),
        (0xE808, 1_000),
        (0xF028, 10_000),
        (0xCA40, 4_500),
        (0xCB40, 6_500),
        (0xD2C0, 11_000),
        (0x0834, 104_000),
        (0x03E8, 1_000_000),
        (0x8400, -16),  # -1/64
        (0x0064, 100_000),
        (0x7BFF, 33_521_664_000),
        (0xD580, -10_000),
        (0, 0),
    ):
        assert pmbus.linear11(word) == milli, hex(word)


def test_linear11_writes():
    for milli, word in (
        (4_500, 0xCA40),
        (4_800, 0xCA66),
        (5_000, 0xCA80),
        (6_500, 0xCB40),
        (11_000, 0xD2C0),
        (12_000, 0xD300),
        (25_000, 0xDB20),
        (30_000, 0xDBC0),
        (55_500, 0xE378),
        (100_000, 0xEB20),
        (105_000, 0xEB48),
        (145_000, 0xF244),
        (240_000, 0xF3C0),
        (1_500_000, 0x0AEE),
        (-10_000, 0xD580),
        (1, 0x8042),
        (1_023_000, 0x03FF),
        (-1_024_000, 0x0400),
        (0, 0),
    ):
        assert pmbus_supply.to_linear11(milli) == word, milli


def test_linear11_keeps_a_thousandth_part():
    for milli in range(-4_000_000, 4_000_000, 77_777):
        assert (
            abs(pmbus.linear11(pmbus_supply.to_linear11(milli)) - milli) <= abs(milli) // 1000 + 1
        )


def test_linear11_refuses_what_does_not_fit():
    assert pmbus_supply.to_linear11(33_521_664_000) == 0x7BFF
    assert refuses(PmbusError, pmbus_supply.to_linear11, 33_600_000_000)
    assert refuses(PmbusError, pmbus_supply.to_linear11, -33_600_000_000)


def test_output_voltages():
    for exponent, milli, word in (
        (-9, 1_000, 0x0200),
        (-9, 1_150, 0x024D),
        (-9, 1_200, 0x0266),
        (-9, 3_600, 0x0733),
        (-9, 13_800, 0x1B9A),
        (-12, 1_200, 0x1333),
        (-12, 12_000, 0xC000),
        (-13, 1_200, 0x2666),
        (0, 7_000, 7),
        (-9, 0, 0),
        (1, 8_000, 4),
    ):
        assert pmbus.to_ulinear16(milli, exponent) == word
        assert abs(pmbus.ulinear16(word, exponent) - milli) <= 1
    assert pmbus.ulinear16(0x1B9A, -9) == 13_801
    assert refuses(PmbusError, pmbus.to_ulinear16, -3, -9)
    assert pmbus.to_ulinear16(127_998, -9) == 0xFFFF
    assert refuses(PmbusError, pmbus.to_ulinear16, 128_000, -9)


def test_vout_mode():
    for mode, exponent in ((0x17, -9), (0x97, -9), (0x14, -12), (0x13, -13), (0x0F, 15)):
        assert pmbus.vout_exponent(mode) == exponent
    for mode in (0x20, 0x40, 0x77):
        assert refuses(PmbusError, pmbus.vout_exponent, mode)


def test_checksums_of_writes():
    for command, data, pec in (
        (pmbus.OPERATION, b"\x80", 0x4B),
        (pmbus.CLEAR_FAULTS, b"", 0xFA),
        (pmbus.VOUT_COMMAND, pmbus.word_bytes(0x0266), 0x86),
    ):
        frame = data + bytes((pec,))
        assert pmbus.written(0x24, command, data) == frame
        assert pmbus_supply.checked_write(0x24, command, frame) == data
        assert refuses(ChecksumError, pmbus_supply.checked_write, 0x25, command, frame)
    assert refuses(ChecksumError, pmbus_supply.checked_write, 0x24, pmbus.CLEAR_FAULTS, b"")


def test_checksums_of_reads():
    for command, word, pec in (
        (pmbus.READ_VOUT, 0x0266, 0x53),
        (pmbus_supply.READ_VIN, 0xCA40, 0xCF),
    ):
        reply = pmbus.word_bytes(word) + bytes((pec,))
        assert pmbus_supply.answered(0x24, command, pmbus.word_bytes(word)) == reply
        assert pmbus.word_of(pmbus.checked(0x24, command, reply)) == word
        for bit in range(24):
            broken = bytearray(reply)
            broken[bit // 8] ^= 1 << bit % 8
            assert refuses(ChecksumError, pmbus.checked, 0x24, command, bytes(broken))


def test_a_busy_supply_is_not_a_number():
    assert refuses(ChecksumError, pmbus.checked, 0x58, pmbus_supply.READ_IOUT, b"\xff\xff\xff")
    assert refuses(ChecksumError, pmbus.checked, 0x58, pmbus_supply.READ_IOUT, b"\xff")
    mode = pmbus_supply.answered(0x58, pmbus.VOUT_MODE, b"\x17")
    assert pmbus.checked(0x58, pmbus.VOUT_MODE, mode) == b"\x17"
    nothing = pmbus_supply.answered(0x58, pmbus_supply.READ_IOUT, b"")
    assert refuses(ChecksumError, pmbus.checked, 0x58, pmbus_supply.READ_IOUT, nothing)
    assert refuses(PmbusError, pmbus.word_of, b"\x01")
    assert refuses(PmbusError, pmbus.word_of, b"\x01\x02\x03")


def test_blocks_end_where_their_count_says():
    reply = pmbus_supply.answered(0x58, pmbus_supply.MFR_MODEL, b"\x05SP-37")
    assert pmbus_supply.checked_block(0x58, pmbus_supply.MFR_MODEL, reply + b"\xff\xff") == b"SP-37"
    for cut in range(len(reply)):
        assert refuses(
            ChecksumError, pmbus_supply.checked_block, 0x58, pmbus_supply.MFR_MODEL, reply[:cut]
        )


def test_status_in_words():
    assert pmbus_supply.status_names(0) == []
    assert pmbus_supply.status_names(0x0840) == ["off", "power not good"]
    assert pmbus_supply.status_names(0x0004) == ["temperature"]
    assert len(pmbus_supply.status_names(0xFFFF)) == 16
    for bit, name in (
        (pmbus_supply.STATUS_COMMUNICATION, "communication"),
        (pmbus_supply.STATUS_OFF, "off"),
        (pmbus_supply.STATUS_BUSY, "busy"),
        (pmbus_supply.STATUS_POWER_NOT_GOOD, "power not good"),
    ):
        assert pmbus_supply.status_names(bit) == [name]


def test_codes_of_the_specification():
    for names, first in (
        ("OPERATION ON_OFF_CONFIG CLEAR_FAULTS", 0x01),
        ("WRITE_PROTECT", 0x10),
        ("CAPABILITY", 0x19),
        ("VOUT_MODE VOUT_COMMAND", 0x20),
        ("VOUT_MAX", 0x24),
        ("VOUT_MIN", 0x2B),
        ("VOUT_OV_FAULT_LIMIT", 0x40),
        ("VOUT_UV_FAULT_LIMIT", 0x44),
        ("IOUT_OC_FAULT_LIMIT", 0x46),
        ("OT_FAULT_LIMIT", 0x4F),
        ("OT_WARN_LIMIT", 0x51),
        ("STATUS_BYTE STATUS_WORD STATUS_VOUT STATUS_IOUT STATUS_INPUT", 0x78),
        ("STATUS_TEMPERATURE STATUS_CML", 0x7D),
        ("STATUS_FANS_12", 0x81),
        ("READ_VIN READ_IIN", 0x88),
        ("READ_VOUT READ_IOUT READ_TEMPERATURE_1 READ_TEMPERATURE_2 READ_TEMPERATURE_3", 0x8B),
        ("READ_FAN_SPEED_1", 0x90),
        ("READ_POUT READ_PIN REVISION MFR_ID MFR_MODEL MFR_REVISION", 0x96),
        ("MFR_SERIAL", 0x9E),
    ):
        for code, name in enumerate(names.split(), first):
            side = pmbus if hasattr(pmbus, name) else pmbus_supply
            assert getattr(side, name) == code, name
    assert (pmbus.OPERATION_ON, pmbus_supply.OPERATION_OFF) == (0x80, 0)
