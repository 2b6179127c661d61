"""A rig's ladder, and what it admits at a position on the site's merit order.

    position_w   0 ....... start_w ======= end_w ..... start_w ===== end_w ...
    this rig       asleep     (waking: all      level 1    (a fraction of    level 3
                               or nothing)                  the step)

The site's merit order is one line of watts.  A rig owns some stretches of it,
its steps; no two rigs own the same watt.  So whatever the position, what all
rigs admit together is never more than the position.  Integers throughout: the
ESP32's floats hold 24 bits, and a site has 27 bits of watts.
"""

from collections import namedtuple

# reach `level` when the position has passed end_w; part of the way inside the step
Step = namedtuple("Step", ("level", "start_w", "end_w"))
# level held, and how far towards the next step's level, in 1/1000
Admitted = namedtuple("Admitted", ("level", "next_level", "part_pm"))

ASLEEP = Admitted(0, 0, 0)
STEPS_MAX = 32
POSITION_W_MAX = 10_000_000_000


class LadderError(ValueError):
    """This list cannot be a ladder."""


def parse(raw: object) -> tuple[Step, ...]:
    """A ladder from its message form [[level, start_w, end_w], ...].

    Levels and positions rise; no step is empty.  Raises LadderError.
    """
    if not isinstance(raw, list) or len(raw) > STEPS_MAX:
        raise LadderError(f"a ladder is a list of at most {STEPS_MAX} steps")
    steps: list[Step] = []
    level, reached_w = 0, 0
    for item in raw:
        if not isinstance(item, list) or len(item) != 3:
            raise LadderError("a step is [level, start_w, end_w]")
        for number in item:
            if type(number) is not int:
                raise LadderError("a step is made of integers")
        step = Step(item[0], item[1], item[2])
        if not (step.level > level and reached_w <= step.start_w < step.end_w <= POSITION_W_MAX):
            raise LadderError(f"step {len(steps)} does not rise")
        level, reached_w = step.level, step.end_w
        steps.append(step)
    return tuple(steps)


def admit(steps: tuple[Step, ...], position_w: int) -> Admitted:
    """What a rig may do at this position.

    The step from sleep is all or nothing, because a rig cannot half wake; every
    other step may be taken in part, by frequency.
    """
    level = 0
    for step in steps:
        if step.end_w > position_w:
            if level and step.start_w < position_w:
                part_pm = (position_w - step.start_w) * 1000 // (step.end_w - step.start_w)
                return Admitted(level, step.level, part_pm)
            break
        level = step.level
    return Admitted(level, level, 0)


def admitted_w(steps: tuple[Step, ...], position_w: int) -> int:
    """The watts of the merit order this rig takes at this position."""
    total_w, awake = 0, False
    for step in steps:
        if step.end_w <= position_w:
            total_w, awake = total_w + step.end_w - step.start_w, True
        elif awake and step.start_w < position_w:
            total_w += position_w - step.start_w
    return total_w
