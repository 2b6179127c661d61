"""The EEPROM inside an APW supply: serial number, calibration, date, and a checksum."""

SIZE, AT, LATER_AT = 256, 0x40, 0x00  # where its 32 bytes begin, by type
_EARLY = (0x41, 0x71, 0x73, 0x75, 0x76, 0x77, 0x78)
_DELTAS_END = 0x80


def eeprom(kind: int) -> bytes:
    """A whole EEPROM as such a supply leaves the factory."""
    offset_mv, deltas, date = 12, b"\x01\xff\x00", (24 * 12 + 3) * 31 + 14
    body = b"APW-BENCH-01" + offset_mv.to_bytes(2, "big", signed=True)
    body += (deltas + bytes((_DELTAS_END,))).ljust(14, b"\0") + date.to_bytes(2, "big")
    whole = body + crc16_modbus(body).to_bytes(2, "little")
    return (bytes(AT if kind in _EARLY else LATER_AT) + whole).ljust(SIZE, b"\xff")


def crc16_modbus(data: bytes) -> int:
    """Polynomial 0x8005 reflected, preset FFFF."""
    rest = 0xFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ 0xA001 if rest & 1 else rest >> 1
    return rest
