"""The line of a chain: rates, noise, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.chips import line, tickets
from hil.chips.bm13xx import Chain
from hil.chips.line import WAITING_MAX
from protocols import hashboard as wire
from tests.hil.chains import (
    FAST,
    IDS,
    INACTIVE,
    MODELS,
    READ_ID,
    ROLLING,
    SLOW,
    job_of,
    started,
    working,
)


def test_a_chip_that_alone_changes_its_rate_cuts_off_what_is_behind():
    chain = started(1370, 5)
    chain.write(INACTIVE, SLOW, 0)
    for chip in range(5):
        chain.write(wire.set_address(2 * chip), SLOW, 0)
    chain.write(wire.write_register(wire.UART_BAUD, 0x0130_0000, 4), SLOW, 0)
    chain.write(READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 2 * 11
    chain.power(False)
    chain.power(True)
    chain.write(READ_ID, SLOW, 0)
    assert len(chain.read(SLOW, 1e9)) == 5 * 9


def test_a_bm1397_changes_its_rate_by_other_registers():
    chain = working(1397)
    chain.write(wire.write_register(wire.MISC_CONTROL, 0x0000_6031), SLOW, 0)
    assert chain.baud == FAST
    chain.write(READ_ID, FAST, 0)
    assert chain.read(FAST, 1e9) == bytes.fromhex(IDS[1397])


def test_a_frame_in_noise_is_found_again():
    chain = started(1366)
    for noise in (b"\x55", b"\x55\xaa", b"\x00\xff" * 20, READ_ID[:5]):
        chain.write(noise, SLOW, 0)
        chain.write(bytes(100), SLOW, 0)  # as much as any frame that may have begun can want
        chain.write(READ_ID, SLOW, 0)
        assert chain.read(SLOW, 1e9) == bytes.fromhex(IDS[1366]), noise


def test_noise_on_the_line_comes_in_bursts():
    chain = started(1366, 20)
    chain.line.noisy = True
    chain.write(READ_ID, SLOW, 10.5)
    assert len(wire.Receiver().feed(chain.read(SLOW, 10.8))) == 20
    hit = []
    for second in range(20):
        chain.write(READ_ID, SLOW, second + 0.05)
        hit.append(len(wire.Receiver().feed(chain.read(SLOW, second + 0.09))))
    assert min(hit) == 0 and max(hit) < 20
    assert chain.refused > 0


@st.composite
def conversations(draw):
    frames = st.one_of(
        st.binary(max_size=20),
        st.builds(wire.read_register, st.integers(0, 255), st.none() | st.integers(0, 255)),
        st.builds(
            wire.write_register,
            st.integers(0, 255),
            st.integers(0, 2**32 - 1),
            st.none() | st.integers(0, 255),
        ),
        st.builds(wire.set_address, st.integers(0, 255)),
        st.sampled_from((INACTIVE, ROLLING, READ_ID, job_of(1397), job_of(1370), job_of(1370, 0))),
    )
    return draw(st.lists(frames, max_size=30))


@pytest.mark.parametrize("model", MODELS)
@given(said=conversations(), baud=st.sampled_from((SLOW, FAST, 1, 6_250_000)))
def test_any_bytes_do_no_harm(model, said, baud):
    chain = Chain(model, 5)
    chain.power(True)
    for n, data in enumerate(said):
        chain.write(data, SLOW if n % 3 else baud, n)
        chain.step(1.0, n + 1)
        chain.read(chain.baud if n % 2 else baud, n + 1)
        assert 0 <= chain.working() <= 1 and chain.mhz() >= 0 and chain.baud > 0
    registers, found = chain._registers, chain._hashing._tickets._found
    assert len(chain.line._out) <= WAITING_MAX and len(found) <= tickets.REMEMBERED
    assert len(registers._all) <= 256 + 32
    assert all(len(own) <= 5 for own in registers._own.values())
    assert len(registers._odd) <= 5 * 32 and all(len(o) <= 168 for o in registers._odd.values())
    assert len(chain._ear._tail) < 152


def test_a_host_that_never_listens_costs_nothing():
    chain = started(1370, 65)
    for _ in range(200):
        chain.write(READ_ID, SLOW, 0)
    assert len(chain.line._out) == line.WAITING_MAX
