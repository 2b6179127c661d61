"""The hash clock of BM13xx chips: kilohertz to the word of PLL0, and back.

    clock = 25 MHz * FB / (REF * POST1 * POST2)

Field layout and ranges: hashboard.md, beside this file.
"""

from collections import namedtuple

CRYSTAL_KHZ = 25_000
VCO_KHZ_MAX = 3_200_000
_VCO_HIGH_KHZ = 2_400_000  # from here on the later chips want bit 28
# feedback dividers and lowest VCO allowed; what is taken off a post divider before it
# is written; cores as a power of two; ticks of the sweep the chip needs for itself
Chip = namedtuple("Chip", ("fb_low", "fb_high", "vco_khz_min", "post_offset", "cores", "overrun"))
CHIPS = {
    1362: Chip(16, 250, 2_000_000, 1, 128, 0),
    1366: Chip(144, 235, 1_800_000, 1, 128, 0),
    1368: Chip(144, 235, 1_800_000, 1, 128, 0),
    1370: Chip(160, 239, 1_600_000, 1, 128, 268),
    1397: Chip(60, 200, 750_000, 0, 256, 0),
}


class PllError(ValueError):
    """The chip cannot make this clock."""


def word(model: int, khz: int) -> int:
    """The PLL0 word for the clock nearest to khz.  Raises PllError when there is none.

    Of equally near ones the lowest VCO.  POST1 is always the larger post divider.
    """
    best: tuple[int, ...] | None = None
    for ref in (2, 1):
        for post1 in range(7, 1, -1):
            for post2 in range(post1 - 1, 0, -1):
                divider = ref * post1 * post2
                fb = (khz * divider + CRYSTAL_KHZ // 2) // CRYSTAL_KHZ
                if not _allowed(model, fb, ref):
                    continue
                off = abs(CRYSTAL_KHZ * fb - khz * divider)
                found = (off, divider, fb * CRYSTAL_KHZ // ref, fb, ref, post1, post2)
                if best is None or _better(found, best):
                    best = found
    if best is None:
        raise PllError(f"BM{model}: no divider makes {khz} kHz")
    _, _, vco_khz, fb, ref, post1, post2 = best
    offset: int = CHIPS[model].post_offset
    top = 0x50 if offset and vco_khz >= _VCO_HIGH_KHZ else 0x40
    posts = (post1 - offset) << 4 | post2 - offset
    return top << 24 | fb << 16 | ref << 8 | posts


def khz(model: int, pll0: int, out: int = 0) -> int:
    """The clock a PLL0 word makes, to the nearest kHz; 0 when it makes none.

    out is the output divider of BM1397 (register 70, low byte), one less than it divides by.
    """
    offset: int = CHIPS[model].post_offset
    fb, ref = pll0 >> 16 & 0xFFF, pll0 >> 8 & 0x3F
    divider = ref * ((pll0 >> 4 & 7) + offset) * ((pll0 & 7) + offset) * (out + 1)
    return (CRYSTAL_KHZ * fb + divider // 2) // divider if divider else 0


def hash_counting_number(model: int, khz: int, chips: int) -> int:
    """HASH_COUNTING for this clock: how many 25 MHz ticks a sweep lasts.

    One sweep covers a core's slice of the nonces, two nonces a tick of the hash clock.
    """
    cores: int = CHIPS[model].cores
    overrun: int = CHIPS[model].overrun
    slots = 1
    while slots < chips:
        slots *= 2
    nonces = 2**32 // cores // slots
    return max(1, nonces * CRYSTAL_KHZ // (2 * khz) - overrun)


def _allowed(model: int, fb: int, ref: int) -> bool:
    chip, vco_khz = CHIPS[model], fb * CRYSTAL_KHZ // ref
    if model == 1362 and ref == 1 and vco_khz > 3_125_000:
        return False  # that chip's own limit, by its maker's solver
    if not chip.fb_low <= fb <= chip.fb_high:
        return False
    return bool(chip.vco_khz_min <= vco_khz <= VCO_KHZ_MAX)


def _better(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Nearer, then lower VCO; all in integers."""
    mine, theirs = one[0] * other[1], other[0] * one[1]
    if mine != theirs:
        return mine < theirs
    return one[2] < other[2]
