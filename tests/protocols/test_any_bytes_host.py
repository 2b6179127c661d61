"""No input makes a decoder raise anything but its own error, or keep more than a frame."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import (
    apw,
    dns,
    emc2101,
    emc2305,
    hashboard,
    hashboard_chip,
    identity,
    ina,
    ladder,
    mac,
    messages,
    midstates,
    pic,
    pll,
    pmbus,
    pmbus_supply,
    registers,
    sntp,
    tmp75,
    topics,
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
# noise with a good chance of preambles and of whole frames in it
FRAMES = (
    hashboard_chip.register_reply(2, 0, 0x13700002),
    hashboard_chip.register_reply(2, 0, 0x13700002, 9),
    hashboard_chip.nonce_reply(hashboard.Nonce(0x7552034C, 12, 0xD2, 0x05A2)),
    hashboard.read_register(0),
    hashboard.write_register(8, 0x50C00230, 4),
    hashboard.set_address(2),
    hashboard.chain_inactive(),
    midstates.midstate_frame(midstates.MidstateJob(4, 0, 1, 2, b"\x55\xaa" * 2, (b"\xaa" * 32,))),
    hashboard.job_frame(hashboard.Job(8, 0, 1, 2, b"\xaa\x55" * 16, b"\x55\xaa" * 16, 3)),
)
NOISE = st.lists(
    st.binary(max_size=12) | st.sampled_from((b"\x55\xaa", b"\xaa\x55", *FRAMES)), max_size=12
).map(b"".join)


def tried(error, call, *args):
    """What the call gives, or None when it refuses with its own error."""
    try:
        return call(*args)
    except error:
        return None


def members(kind):
    """An object with a message's members, right and wrong."""
    return st.fixed_dictionaries(
        {}, optional={name: ANY_JSON | st.just(1) for name in messages.TABLES[kind]}
    )


@pytest.mark.parametrize("kind", messages.TABLES)
@given(data=st.data())
def test_messages(kind, data):
    tried(messages.MessageError, messages.decode, kind, data.draw(st.binary(max_size=200)))
    values = data.draw(ANY_JSON | members(kind))
    tried(messages.MessageError, messages.decode, kind, json.dumps(values).encode())


@given(st.binary(max_size=200), st.text(max_size=20), st.binary(max_size=80))
def test_seals(message, topic, key):
    assert tried(mac.SealError, mac.unseal, key, topic, message) is None
    fake = message + b',"mac":"' + b"0" * 64 + b'"}'
    assert tried(mac.SealError, mac.unseal, key, topic, fake) is None


@given(st.text(max_size=60), st.lists(st.sampled_from(("surplus", "rig", "a", "cmd", "+", ""))))
def test_topics(text, parts):
    for topic in (text, "/".join(parts)):
        found = topics.parse(topic)
        assert found is None or topics.rig(*found) == topic


@given(ANY_JSON | st.lists(st.lists(st.integers(-5, 10**11), min_size=3, max_size=3), max_size=40))
def test_ladders(raw):
    steps = tried(ladder.LadderError, ladder.parse, raw)
    assert steps is None or [list(step) for step in steps] == raw


@given(st.binary(max_size=160), st.integers(0, 0xFF))
def test_boards_of_bitmain(data, command):
    for eeprom in (data, b"\x11\x4a" + data, b"\x11\x42" + data):
        tried(identity.IdentityError, identity.decoded, eeprom)
    for frame in (data, pic.request(command, data[:64]), pic.reply(command, data[:64])):
        tried(pic.PicError, pic.requested, frame)
        tried(pic.PicError, pic.replied, command, frame)


@given(st.binary(max_size=4), st.integers(-5, 70_000))
def test_monitors(data, number):
    for call in (ina.current_260_ma, ina.bus_260_mv, ina.power_260_mw, ina.bus_mv, ina.die_dc):
        tried(ina.InaError, call, data)
    tried(ina.InaError, ina.current_ma, data, number)
    tried(emc2101.Emc2101Error, emc2101.rpm, number)
    tried(emc2101.Emc2101Error, emc2101.duty, number)
    tried(emc2101.Emc2101Error, emc2101.external_dc, number & 0xFF, number >> 8 & 0xFF)


@given(NOISE, st.lists(st.integers(0, 300), max_size=6))
def test_a_hosts_commands_to_chips_that_take_midstates(noise, cuts):
    whole, parts = hashboard_chip.CommandReceiver(True), hashboard_chip.CommandReceiver(True)
    events = whole.feed(noise)
    assert listened(parts, noise, cuts, 152) == events
    assert (parts.bad, parts.dropped, parts._tail) == (whole.bad, whole.dropped, whole._tail)


@given(st.binary(max_size=80), st.sampled_from((1, 2)), st.integers(0, 0xFF))
def test_supplies_of_bitmain(data, version, kind):
    for frame in (data, apw.frame(kind, data[: len(data) // 2 * 2], version)):
        heard = tried(apw.ApwError, apw.decoded, frame, version)
        assert heard is None or apw.frame(*heard, version) == frame
    tried(apw.ApwError, apw.milli, data)
    tried(apw.ApwError, apw.word, data)
    tried(apw.ApwError, apw.n_of, int.from_bytes(data[:2], "little"), kind)
    tried(apw.ApwError, apw.sampled_mv, kind, kind)


@given(NOISE, st.sampled_from((9, 11)), st.lists(st.integers(0, 300), max_size=6))
def test_a_chains_replies(noise, size, cuts):
    whole, parts = hashboard.Receiver(size), hashboard.Receiver(size)
    events = whole.feed(noise)
    assert listened(parts, noise, cuts, size) == events
    assert (parts.dropped, parts._tail) == (whole.dropped, whole._tail)
    assert whole.dropped + len(whole._tail) + size * len(events) == len(noise)


@given(NOISE, st.lists(st.integers(0, 300), max_size=6))
def test_a_hosts_commands(noise, cuts):
    whole, parts = hashboard_chip.CommandReceiver(), hashboard_chip.CommandReceiver()
    events = whole.feed(noise)
    assert listened(parts, noise, cuts, hashboard.JOB_SIZE) == events
    assert (parts.bad, parts.dropped, parts._tail) == (whole.bad, whole.dropped, whole._tail)
    assert whole.bad <= whole.dropped <= len(noise)


def listened(receiver, noise, cuts, most):
    """Fed in pieces, it hears the same and never keeps a whole frame."""
    events, at = [], 0
    for cut in [*sorted(cuts), len(noise)]:
        events += receiver.feed(noise[at:cut])
        assert len(receiver._tail) < most
        at = max(at, min(cut, len(noise)))
    return events


@given(st.binary(max_size=40), st.integers(0, 127), st.integers(0, 255))
def test_a_supplys_replies(reply, address, command):
    for call in (pmbus.checked, pmbus_supply.checked_block, pmbus_supply.checked_write):
        tried(pmbus.PmbusError, call, address, command, reply)
    tried(pmbus.PmbusError, pmbus.word_of, reply)
    assert pmbus.checked(address, command, pmbus_supply.answered(address, command, b"x" + reply))


@given(st.integers(0, 0xFFFF), st.integers(0, 255))
def test_a_supplys_numbers(word, mode):
    assert pmbus.linear11(word) <= 1023 * 2**15 * 1000
    assert len(pmbus_supply.status_names(word)) == word.bit_count()
    exponent = tried(pmbus.PmbusError, pmbus.vout_exponent, mode)
    if exponent is not None:
        milli = pmbus.ulinear16(word, exponent)
        if exponent >= -9:  # coarser than a millivolt: nothing is lost
            assert pmbus.to_ulinear16(milli, exponent) == word


@given(st.binary(max_size=4), st.integers(0, 255))
def test_thermometers_and_fans(reply, config):
    tenths = tried(tmp75.Tmp75Error, tmp75.temperature_dc, reply)
    assert tenths is None or tmp75.LOW_DC <= tenths <= tmp75.HIGH_DC
    rpm = tried(emc2305.Emc2305Error, emc2305.rpm, reply, emc2305.multiplier(config))
    assert rpm is None or rpm >= 0


@given(st.sampled_from(sorted(pll.CHIPS)), st.integers(0, 0xFFFF_FFFF), st.integers(0, 2_000_000))
def test_clocks(model, word, khz):
    assert pll.khz(model, word) >= 0
    made = tried(pll.PllError, pll.word, model, khz)
    assert made is None or pll.khz(model, made) > 0


NAMES = [register.name for register in registers.every()]


@given(
    st.sampled_from([*NAMES, "volts"]),
    st.integers(-2, 500) | st.sampled_from([row.address for row in registers.every()]),
    st.lists(st.integers(-1, 0x10000), max_size=70),
)
def test_registers(name, address, words):
    tried(registers.RegisterError, registers.decode, name, words)
    tried(registers.RegisterError, registers.written, address, words)
    values = tried(registers.RegisterError, registers.named, address, words)
    assert values is None or len(values) <= len(words)


@given(st.sampled_from(NAMES), ANY_JSON)
def test_register_values(name, value):
    words = tried(registers.RegisterError, registers.encode, name, value)
    assert words is None or len(words) == registers.find(name).words


@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 255))
def test_an_answer_of_dns_is_addresses_or_refused(noise, at, byte):
    good = b"\0\7\x81\x80\0\1\0\2\0\0\0\0" + dns.question(7, "a.site")[12:]
    good += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1" * 2
    changed = good[:at] + bytes((byte,)) + good[at + 1 :]
    for data in (noise, good[:12] + noise, good + noise, changed, changed[:at]):
        found = tried(dns.DnsError, dns.addresses, 7, "a.site", data)
        assert found is None or (1 <= len(found) <= dns.ANSWERS_MAX and found[0].count(".") == 3)


@given(st.binary(max_size=60), st.integers(0, 10_000))
def test_an_answer_of_sntp_is_a_time_or_refused(noise, round_trip_ms):
    nonce = bytes(range(8))
    for data in (noise, b"\x24\2" + bytes(22) + nonce + noise):
        found = tried(sntp.SntpError, sntp.unix_ms, nonce, data, round_trip_ms)
        assert found is None or found > 0
