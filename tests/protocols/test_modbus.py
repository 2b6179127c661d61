"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

Foreign masters on a line and over TCP: tests/hil/test_modbus_rig.py.
"""

from modbus_device import Device

from protocols import modbus
from protocols.registers import NO_REGISTER, NO_VALUE


def answered(request):
    return modbus.answer(bytes.fromhex(request.replace(" ", "")), Device()).hex()


def test_the_checksum_of_the_specification():
    """Serial Line V1.02, 6.2.2: the CRC of 02 07 is 0x1241, sent 41 12."""
    assert modbus.crc(b"\x02\x07") == b"\x41\x12"
    assert modbus.crc(b"123456789") == b"\x37\x4b"  # the catalogue's check value 0x4B37


def test_the_requests_of_the_specification():
    """Application Protocol V1.1b3, its own examples with addresses that are there."""
    assert answered("03 0010 0003") == "0306001000110012"
    assert answered("04 0008 0001") == "04020008"
    assert answered("06 0001 0003") == "0600010003"
    assert answered("10 0001 0002 04 000A 0102") == "1000010002"
    assert answered("14 07 06 0004 0001 0002") == "1406050601020304"


def test_what_is_wrong_with_a_request():
    for request, code in (
        ("03 0063 0002", NO_REGISTER),
        ("03 0000 0000", NO_VALUE),
        ("03 0000 007E", NO_VALUE),
        ("03 0000 00", NO_VALUE),
        ("03 0000 0001 00", NO_VALUE),
        ("06 0001 FFFF", NO_VALUE),
        ("06 0001", NO_VALUE),
        ("10 0001 0002 04 000A", NO_VALUE),
        ("10 0001 0002 03 000A 0102", NO_VALUE),
        ("10 0001 0000 00", NO_VALUE),
        ("10 0001 0001 02 FFFF", NO_VALUE),
        ("14 07 06 0005 0000 0002", NO_REGISTER),
        ("14 07 05 0004 0000 0002", NO_VALUE),
        ("14 07 06 0004 0000 0079", NO_VALUE),
        ("14 0E 06 0004 0001 0002 06 0003 0009 0002", NO_VALUE),
        ("2B 0E 01 00", modbus.NO_FUNCTION),
        ("11", modbus.NO_FUNCTION),
        ("83", modbus.NO_FUNCTION),
        ("", modbus.NO_FUNCTION),
    ):
        function = int(request[:2] or "0", 16) | 0x80
        assert answered(request) == f"{function:02x}{code:02x}", request


def test_the_largest_read_and_write_fit_a_frame():
    device = Device()
    device.read = lambda address, count: [0xABCD] * count
    assert len(modbus.rtu(1, modbus.answer(b"\x03\0\0\0\x7d", device))) == 255 <= modbus.RTU_MAX
    most = b"\x10\0\0\0\x7b\xf6" + b"\x01\x02" * 123
    assert modbus.answer(most, device) == b"\x10\0\0\0\x7b"
    assert (
        device.written == [(0, [0x0102] * 123)]
        and len(modbus.rtu(1, most)) == 255 <= modbus.RTU_MAX
    )


def test_a_request_to_us_is_the_last_thing_on_the_line():
    ours, others = modbus.rtu(17, b"\x03\0\x64\0\x03"), modbus.rtu(4, b"\x03\0\x11\0\x02")
    reply = modbus.rtu(4, b"\x03\x04\x11\x03\x00\x64")  # with bytes in it that look like ours
    expected = (17, b"\x03\0\x64\0\x03")
    for before in (b"", others, others + reply, b"\0\xff\x11\x03", reply * 20):
        assert modbus.rtu_request(before + ours, 17) == expected, before
    write = modbus.rtu(17, b"\x10\x01\x90\0\x03\x06\0\0\x0d\xac\x03\xe8")
    assert modbus.rtu_request(others + write, 17) == (17, write[1:-2])
    record = modbus.rtu(17, b"\x14\x07\x06\0\x01\0\0\0\x10")
    assert modbus.rtu_request(others + record, 17) == (17, record[1:-2])
    assert modbus.rtu_request(modbus.rtu(0, write[1:-2]), 17) == (0, write[1:-2])
    assert modbus.rtu_request(modbus.rtu(17, b"\x2b\x0e\x01\0"), 17) == (17, b"\x2b\x0e\x01\0")


def test_what_is_no_request_to_us():
    ours = modbus.rtu(17, b"\x03\0\x64\0\x03")
    for heard in (
        b"",
        ours[:-1],
        ours + b"\0",
        ours[:-1] + bytes((ours[-1] ^ 1,)),
        modbus.rtu(18, b"\x03\0\x64\0\x03"),
        ours + modbus.rtu(18, b"\x03\0\x64\0\x03"),
        modbus.rtu(17, b"\x10\x01\x90\0\x03\x07\0\0\x0d\xac\x03\xe8"),
    ):
        assert modbus.rtu_request(heard, 17) is None, heard


def test_tcp_piece_by_piece():
    frame = bytes.fromhex("000100000006ff0300640003")
    for size in range(len(frame)):
        assert modbus.tcp_request(frame[:size]) is None
    head, pdu, size = modbus.tcp_request(frame + b"\0\2")
    assert pdu == b"\x03\0\x64\0\x03" and size == 12
    assert modbus.tcp(head, b"\x83\x02") == bytes.fromhex("000100000003ff8302")


def test_what_is_not_tcp_ends_the_connection():
    for head in ("00010001000603", "00010000000103", "0001000000ff03", "00010000ffff03"):
        try:
            modbus.tcp_request(bytes.fromhex(head))
        except modbus.FrameError as error:
            assert "not Modbus" in str(error)
        else:
            raise AssertionError(head)
