"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols.crc import crc5, crc5_reply, crc8, crc16


def test_published_check_values():
    assert crc8(b"123456789") == 0xF4
    assert crc16(b"123456789") == 0x29B1


def test_nothing_gives_the_preset():
    assert (crc5(b""), crc8(b""), crc16(b"")) == (0x1F, 0, 0xFFFF)


def bit_by_bit(bits, width, polynomial, preset):
    """A CRC as the books define it, to compare with."""
    rest, top = preset, 1 << width - 1
    for bit in bits:
        high = rest & top != 0
        rest = rest << 1 & (top * 2 - 1)
        if high != bit:
            rest ^= polynomial
    return rest


def bits_of(data):
    return [byte >> bit & 1 == 1 for byte in data for bit in range(7, -1, -1)]


def test_the_tables_agree_with_the_definition():
    for size in range(1, 40):
        data = bytes((size * 37 + at * 91) & 0xFF for at in range(size))
        assert crc5(data) == bit_by_bit(bits_of(data), 5, 0x05, 0x1F)
        assert crc8(data) == bit_by_bit(bits_of(data), 8, 0x07, 0)
        assert crc16(data) == bit_by_bit(bits_of(data), 16, 0x1021, 0xFFFF)


def test_a_reply_carries_the_crc_of_its_51_or_67_bits():
    for size in (6, 8):
        for kind in (0, 4):
            payload = bytes((size * 11 + at * 53) & 0xFF for at in range(size))
            bits = bits_of(payload) + bits_of(bytes((kind << 5,)))[:3]
            assert len(bits) in (51, 67)
            last = crc5_reply(payload, kind)
            assert last == kind << 5 | bit_by_bit(bits, 5, 0x05, 0x1F)
            assert crc5(payload + bytes((last,))) == 0
