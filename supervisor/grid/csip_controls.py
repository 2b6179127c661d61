"""IEEE 2030.5 controls as words: what CSIP-AUS lets a site import.

    opModImpLimW       import of the site, W           a limit
    opModLoadLimW      what its loads draw, W          the same to a site that is one load
    DefaultDERControl  the same two, when no control runs; setGradW, hundredths of % a second

Objects are py20305's.  Of programs and of controls in them the lowest primacy holds, of
equals the lower limit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from supervisor.loss import stagger_s
from supervisor.plan import Word

LIMITS = ("opModImpLimW", "opModLoadLimW")
GONE = (2, 3, 4)  # of an EventStatus: cancelled, cancelled with randomisation, superseded
W_MOST = 10**10
RECEIVED, STARTED, COMPLETED, CANCELLED = 1, 2, 3, 6


class ControlError(ValueError):
    """A control that cannot be followed; the text names it and what would be right."""


@dataclass(frozen=True, slots=True)
class Default:
    """w: what holds when no control runs; None when nobody says.  grad: of full power a second."""

    w: int | None = None
    grad: float | None = None


def called(control: Any) -> str:
    return f"control {control.m_rid.value.hex().lstrip('0') or '0'}"


def import_w(name: str, base: Any) -> int | None:
    """The lowest of what a DERControlBase allows to import.  Raises ControlError."""
    from py20305.models.csipaus.elements import doe_element_name, doe_value_multiplier

    found = []
    for element in base.other_element:
        kind = doe_element_name(element)
        if kind not in LIMITS:
            continue
        power = doe_value_multiplier(element)
        if power is None or abs(power[1]) > 9:
            raise ControlError(f"{name}: {kind} has no number of watts")
        w = power[0] * 10.0 ** power[1]
        if w < 0:
            raise ControlError(f"{name}: {kind} is {w:g} W; import is 0 or more")
        found.append(min(W_MOST, int(w)))
    return min(found, default=None)


def words(controls: Iterable[Any], primacy: int, site: str, ahead_s: float) -> list[Word]:
    """The controls of a program that limit import and still count.

    ahead_s: how far the server's clock is ahead of ours.  Raises ControlError.
    """
    found = []
    for control in controls:
        try:
            if control.event_status.current_status in GONE:
                continue
            w = import_w(called(control), control.dercontrol_base)
            if w is not None:
                from_s, until_s = span_s(control, site, ahead_s)
                found.append(Word(called(control), ((from_s, w),), until_s, primacy))
        except (TypeError, AttributeError, OverflowError) as error:  # text where a number belongs
            raise ControlError(f"a control: {type(error).__name__} {error}") from None
    return found


def span_s(control: Any, site: str, ahead_s: float) -> tuple[float, float]:
    """When it runs by our clock, with this site's own part of what is to be random."""
    name = control.m_rid.value.hex()
    start_s = control.interval.start.value - ahead_s
    shift_s = _random_s(site, name, control.randomize_start)
    length_s = control.interval.duration + _random_s(site, name + "d", control.randomize_duration)
    return start_s + shift_s, start_s + shift_s + max(0.0, length_s)


def _random_s(site: str, name: str, most: Any) -> float:
    """Between nothing and what is given, before or after by its sign."""
    if most is None:
        return 0.0
    part_s = stagger_s(site, name, abs(most.value))
    return part_s if most.value > 0 else -part_s


def default_of(programs: Sequence[Any]) -> Default:
    """Of the program with the lowest primacy that has one.  Raises ControlError."""
    for program in sorted(programs, key=lambda one: one.primacy):
        said = program.default_dercontrol
        if said is None:
            continue
        w = import_w("the default control", said.dercontrol_base)
        if w is not None:
            grad = None if not said.set_grad_w else said.set_grad_w / 10_000
            return Default(w, grad)
    return Default()


def due(control: Any, span: tuple[float, float], now_s: float) -> list[int]:
    """The answers a server is owed about a control by now, in their order."""
    if control.event_status.current_status in GONE:
        return [RECEIVED, CANCELLED]
    from_s, until_s = span
    return [RECEIVED, *([STARTED] * (now_s >= from_s)), *([COMPLETED] * (now_s >= until_s))]
