"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

Requests as the factory's programs send them; the version reply is from an S19 Pro's log.
"""

from protocols import pic
from protocols.pic import PicError

REQUESTS = (
    ("55AA0416001A", pic.HEARTBEAT, ""),
    ("55AA0417001B", pic.VERSION, ""),
    ("55AA051501001B", pic.ENABLE, "01"),
    ("55AA051500001A", pic.ENABLE, "00"),
    ("55AA0407000B", pic.RESET, ""),
    ("55AA0406000A", pic.JUMP, ""),
    ("55AA0437003B", pic.READ_ADCS, ""),
    ("55AA043A003E", pic.READ_ADC, ""),
    ("55AA054104004A", pic.READ_ADC_N, "04"),
    ("55AA054108004E", pic.READ_ADC_N, "08"),
)


def refused(call, *args):
    try:
        call(*args)
    except PicError as error:
        return str(error)
    raise AssertionError("taken")


def test_requests_match_the_record_both_ways():
    for text, command, data in REQUESTS:
        raw = bytes.fromhex(text)
        assert pic.request(command, bytes.fromhex(data)) == raw
        assert pic.requested(raw) == (command, bytes.fromhex(data))


def test_replies():
    assert pic.reply(pic.VERSION, b"\x89") == bytes.fromhex("05178900A5")
    assert pic.replied(pic.VERSION, bytes.fromhex("05178900A5")) == b"\x89"
    assert pic.reply(pic.ENABLE, b"\1") == b"\x15\1"
    assert pic.replied(pic.ENABLE, b"\x15\1") == b"\1"
    for command, size in pic.REPLY_SIZE.items():
        data = bytes(range(max(1, size - 4)))
        said = pic.reply(command, data)
        assert len(said) == size and pic.replied(command, said) == data[: size - 1], command


def test_what_is_none_is_refused():
    for text, _, _ in REQUESTS:
        raw = bytes.fromhex(text)
        for at in range(len(raw)):
            refused(pic.requested, raw[:at] + bytes((raw[at] ^ 4,)) + raw[at + 1 :])
        refused(pic.requested, raw[:-1])
    assert "wrong sum" in refused(pic.replied, pic.VERSION, bytes.fromhex("05178900A6"))
    assert "5 bytes" not in refused(pic.replied, pic.VERSION, bytes.fromhex("05168900A4"))
    assert "4 bytes" in refused(pic.replied, pic.VERSION, bytes.fromhex("04170000"))
    assert "no reply" in refused(pic.replied, pic.ENABLE, b"\x16\1")
    refused(pic.replied, 0x99, b"")


def test_sizes_and_waits_are_those_of_the_factory():
    sizes = {0x06: 2, 0x07: 5, 0x15: 2, 0x16: 6, 0x17: 5, 0x37: 11, 0x3A: 7, 0x41: 8}
    assert sizes == pic.REPLY_SIZE and pic.ADDRESS == 0x20
    assert pic.WAIT_MS == {0x06: 300, 0x07: 300, 0x15: 300, 0x17: 300}
    assert pic.WAIT_SHORT_MS == 10 and pic.HEARTBEAT_EVERY_MS == 10_000
