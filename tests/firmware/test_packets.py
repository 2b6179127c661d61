"""MQTT 3.1.1 packets: bytes both ways, every cut, nonsense; on both runtimes."""

from exchange import raises

from firmware.net import packets
from firmware.net.packets import Connack, PacketError, Pingresp, Publish, Receiver, Suback

# from the examples of the specification: figures 3.6, 3.12 and 3.24, and plain ones
HEARD = (
    (b"\x20\x02\x00\x00", Connack(0)),
    (b"\x20\x02\x01\x05", Connack(5)),
    (b"\x30\x07\x00\x03a/bhi", Publish("a/b", b"hi", False)),
    (b"\x31\x05\x00\x03a/b", Publish("a/b", b"", True)),
    (b"\x90\x04\x00\x01\x00\x00", Suback(b"\x00\x00")),
    (b"\xd0\x00", Pingresp()),
    (b"\x30\x82\x01\x00\x01t" + b"x" * 127, Publish("t", b"x" * 127, False)),
)


def test_what_we_send():
    assert packets.connect("c", 10, ("w", b"down")) == (
        b"\x10\x16\x00\x04MQTT\x04\x26\x00\x0a\x00\x01c\x00\x01w\x00\x04down"
    )
    assert packets.connect("c", 10, ("w", b"d"), "u", "p") == (
        b"\x10\x19\x00\x04MQTT\x04\xe6\x00\x0a\x00\x01c\x00\x01w\x00\x01d\x00\x01u\x00\x01p"
    )
    assert packets.publish("a/b", b"hi") == b"\x30\x07\x00\x03a/bhi"
    assert packets.publish("a/b", b"hi", retain=True) == b"\x31\x07\x00\x03a/bhi"
    assert packets.subscribe(10, ["a/b", "c"]) == b"\x82\x0c\x00\x0a\x00\x03a/b\x00\x00\x01c\x00"
    assert packets.publish("t", b"x" * 127) == HEARD[-1][0]
    assert packets.publish("t", b"x" * 124)[:2] == b"\x30\x7f"


def test_lengths_of_the_specification():
    for size, length in (
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16_383, b"\xff\x7f"),
        (16_384, b"\x80\x80\x01"),
    ):
        assert packets.publish("t", b"x" * (size - 3))[1:].startswith(length), size


def test_each_packet_however_it_is_cut():
    for data, event in HEARD:
        for cut in range(len(data) + 1):
            receiver = Receiver()
            assert receiver.feed(data[:cut]) + receiver.feed(data[cut:]) == [event]


def test_several_packets_at_once_and_byte_by_byte():
    stream, events = b"".join(data for data, _ in HEARD), [event for _, event in HEARD]
    assert Receiver().feed(stream) == events
    receiver, heard = Receiver(), []
    for at in range(len(stream)):
        heard += receiver.feed(stream[at : at + 1])
    assert heard == events


def test_nonsense_is_a_packet_error():
    for data in (
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\x80\x80\x80\x80\x00",
        b"\x20\x89\x27",
        b"\x32\x07\x00\x03a/bhi",
        b"\x34\x07\x00\x03a/bhi",
        b"\x30\x01\x00",
        b"\x30\x03\x00\x02a",
        b"\x30\x04\x00\x02\xff\xfe",
        b"\x20\x01\x00",
        b"\x21\x02\x00\x00",
        b"\x90\x02\x00\x01",
        b"\xd0\x01\x00",
        b"\x00\x00",
        b"\x10\x00",
        b"\xf0\x00",
    ):
        assert raises(PacketError, Receiver().feed, data), data


def test_the_largest_packet():
    data = packets.publish("t", b"x" * (packets.PACKET_MAX - 3))
    assert len(Receiver().feed(data)) == 1


def test_a_message_too_long_passes_unread_however_it_is_cut():
    long = packets.publish("t", b"\x30" * (packets.PACKET_MAX - 2), retain=True)
    data = packets.publish("a", b"1") + long + long + packets.publish("b", b"2")
    for size in (1, 7, 512, len(data)):
        receiver, events = Receiver(), []
        for at in range(0, len(data), size):
            events += receiver.feed(data[at : at + size])
        assert [event.topic for event in events] == ["a", "b"] and receiver.too_long == 2, size


def test_any_two_bytes_raise_nothing_else():
    for first in range(256):
        for second in range(0, 256, 5):
            try:
                Receiver().feed(bytes((first, second, 0, 1, 0xFF, 0x80)))
            except PacketError:
                pass
