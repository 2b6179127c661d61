"""A bus that is held is clocked free, once a second at most; on both runtimes."""

from exchange import Exchange, Pin, raises

from firmware import clock
from firmware.drivers import i2c_bus
from firmware.drivers.i2c_bus import CLOCKS, I2cBus

HELD, NOBODY = OSError(116, "timed out"), OSError(19)


def made(*steps):
    """A bus, the conversation all its machines share, the clock pins it took."""
    talk, pins = Exchange(*steps), []

    def scl():
        pins.append(Pin(1))
        return pins[-1]

    return I2cBus(lambda: talk, scl), talk, pins


def test_what_goes_well_is_passed_on():
    bus, talk, pins = made(("read", 0, b"\x19\x00"), ("write", 1, b"\x60"))
    assert bus.readfrom_mem(0x48, 0, 2) == b"\x19\x00"
    bus.writeto_mem(0x48, 1, b"\x60")
    assert talk.done() and pins == [] and bus.freed == 0


def test_a_held_bus_gets_nine_clocks_and_the_transfer_still_fails():
    for step in (("read", 0, HELD), ("write", 0, HELD)):
        bus, talk, pins = made(step, ("read", 0, b"\x19\x00"))
        call = bus.readfrom_mem if step[0] == "read" else bus.writeto_mem
        raises(OSError, call, 0x48, 0, 2 if step[0] == "read" else HELD)
        assert pins[0].history == [0, 1] * CLOCKS and CLOCKS == 9 and bus.freed == 1
        assert bus.readfrom_mem(0x48, 0, 2) == b"\x19\x00" and talk.done()


def test_nobody_there_is_no_held_bus():
    bus, _, pins = made(("read", 0, NOBODY))
    raises(OSError, bus.readfrom_mem, 0x48, 0, 2)
    assert pins == [] and bus.freed == 0


def test_a_bus_held_for_good_is_clocked_once_a_second():
    now_ms, real = [0], (clock.now_ms, clock.since_ms)
    clock.now_ms, clock.since_ms = lambda: now_ms[0], lambda then_ms: now_ms[0] - then_ms
    try:
        bus, _, pins = made(*[("read", 0, HELD)] * 4)
        for at_ms, tried in ((0, 1), (999, 1), (1_000, 2), (1_001, 2)):
            now_ms[0] = at_ms
            raises(OSError, bus.readfrom_mem, 0x48, 0, 2)
            assert bus.freed == len(pins) == tried, at_ms
    finally:
        clock.now_ms, clock.since_ms = real
    assert i2c_bus.AGAIN_MS == 1_000
