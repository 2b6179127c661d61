"""Checksums used on our wires: CRC5 and CRC16 of the BM13xx chips, CRC8 of SMBus.

CRC5 is kept in the upper five bits of a byte, so that it and CRC8 are the same
walk through a table of 256 bytes.
"""


def _table(polynomial: int) -> bytes:
    """What eight shifts make of each byte."""
    table = bytearray(256)
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = (rest << 1) ^ polynomial if rest & 0x80 else rest << 1
            rest &= 0xFF
        table[byte] = rest
    return bytes(table)


_CRC5 = _table(0x05 << 3)
_CRC8 = _table(0x07)


def crc5(data: bytes) -> int:
    """x^5+x^2+1, preset 0x1F, upper bit first: commands to BM13xx chips.

    Over everything after the preamble of a good reply, last byte included, it is 0.
    """
    rest = 0xF8
    for byte in data:
        rest = _CRC5[rest ^ byte]
    return rest >> 3


def crc5_reply(payload: bytes, kind: int) -> int:
    """The last byte of a reply: three bits of kind, and the CRC5 down to those bits."""
    rest = crc5(payload) << 3 ^ kind << 5
    for _ in range(3):
        rest = (rest << 1) ^ (0x05 << 3) if rest & 0x80 else rest << 1
    return kind << 5 | (rest & 0xFF) >> 3


def crc8(data: bytes) -> int:
    """x^8+x^2+x+1, preset 0: the packet error code of SMBus and PMBus."""
    rest = 0
    for byte in data:
        rest = _CRC8[rest ^ byte]
    return rest


def crc16(data: bytes) -> int:
    """0x1021, preset 0xFFFF, upper bit first (CCITT-FALSE): jobs to BM13xx chips."""
    rest = 0xFFFF
    for byte in data:
        mixed = byte ^ rest >> 8
        mixed ^= mixed >> 4
        rest = (rest << 8 ^ mixed << 12 ^ mixed << 5 ^ mixed) & 0xFFFF
    return rest
