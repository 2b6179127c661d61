"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

The frames were captured on real chains, unless said otherwise: hashboard.md.
"""

from protocols import hashboard, hashboard_chip
from protocols.hashboard import (
    Job,
    Nonce,
    Receiver,
    Register,
    chain_inactive,
    job_frame,
    read_register,
    set_address,
    write_register,
)
from protocols.hashboard_chip import (
    ChainInactive,
    CommandReceiver,
    ReadRegister,
    SetAddress,
    WriteRegister,
    nonce_reply,
    register_reply,
)

# every command frame on record, without its preamble
COMMANDS = """
52 05 00 00 0A|53 05 00 00 03|40 05 00 00 1C|40 05 02 00 01|40 05 04 00 03|40 05 06 00 1E|
40 05 08 00 07|42 05 40 1C 0B|41 09 40 18 00 00 7A 31 11|51 09 00 80 00 00 00 00 1C|
51 09 00 84 00 00 00 00 11|51 09 00 20 00 00 00 01 02|51 09 00 20 00 00 00 FF 13|
51 09 00 20 00 00 00 00 07|51 09 00 3C 80 00 80 B4 19|51 09 00 14 00 00 00 FC 07|
51 09 00 14 00 00 00 00 1C|51 09 00 18 00 00 20 01 0D|51 09 00 18 00 01 27 01 0B|
51 09 00 18 00 00 3A 01 18|51 09 00 70 00 00 00 00 18|51 09 00 08 40 A0 02 25 16|
51 09 00 3C 80 00 80 10 12|51 09 00 10 00 00 15 1C 02|51 09 00 10 00 00 1A 44 17|
41 09 DA 58 02 11 F1 11 1C|41 09 C8 2C 00 18 00 03 17|51 09 00 60 C0 70 01 11 1A|
51 09 00 28 15 60 07 00 13|51 09 00 3C 80 00 80 74 10|51 09 00 14 00 00 00 FF 08|
51 09 00 68 C0 70 01 11 00|51 09 00 28 06 00 00 0F 18|51 09 00 18 00 00 7A 31 15|
51 09 00 70 0F 0F 0F 00 19|51 09 00 08 40 44 02 21 07|51 09 00 18 00 00 60 31 00|
51 09 00 18 00 00 61 31 1C|51 09 00 A4 90 00 FF FF 1C|51 09 00 A8 00 07 00 00 03|
51 09 00 18 FF 0F C1 00 00|51 09 00 3C 80 00 85 40 0C|51 09 00 3C 80 00 80 20 19|
51 09 00 54 00 00 00 03 1D|51 09 00 58 02 11 11 11 06|41 09 00 2C 00 7C 00 03 03|
41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|41 09 00 3C 80 00 85 40 04|
41 09 00 3C 80 00 80 20 11|41 09 00 3C 80 00 82 AA 05|51 09 00 08 50 C2 02 40 1C|
51 09 00 10 00 0D 32 24 10|51 09 00 28 11 30 02 00 03|51 09 00 3C 80 00 8B 00 12|
51 09 00 3C 80 00 80 18 1F|41 09 00 3C 80 00 8B 00 1A|41 09 00 3C 80 00 80 18 17|
51 09 00 08 50 C4 02 40 06|51 09 00 10 00 0D 0F AC 1B|51 09 00 18 F0 00 C1 00 04|
51 09 00 3C 80 00 80 0C 11|51 09 00 58 00 01 11 11 0D|41 09 00 3C 80 00 80 0C 19|
51 09 00 B9 00 00 44 80 0D|51 09 00 54 00 00 00 02 18|51 09 00 3C 80 00 8D EE 1B|
51 09 00 08 40 A8 02 30 03|51 09 00 10 00 0C 2F B7 18|51 09 00 A8 00 00 00 00 01|
51 09 00 18 B0 00 C1 00 14|51 09 00 3C 80 00 80 08 05|51 09 00 28 11 30 00 00 1E|
51 09 00 08 40 A2 02 55 0F|41 09 00 A8 00 00 00 02 03|41 09 00 18 B0 00 C1 00 1C|
41 09 00 3C 80 00 80 08 0D|51 09 00 10 00 00 13 81 08|41 09 08 58 00 01 F1 11 1F|
51 09 00 68 5A A5 5A A5 1C|41 09 00 2C 00 4F 00 03 00|41 09 08 2C 00 4F 00 03 13|
41 09 78 2C 00 13 00 03 19|41 09 80 2C 00 13 00 03 1B|51 09 00 28 01 30 00 00 1A|
41 09 00 0C 80 00 00 00 1A|41 09 02 0C 80 00 03 F1 03|41 09 04 0C 80 00 07 E1 02|
41 09 06 0C 80 00 0B D1 12|41 09 08 0C 80 00 0F C1 00|41 09 0A 0C 80 00 13 B2 0B|
41 09 80 0C 80 00 FC 10 06|51 09 00 10 00 00 1E B5 0F
"""
FRAMES = [bytes.fromhex("55AA" + f.replace(" ", "").strip()) for f in COMMANDS.split("|")]

REPLIES = (
    (9, "AA55 13971800 00 00 06", Register(0, 0, 0x13971800)),
    (9, "AA55 13700000 00 00 06", Register(0, 0, 0x13700000)),
    (9, "AA55 0000C100 00 18 02", Register(0, 0x18, 0xC100)),
    (11, "AA55 13660000 00 00 0000 05", Register(0, 0, 0x13660000)),
    (11, "AA55 13680000 00 00 0000 0F", Register(0, 0, 0x13680000)),
    (11, "AA55 13700000 00 00 0000 10", Register(0, 0, 0x13700000)),
    (11, "AA55 13620300 00 00 0000 1E", Register(0, 0, 0x13620300)),
    (11, "AA55 136203CA CA 00 0000 08", Register(0xCA, 0, 0x136203CA)),
    (11, "AA55 136203FA FA 00 0000 06", Register(0xFA, 0, 0x136203FA)),
    (11, "AA55 12345678 02 8C 0000 05", Register(2, 0x8C, 0x12345678)),
    (11, "AA55 00000003 00 4C 0000 09", Register(0, 0x4C, 3)),
    (11, "AA55 1800A640 02 99 22F9 91", Nonce(0x40A60018, 2, 0x99, 0x22F9)),
    (11, "AA55 0735CDCF 02 5E 002E 96", Nonce(0xCFCD3507, 2, 0x5E, 0x002E)),
    (11, "AA55 460332E7 00 C3 2C83 99", Nonce(0xE7320346, 0, 0xC3, 0x2C83)),
    (11, "AA55 7B8D8160 02 55 0085 81", Nonce(0x60818D7B, 2, 0x55, 0x0085)),
    (11, "AA55 322A845A 02 52 01B2 8C", Nonce(0x5A842A32, 2, 0x52, 0x01B2)),
    (11, "AA55 500341D6 00 81 1801 9B", Nonce(0xD6410350, 0, 0x81, 0x1801)),
    (11, "AA55 4C035275 0C D2 05A2 9C", Nonce(0x7552034C, 12, 0xD2, 0x05A2)),
    (11, "AA55 6DB88EE1 01 04 0354 94", Nonce(0xE18EB86D, 1, 0x04, 0x0354)),
    (11, "AA55 2FD596CE 02 93 94FB 86", Nonce(0xCE96D52F, 2, 0x93, 0x94FB)),
    (9, "AA55 97C328B6 01 63 9C", Nonce(0xB628C397, 1, 0x63, 0)),
)
REPLIES = [(size, bytes.fromhex(frame.replace(" ", "")), event) for size, frame, event in REPLIES]

# small cores a core, event -> job byte, core, small core
PLACES = (
    (16, Nonce(0x40A60018, 2, 0x99, 0x22F9), (0x48, 12, 9)),
    (16, Nonce(0xCFCD3507, 2, 0x5E, 0x002E), (0x28, 3, 14)),
    (16, Nonce(0xE7320346, 0, 0xC3, 0x2C83), (0x60, 35, 3)),
    (16, Nonce(0x60818D7B, 2, 0x55, 0x0085), (0x28, 61, 5)),
    (16, Nonce(0x7552034C, 12, 0xD2, 0x05A2), (0x68, 38, 2)),
    (8, Nonce(0xE18EB86D, 1, 0x04, 0x0354), (0x00, 54, 4)),
    (8, Nonce(0xCE96D52F, 2, 0x93, 0x94FB), (0x90, 23, 3)),
)

# a share a pool accepted, and two others; the stock host says length 0x36, others 0x56
SHARE = Job(
    0x68,
    0,
    0x17023A04,
    0x685468D7,
    bytes.fromhex("06ddf5f08c36414b95ea54db71a0c28761a98bcf6355919e044f88725519a7cb"),
    bytes.fromhex("fd55646bc162b96dfcd4f201a3f4670d1d3996bc965201000000000000000000"),
    0x20000000,
)
SHARE_FRAME = bytes.fromhex(
    "55AA2156680100000000043A0217D76854685519A7CB044F88726355919E61A98BCF71A0C28795EA54DB"
    "8C36414B06DDF5F00000000000000000965201001D3996BCA3F4670DFCD4F201C162B96DFD55646B00000020721C"
)
STOCK = Job(
    0xA8,
    0,
    0x17042450,
    0x6570DE83,
    bytes(
        reversed(bytes.fromhex("7475192d462163667e7a71b835ec83fea4f396c0da86d8c02e700ea87196e9ed"))
    ),
    bytes(
        reversed(bytes.fromhex("0000000000000000000286ff0ea5a45bfc00d35556d50eae1ad876d71f99e138"))
    ),
    0x20000000,
)
STOCK_FRAME = bytes.fromhex(
    "55AA2136A801000000005024041783DE70652D19757466632146B8717A7EFE83EC35C096F3A4C0D886DA"
    "A80E702EEDE996710000000000000000FF8602005BA4A50E55D300FCAE0ED556D776D81A38E1991F0000002030B9"
)
OTHER_FRAME = bytes.fromhex(
    "55AA215618010000000038FA0117DC17D6681516AB3D1642BB1FE2E2377F8AC583E5DA996C6BC7053EAE"
    "564B0203CC4ED2370000000000000000A25C0000A1E7AB5E5F2446A35F9CBBEA3F5316E54E3993DE000000206B18"
)


def rebuilt(event):
    """A command event as the bytes it came from."""
    if isinstance(event, ReadRegister):
        return read_register(event.register, event.chip)
    if isinstance(event, WriteRegister):
        return write_register(event.register, event.value, event.chip)
    return set_address(event.chip) if isinstance(event, SetAddress) else chain_inactive()


def test_commands_match_the_captures():
    assert read_register(0) == FRAMES[0]
    assert chain_inactive() == FRAMES[1]
    assert set_address(4) == FRAMES[4]
    assert read_register(0x1C, chip=0x40) == FRAMES[7]
    assert write_register(0x18, 0x7A31, chip=0x40) == FRAMES[8]
    assert write_register(0x18, 0xF000C100, chip=0)[2:5] == b"\x41\x09\x00"


def test_every_captured_command_is_heard_and_can_be_said_again():
    receiver = CommandReceiver()
    for frame in FRAMES:
        (event,) = receiver.feed(frame)
        assert rebuilt(event) == frame
    assert (receiver.bad, receiver.dropped) == (0, 0)


def test_each_command_is_heard_for_what_it_is():
    heard = CommandReceiver().feed(b"".join((FRAMES[0], FRAMES[1], FRAMES[3], FRAMES[7])))
    assert heard == [ReadRegister(None, 0), ChainInactive(), SetAddress(2), ReadRegister(0x40, 28)]
    assert [type(event).__name__ for event in heard] == [
        "ReadRegister",
        "ChainInactive",
        "SetAddress",
        "ReadRegister",
    ]
    assert CommandReceiver().feed(FRAMES[8]) == [WriteRegister(0x40, 0x18, 0x7A31)]
    assert CommandReceiver().feed(FRAMES[9]) == [WriteRegister(None, 0x80, 0)]


def test_jobs_match_the_captures_both_ways():
    for job, length, frame in (
        (SHARE, hashboard.JOB_LENGTH, SHARE_FRAME),
        (STOCK, hashboard.JOB_LENGTH_STOCK, STOCK_FRAME),
    ):
        assert job_frame(job, length) == frame
        assert CommandReceiver().feed(frame) == [job]
    assert job_frame(SHARE, hashboard.JOB_LENGTH_STOCK)[-2:] == b"\x56\x58"
    (other,) = CommandReceiver().feed(OTHER_FRAME)
    assert (other.job, other.nbits, other.ntime) == (0x18, 0x1701FA38, 0x68D617DC)
    assert job_frame(other) == OTHER_FRAME


def test_a_nonce_and_its_job_make_a_header_that_meets_the_target():
    import hashlib

    (found,) = Receiver().feed(REPLIES[17][1])
    job, _, _ = hashboard.place(found, 16)
    assert job == SHARE.job
    version = SHARE.version | found.version << 13
    header = b"".join(
        (
            version.to_bytes(4, "little"),
            SHARE.prev_hash,
            SHARE.merkle_root,
            SHARE.ntime.to_bytes(4, "little"),
            SHARE.nbits.to_bytes(4, "little"),
            found.nonce.to_bytes(4, "little"),
        )
    )
    digest = hashlib.sha256(hashlib.sha256(header).digest()).digest()
    assert bytes(reversed(digest))[:8].hex() == "0000000000023704"


def test_a_job_survives_every_cut():
    for cut in range(len(SHARE_FRAME) + 1):
        receiver = CommandReceiver()
        heard = receiver.feed(SHARE_FRAME[:cut]) + receiver.feed(SHARE_FRAME[cut:])
        assert heard == [SHARE] and receiver.dropped == 0


def test_a_chip_refuses_any_single_flipped_bit():
    for frame in (FRAMES[0], FRAMES[8], SHARE_FRAME):
        for bit in range(8 * len(frame)):
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            if frame is SHARE_FRAME and bit // 8 == 2:
                continue  # what follows a wrong kind is judged as other frames
            heard = CommandReceiver().feed(bytes(broken) + b"\0" * 88)
            assert heard == [], bit


def test_a_chip_counts_what_it_refuses_and_hears_the_next():
    receiver = CommandReceiver()
    broken = FRAMES[0][:-1] + b"\x0b"
    assert receiver.feed(broken + FRAMES[1]) == [ChainInactive()]
    assert (receiver.bad, receiver.dropped) == (1, 7)
    assert receiver.feed(b"\x55\xaa\x52\x09" + FRAMES[1]) == [ChainInactive()]
    assert (receiver.bad, receiver.dropped) == (2, 11)
    assert receiver.feed(b"noise\x55" + FRAMES[1]) == [ChainInactive()]
    assert (receiver.bad, receiver.dropped) == (2, 17)


def test_replies_decode_and_build_as_captured():
    for size, frame, event in REPLIES:
        assert Receiver(size).feed(frame) == [event]
        assert type(Receiver(size).feed(frame)[0]).__name__ == type(event).__name__
        if isinstance(event, Register):
            assert register_reply(event.chip, event.register, event.value, size) == frame
        else:
            assert nonce_reply(event, size) == frame
    assert nonce_reply(REPLIES[17][2]) == REPLIES[17][1]
    assert register_reply(0, 0, 0x13700000) == REPLIES[5][1]


def test_each_reply_decodes_however_it_is_cut():
    for size, frame, event in REPLIES:
        for cut in range(len(frame) + 1):
            receiver = Receiver(size)
            assert receiver.feed(frame[:cut]) + receiver.feed(frame[cut:]) == [event]
            assert receiver.dropped == 0


def test_any_single_flipped_bit_of_a_reply_is_refused():
    for size, frame, _ in REPLIES:
        for bit in range(8 * len(frame)):
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            assert Receiver(size).feed(bytes(broken)) == [], bit


def test_a_reply_of_an_unknown_kind_is_refused():
    from protocols.crc import crc5_reply

    for kind in range(8):
        body = bytes(8)
        frame = b"\xaa\x55" + body + bytes((crc5_reply(body, kind),))
        assert len(Receiver().feed(frame)) == (1 if kind in (0, 4) else 0)


def test_noise_is_dropped_and_counted():
    frame = REPLIES[17][1]
    receiver = Receiver()
    assert receiver.feed(b"\xaa\x55\xff" + frame) == [REPLIES[17][2]]
    assert receiver.dropped == 3
    assert receiver.feed(b"\x00\xaa") == [] and receiver.dropped == 4
    assert receiver.feed(frame[1:] + frame) == [REPLIES[17][2]] * 2
    assert receiver.dropped == 4


def test_the_receiver_changes_size_with_the_chips():
    receiver = Receiver(9)
    assert len(receiver.feed(REPLIES[1][1])) == 1
    receiver.size = 11
    assert receiver.feed(REPLIES[5][1]) == [Register(0, 0, 0x13700000)]
    assert receiver.dropped == 0


def test_a_reply_tells_its_job_and_place_and_back():
    for small_cores, nonce, expected in PLACES:
        assert hashboard.place(nonce, small_cores) == expected
        job, _, small_core = expected
        assert hashboard_chip.job_echo(job, small_core, small_cores) == nonce.job


def test_ticket_masks():
    for difficulty, mask in (
        (1, 0),
        (2, 0x80),
        (4, 0xC0),
        (8, 0xE0),
        (16, 0xF0),
        (32, 0xF8),
        (64, 0xFC),
        (128, 0xFE),
        (256, 0xFF),
        (512, 0x80FF),
        (1024, 0xC0FF),
        (2048, 0xE0FF),
        (4096, 0xF0FF),
        (8192, 0xF8FF),
        (65536, 0xFFFF),
    ):
        assert hashboard.ticket_mask(difficulty) == mask
        assert hashboard_chip.ticket_difficulty(mask) == difficulty
    assert hashboard.ticket_mask(1000) == hashboard.ticket_mask(512)


def test_core_registers_and_bauds():
    assert hashboard.core_write(0x0D, 0xEE) == 0x80008DEE
    assert hashboard.core_write(2, 0xAA) == 0x800082AA
    for word, bps in (
        (0x01301A00, 115_741),
        (0x11300200, 1_041_667),
        (0x01300000, 3_125_000),
        (0x11300000, 3_125_000),
        (0x15600700, 6_250_000),
    ):
        assert hashboard_chip.baud(word) == bps


def test_register_numbers():
    for name, number in (
        ("CHIP_ID", 0x00),
        ("PLL0", 0x08),
        ("NONCE_OFFSET", 0x0C),
        ("HASH_COUNTING", 0x10),
        ("TICKET_MASK", 0x14),
        ("MISC_CONTROL", 0x18),
        ("UART_BAUD", 0x28),
        ("UART_RELAY", 0x2C),
        ("CORE_CONTROL", 0x3C),
        ("NONCE_ERRORS", 0x4C),
        ("ANALOG_MUX", 0x54),
        ("IO_DRIVER", 0x58),
        ("PLL3", 0x68),
        ("DOMAIN_HASHES", 0x88),
        ("TOTAL_HASHES", 0x8C),
        ("VERSION_ROLLING", 0xA4),
        ("SOFT_RESET", 0xA8),
    ):
        assert getattr(hashboard, name) == number, name
