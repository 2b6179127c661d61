"""What tells one BM13xx chip from another: identity, cores, and the form of its jobs.

Sources: hashboard.md, beside this file.  The hash clock's limits are in pll.py.
"""

from collections import namedtuple

# chip_id: CHIP_ID before addressing.  small_cores: of the whole chip, each one hash a clock.
# per_core: small cores of a core, and so the versions tried at once.  midstates: how many a
# job carries; 0 where a job is a whole header.  job_step: from one job's id to the next.
Chip = namedtuple("Chip", ("chip_id", "cores", "small_cores", "per_core", "midstates", "job_step"))
CHIPS = {
    1362: Chip(0x1362_0300, 65, 514, 8, 0, 8),
    1366: Chip(0x1366_0000, 112, 894, 8, 0, 8),
    1368: Chip(0x1368_0000, 80, 1276, 16, 0, 24),
    1370: Chip(0x1370_0000, 128, 2040, 16, 0, 24),
    1397: Chip(0x1397_1800, 168, 672, 4, 4, 4),
}
JOB_IDS = 128  # an id is a byte below this


def identified(chip_id: int) -> int | None:
    """The chip that answers CHIP_ID so, whatever its address; None for none we know."""
    for model, chip in CHIPS.items():
        if chip.chip_id >> 16 == chip_id >> 16:
            return model
    return None


def next_job(model: int, job: int) -> int:
    """The id after this one; each comes again only after all others."""
    return int((job + CHIPS[model].job_step) % JOB_IDS)


def hash_ghs(model: int, khz: int, chips: int) -> int:
    """What so many chips at this clock hash when all is well."""
    return int(khz * CHIPS[model].small_cores * chips // 1_000_000)
