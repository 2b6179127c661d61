"""Chains for tests: brought up by the captured frames of their start, and listened to."""

from hil.chips.bm13xx import Chain
from protocols import bm13xx, hashboard_chip, midstates
from protocols import hashboard as wire

SLOW, FAST = 115_200, 3_125_000
MODELS = sorted(bm13xx.CHIPS)
READ_ID = bytes.fromhex("55AA520500000A")
ROLLING = bytes.fromhex("55AA510900A49000FFFF1C")
INACTIVE = bytes.fromhex("55AA5305000003")
# captured answers to READ_ID, unaddressed and after ROLLING, which a BM1397 does not know
IDS = {
    1362: "AA551362030000000000 1E",
    1366: "AA551366000000000000 05",
    1368: "AA551368000000000000 0F",
    1370: "AA551370000000000000 10",
    1397: "AA5513971800000006",
}
# the start of each, as captured or as a running host sends it, once addresses are dealt:
# all CRCs as recorded
STARTS = {
    1362: """51 09 00 3C 80 00 85 40 0C|51 09 00 3C 80 00 80 08 05|51 09 00 14 00 00 00 FF 08|
        51 09 00 54 00 00 00 03 1D|51 09 00 58 00 01 11 11 0D|51 09 00 08 40 A8 02 30 03|
        41 09 00 A8 00 00 00 02 03|41 09 00 18 B0 00 C1 00 1C|41 09 00 3C 80 00 85 40 04|
        41 09 00 3C 80 00 80 08 0D|41 09 00 3C 80 00 82 AA 05|51 09 00 10 00 00 13 81 08""",
    1366: """51 09 00 3C 80 00 85 40 0C|51 09 00 3C 80 00 80 20 19|51 09 00 14 00 00 00 FF 08|
        51 09 00 54 00 00 00 03 1D|51 09 00 58 02 11 11 11 06|41 09 00 2C 00 7C 00 03 03|
        41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|41 09 00 3C 80 00 85 40 04|
        41 09 00 3C 80 00 80 20 11|41 09 00 3C 80 00 82 AA 05|51 09 00 08 50 C2 02 40 1C|
        51 09 00 10 00 0D 32 24 10""",
    1368: """51 09 00 3C 80 00 8B 00 12|51 09 00 3C 80 00 80 18 1F|51 09 00 14 00 00 00 FF 08|
        41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|41 09 00 3C 80 00 8B 00 1A|
        41 09 00 3C 80 00 80 18 17|41 09 00 3C 80 00 82 AA 05|51 09 00 08 50 C4 02 40 06|
        51 09 00 10 00 0D 0F AC 1B""",
    1370: """51 09 00 3C 80 00 8B 00 12|51 09 00 3C 80 00 80 0C 11|51 09 00 14 00 00 00 FF 08|
        51 09 00 58 00 01 11 11 0D|41 09 00 A8 00 07 01 F0 15|41 09 00 18 F0 00 C1 00 0C|
        41 09 00 3C 80 00 8B 00 1A|41 09 00 3C 80 00 80 0C 19|41 09 00 3C 80 00 82 AA 05|
        51 09 00 B9 00 00 44 80 0D|51 09 00 54 00 00 00 02 18|51 09 00 3C 80 00 8D EE 1B|
        51 09 00 08 40 A8 02 30 03|51 09 00 10 00 0C 2F B7 18""",
    1397: """51 09 00 80 00 00 00 00 1C|51 09 00 84 00 00 00 00 11|51 09 00 20 00 00 00 01 02|
        51 09 00 3C 80 00 80 74 10|51 09 00 14 00 00 00 FF 08|51 09 00 68 C0 70 01 11 00|
        51 09 00 28 06 00 00 0F 18|51 09 00 18 00 00 7A 31 15|51 09 00 70 0F 0F 0F 00 19|
        51 09 00 08 40 44 02 21 07""",
}
MHZ = {1362: 525, 1366: 485, 1368: 490, 1370: 525, 1397: 425}


def job_of(model: int, job: int = 0x48) -> bytes:
    if bm13xx.CHIPS[model].midstates:
        return midstates.midstate_frame(
            midstates.MidstateJob(job, 0, 1, 2, bytes(4), (bytes(32),) * 4)
        )
    return wire.job_frame(wire.Job(job, 0, 1, 2, bytes(32), bytes(32), 0x2000_0000))


def started(model: int, chips: int = 1, seed: int = 7) -> Chain:
    chain = Chain(model, chips, seed)
    chain.power(True)
    if model != 1397:
        chain.write(ROLLING, SLOW, 0)
    return chain


def working(model: int, chips: int = 1, seed: int = 7) -> Chain:
    """By the captured frames; those for chip 0 repeated for each."""
    chain = started(model, chips, seed)
    chain.write(INACTIVE, SLOW, 0)
    for chip in range(chips):
        chain.write(wire.set_address(2 * chip), SLOW, 0)
    for text in STARTS[model].split("|"):
        frame = bytes.fromhex("55AA" + text)
        chain.write(frame, SLOW, 0)
        (event,) = hashboard_chip.CommandReceiver().feed(frame)
        for chip in range(1, chips if event.chip is not None else 0):
            again = wire.write_register(event.register, event.value, 2 * chip)
            chain.write(again, SLOW, 0)
    chain.write(job_of(model), SLOW, 0)
    assert chain.refused == 0
    return chain


def heard(chain: Chain) -> list[wire.Nonce]:
    size = 9 if chain.model == 1397 else 11
    return [
        event
        for event in wire.Receiver(size).feed(chain.read(chain.baud, 1e9))
        if isinstance(event, wire.Nonce)
    ]


def run(chain: Chain, seconds: float, start_s: float = 0.0, dt_s: float = 0.1) -> list[wire.Nonce]:
    found = []
    for n in range(1, round(seconds / dt_s) + 1):
        chain.step(dt_s, start_s + n * dt_s)
        found += heard(chain)
    return found
