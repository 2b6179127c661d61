"""Modbus: whatever is on a line or a connection, nothing is raised and nothing grows."""

from hypothesis import given
from hypothesis import strategies as st
from modbus_device import Device

from firmware.net.modbus_rtu import HEARD_MAX, LOOK_MS, Line, silence_ms
from protocols import modbus

UNIT = 17
FUNCTIONS = st.sampled_from([1, 2, 3, 4, 5, 6, 8, 15, 16, 17, 20, 23, 43, 131])
NEARLY = st.builds(lambda f, rest: bytes((f,)) + rest, FUNCTIONS, st.binary(max_size=255))
PDUS = st.binary(max_size=255) | NEARLY
FRAMES = st.binary(max_size=600) | st.builds(modbus.rtu, st.sampled_from([0, UNIT, 18]), PDUS)


@given(PDUS)
def test_any_request_is_answered_or_refused(pdu):
    reply = modbus.answer(pdu, Device())
    function = pdu[0] if pdu else 0
    assert reply[0] in (function, function & 0x7F | 0x80) and len(reply) <= 253
    if reply[0] != function or not pdu:
        assert len(reply) == 2 and reply[1] in (1, 2, 3)


@given(st.binary(max_size=400))
def test_any_connection_is_read_or_ended(heard):
    try:
        request = modbus.tcp_request(heard)
    except modbus.FrameError:
        return
    if request:
        head, pdu, size = request
        assert 1 <= len(pdu) <= modbus.TCP_MAX and size <= len(heard)
        assert modbus.tcp_request(modbus.tcp(head, pdu))[1] == pdu


class Uart:
    def __init__(self):
        self.waiting = b""

    def any(self):
        return len(self.waiting)

    def read(self):
        data, self.waiting = self.waiting, b""
        return data


@given(st.lists(st.tuples(FRAMES, st.integers(0, 40)), max_size=30))
def test_any_traffic_on_the_line(traffic):
    """And after it, and a silence, the rig hears its master."""
    device, uart = Device(), Uart()
    line = Line(uart, None, 9_600, UNIT, device)
    for data, wait_ms in traffic:
        uart.waiting += data
        for _ in range(wait_ms // LOOK_MS + 1):
            reply = line.turn(LOOK_MS)
            assert len(reply) <= modbus.RTU_MAX and len(line._heard) <= HEARD_MAX
            assert not reply or reply[0] == UNIT
    for _ in range(3):
        line.turn(LOOK_MS)
    uart.waiting = modbus.rtu(UNIT, b"\3\0\5\0\1")
    replies = [line.turn(LOOK_MS) for _ in range(3)]
    assert b"".join(replies) == modbus.rtu(UNIT, b"\3\2\0\5")


def test_silences_of_three_and_a_half_characters():
    """Serial Line V1.02, 2.5.1.1: 11 bits a character; fixed above 19200 baud."""
    assert [silence_ms(baud) for baud in (1_200, 9_600, 19_200, 115_200)] == [33, 5, 3, 2]
    for baud in (1_200, 2_400, 4_800, 9_600, 19_200):
        assert silence_ms(baud) * baud >= 3.5 * 11 * 1000 > (silence_ms(baud) - 1) * baud
