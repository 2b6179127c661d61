"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

The frames are those of Bitmain's own programs and papers: apw.md.
"""

from protocols import apw
from protocols.apw import ApwError, frame

# version, bytes, command, data
FRAMES = (
    (1, "55AA04010500", apw.FIRMWARE, ""),
    (1, "55AA04020600", apw.TYPE, ""),
    (1, "55AA04030700", apw.GET_VOLTAGE, ""),
    (1, "55AA0606402 06C00", apw.READ_EEPROM, "4020"),
    (1, "55AA060600202C00", apw.READ_EEPROM, "0020"),
    (1, "55AA068100008700", apw.WATCHDOG, "0000"),
    (1, "55AA068101008800", apw.WATCHDOG, "0100"),
    (1, "55AA068309009200", apw.SET_VOLTAGE, "0900"),
    (1, "55AA0683A7003001", apw.SET_VOLTAGE, "A700"),
    (1, "55AA0683FF008801", apw.SET_VOLTAGE, "FF00"),
    (1, "55AA048A8E00", apw.CLEAR_STATUS, ""),
    (1, "55AA060271007900", apw.TYPE, "7100"),
    (1, "55AA06041A032700", apw.MEASURED, "1A03"),
    (1, "55AA0608980DB300", apw.INPUT_POWER, "980D"),
    (2, "55AA04010401", apw.FIRMWARE, ""),
    (2, "55AA0806000020002806", apw.READ_EEPROM, "00002000"),
    (2, "55AA048E048E", apw.CLEAR_ERRORS, ""),
    (2, "55AA068100000681", apw.WATCHDOG, "0000"),
    (2, "55AA068100010682", apw.WATCHDOG, "0001"),
    (2, "55AA088300009841A0C4", apw.SET_VOLTAGE, "00009841"),
    (2, "55AA08839A995941FB5D", apw.SET_VOLTAGE, "9A995941"),
    (2, "55AA060262006802", apw.TYPE, "6200"),
    (2, "55AA08048FC297412E08", apw.MEASURED, "8FC29741"),
    (2, "55AA080800C05A45620D", apw.INPUT_POWER, "00C05A45"),
)


def refusal(call, *args):
    try:
        call(*args)
    except ApwError as error:
        return str(error)
    raise AssertionError("taken")


def test_frames_of_both_versions_match_the_record_both_ways():
    for version, text, command, digits in FRAMES:
        raw, data = bytes.fromhex(text.replace(" ", "")), bytes.fromhex(digits)
        assert frame(command, data, version) == raw, text
        assert apw.decoded(raw, version) == (command, data), text


def test_a_frame_that_is_none_is_refused_with_what_is_wrong():
    good = frame(apw.TYPE, b"\x71\0")
    assert "no frame" in refusal(apw.decoded, b"")
    assert "no frame" in refusal(apw.decoded, b"\xaa\x55" + good[2:])
    assert "length says 8" in refusal(apw.decoded, good + b"\0")
    assert "wrong sum" in refusal(apw.decoded, good, 2)
    assert "odd" in refusal(apw.decoded, frame(apw.TYPE, b"\x71"), 2)


def test_any_flipped_bit_is_refused():
    for version in (1, 2):
        good = frame(apw.SET_VOLTAGE, b"\xa7\0\x11\x22", version)
        for at in range(len(good)):
            for bit in range(8):
                wrong = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
                refusal(apw.decoded, wrong, version)


def test_set_points_are_those_of_the_makers_programs():
    for mv, n in ((15_000, 9), (13_000, 167), (12_600, 198), (12_000, 246)):
        assert apw.n_of(mv, 0x71) == n
    assert apw.n_of(13_000, 0xC1, 3) == 170 and apw.n_of(13_000, 0xC1, 4) == 162
    assert apw.n_of(18_000, 0x61) == 204


def test_a_set_point_and_its_volts_are_one():
    for kind, own in apw.TYPES.items():
        for mv in range(own.low_mv, own.high_mv, 37):
            try:
                n = apw.n_of(mv, kind)
            except ApwError:  # beyond 255 at the lowest volts of some
                continue
            step_mv = 1_000_000_000 // own.b + 1
            assert 0 <= apw.mv_of(n, kind) - mv <= step_mv, (kind, mv)


def test_volts_a_supply_cannot_give_are_refused():
    assert "from 11960 to 15120" in refusal(apw.n_of, 15_121, 0x71)
    assert "type 0x99" in refusal(apw.n_of, 13_000, 0x99)


def test_measured_volts():
    assert apw.sampled_mv(794, 0x71) == 12_606
    assert "not known" in refusal(apw.sampled_mv, 794, 0x41)


def test_numbers_of_version_2():
    assert apw.volts(19_000) == bytes.fromhex("00009841")
    assert apw.milli(bytes.fromhex("8FC29741")) == 18_970
    assert apw.milli(bytes.fromhex("00C05A45")) == 3_500_000
    assert "cannot be" in refusal(apw.milli, b"\0\0\xc0\x7f")
    assert "cannot be" in refusal(apw.milli, b"\0\0\x80\x7f")
    assert "4 bytes" in refusal(apw.milli, b"\0\0")
    assert apw.word(b"\x34\x12") == 0x1234 and apw.word(b"\1\0\0\0") == 1
    assert "2 or 4" in refusal(apw.word, b"\0\0\0")


def test_sizes_of_replies():
    assert apw.reply_size(apw.TYPE) == 8 and apw.reply_size(apw.TEMPERATURES) == 12
    assert apw.reply_size(apw.MEASURED, 2) == 10 and apw.reply_size(apw.ERRORS, 2) == 16
    assert apw.reply_size(apw.READ_EEPROM, 1, 32) == 39
    assert apw.reply_size(apw.READ_EEPROM, 2, 32) == 40
    assert apw.reply_size(0x20) == 0 and apw.reply_size(apw.ERRORS, 1) == 0


def test_every_reply_is_as_long_as_the_makers_programs_expect():
    # command: data bytes of its reply
    sizes = (
        {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 8: 2, 9: 6, 10: 8, 12: 4, 13: 4, 0x81: 2, 0x83: 2, 0x8A: 0},
        {1: 2, 2: 2, 3: 4, 4: 4, 5: 2, 7: 2, 8: 4, 9: 10, 11: 2, 12: 4, 13: 4, 14: 10, 15: 68}
        | {0x81: 2, 0x83: 4, 0x8E: 10},
    )
    for version in (1, 2):
        for command in range(256):
            if command != 6:
                data = sizes[version - 1].get(command)
                wanted = 0 if data is None else data + 6
                assert apw.reply_size(command, version) == wanted, (version, command)
    assert apw.SIZE_MAX >= 68 + 6


def test_volts_of_every_type_as_the_makers_programs_count_them():
    # type, its range in mV, set points at 14.5 V (or in mid-range), uV a count of MEASURED
    for kind, low, high, mv, n, sample in (
        (0x22, 16_000, 20_300, 18_000, 137, 0),
        (0x41, 14_200, 21_400, 18_000, 120, 0),
        (0x42, 14_200, 21_400, 18_000, 120, 0),
        (0x43, 11_300, 15_600, 14_500, 66, 0),
        (0x61, 17_000, 21_900, 21_000, 47, 0),
        (0x71, 11_960, 15_120, 14_500, 49, 15_876),
        (0x72, 11_960, 15_120, 14_500, 49, 0),
        (0x73, 13_900, 17_300, 14_500, 207, 18_957),
        (0x74, 11_840, 15_190, 14_500, 52, 0),
        (0x75, 11_960, 15_120, 14_500, 49, 15_876),
        (0x76, 11_840, 15_190, 14_500, 52, 15_876),
        (0x77, 11_960, 15_120, 14_500, 49, 15_876),
        (0x78, 13_900, 17_300, 17_300, 0, 18_957),
        (0xC1, 11_700, 15_300, 14_500, 56, 3_965),
        (0xC2, 11_700, 15_300, 15_300, 0, 3_965),
    ):
        own = apw.TYPES[kind]
        assert (own.low_mv, own.high_mv, own.sample_uv) == (low, high, sample), hex(kind)
        assert apw.n_of(mv, kind) == n, hex(kind)
    assert apw.settings(0xC2, 3).low_mv == 12_000 and apw.settings(0xC1, 3).high_mv == 15_000
    assert apw.TYPES_2[0x62] == (17_000, 21_600) and apw.TYPES_2[0x6A] == (12_000, 16_000)
