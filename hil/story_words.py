"""What a story's sentences mean: durations, quantities, conditions, expectations.

    within 3 s and for 60 s: board_w == 0 and fan_pm == 1000
    within 5 s: event fan-stopped
    for 30 s: why has "fan 2"
    board_w > 50 while state == fault                    (of `never`)

Pure: text in, values out.  Whatever cannot be is a WordError that says what would.
"""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Value = float | str
Sample = Mapping[str, Value]

UNITS_S = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_NUMBER = r"-?\d+(?:\.\d+)?"


class WordError(ValueError):
    """A sentence nobody understands; the text says what is wrong and what is near."""


@dataclass(frozen=True)
class Quantity:
    """One thing a stage can be asked.  words: the texts it can be; none for a number."""

    what: str
    unit: str = ""
    low: float = 0
    high: float = 1e12
    words: tuple[str, ...] = ()
    free: bool = False  # any text; asked with `has`


@dataclass(frozen=True)
class Vocabulary:
    """What can be expected on one kind of stage; events: code -> what it says."""

    quantities: Mapping[str, Quantity]
    events: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Compare:
    """other: a number, a word, or the name of another quantity."""

    name: str
    order: str
    other: Value

    def true(self, sample: Sample, _events: Iterable[str]) -> bool:
        mine, other = sample[self.name], self.other
        if isinstance(mine, str) or (isinstance(other, str) and other not in sample):
            return (mine == other) is (self.order == "==")
        if isinstance(other, str):
            other = sample[other]
        return ORDERS[self.order](float(mine), float(other))


@dataclass(frozen=True)
class Has:
    name: str
    text: str

    def true(self, sample: Sample, _events: Iterable[str]) -> bool:
        return self.text.lower() in str(sample[self.name]).lower()


@dataclass(frozen=True)
class Event:
    code: str

    def true(self, _sample: Sample, events: Iterable[str]) -> bool:
        return self.code in events


@dataclass(frozen=True)
class Condition:
    """All of its parts."""

    text: str
    parts: tuple[Compare | Has | Event, ...]

    def true(self, sample: Sample, events: Iterable[str]) -> bool:
        return all(part.true(sample, events) for part in self.parts)

    def found(self, sample: Sample) -> str:
        """What its quantities are now, for a person."""
        names = dict.fromkeys(part.name for part in self.parts if not isinstance(part, Event))
        return ", ".join(f"{name} is {shown(sample[name])}" for name in names)


@dataclass(frozen=True)
class Expectation:
    """True within so long, and from then on for so long."""

    text: str
    within_s: float
    for_s: float
    condition: Condition


@dataclass(frozen=True)
class Never:
    """condition may not be true, or not while another one is."""

    text: str
    condition: Condition
    while_: Condition | None = None

    def broken(self, sample: Sample, events: Iterable[str]) -> bool:
        if self.while_ and not self.while_.true(sample, events):
            return False
        return self.condition.true(sample, events)


def duration_s(text: str) -> float:
    """Seconds of a time like "3 s", "500 ms", "2 min" or "1 h".  Raises WordError."""
    found = re.fullmatch(rf"({_NUMBER})\s*([a-z]+)", text.strip())
    if found and found[2] in UNITS_S and float(found[1]) >= 0:
        return float(found[1]) * UNITS_S[found[2]]
    raise WordError(f'"{text.strip()}" is no time; write it like "3 s", "500 ms", "2 min", "1 h"')


def expectation(text: str, words: Vocabulary) -> Expectation:
    """A sentence of `expect`.  Raises WordError."""
    head, colon, rest = text.partition(":")
    if not colon:
        return Expectation(text, 0.0, 0.0, condition(text, words))
    found = re.fullmatch(r"(?:within (?P<within>.+?))?(?: and )?(?:for (?P<for>.+))?", head.strip())
    if not found or not (found["within"] or found["for"]):
        raise WordError(f'"{head.strip()}:" is not "within 3 s:", "for 1 min:" or both with "and"')
    within_s = duration_s(found["within"]) if found["within"] else 0.0
    for_s = duration_s(found["for"]) if found["for"] else 0.0
    return Expectation(text, within_s, for_s, condition(rest, words))


def never(text: str, words: Vocabulary) -> Never:
    """A sentence of `never`.  Raises WordError."""
    head, while_, rest = text.partition(" while ")
    return Never(text, condition(head, words), condition(rest, words) if while_ else None)


def condition(text: str, words: Vocabulary) -> Condition:
    """Comparisons and events with "and" between them.  Raises WordError."""
    parts = tuple(_part(part.strip(), words) for part in re.split(r"\s+and\s+", text.strip()))
    return Condition(text.strip(), parts)


def _part(text: str, words: Vocabulary) -> Compare | Has | Event:
    if found := re.fullmatch(r'event\s+"?([\w-]+)"?', text):
        return Event(_known("event", found[1], words.events))
    if found := re.fullmatch(r'(\w+)\s+has\s+"(.+)"', text):
        name = _known("quantity", found[1], words.quantities)
        if not words.quantities[name].free:
            raise WordError(
                f'"{text}": {name} is compared with == or <; only texts "has" something'
            )
        return Has(name, found[2])
    if found := re.fullmatch(r"(\w+)\s*(==|!=|<=|>=|<|>)\s*(.+)", text):
        name = _known("quantity", found[1], words.quantities)
        return _compare(text, name, found[2], found[3].strip(" \"'"), words)
    raise WordError(
        f'"{text}" is no condition; write it like board_w == 0, state == fault, '
        'event fan-stopped or why has "fan 2"'
    )


def _compare(text: str, name: str, order: str, other: str, words: Vocabulary) -> Compare:
    asked = words.quantities[name]
    if asked.free:
        raise WordError(f'"{text}": {name} is a text; write {name} has "..."')
    if asked.words:
        if order not in ("==", "!="):
            raise WordError(f'"{text}": {name} is a word; only == and != make sense of it')
        return Compare(name, order, _known(name, other, asked.words))
    found = re.fullmatch(rf"({_NUMBER})\s*(\S+)?", other)
    if not found:
        if (
            words.quantities[_known("number or quantity", other, words.quantities)].unit
            == asked.unit
        ):
            return Compare(name, order, other)
        raise WordError(f'"{text}": {name} and {other} have different units')
    if found[2] and found[2] != asked.unit:
        raise WordError(f'"{text}": {name} is in {asked.unit or "no unit"}, not {found[2]}')
    number = float(found[1])
    if not asked.low <= number <= asked.high or _always(asked, order, number):
        reach = f"{name} is from {asked.low:g} to {asked.high:g} {asked.unit}".rstrip()
        raise WordError(f'"{text}" cannot be: {reach}')
    return Compare(name, order, number)


def _always(asked: Quantity, order: str, number: float) -> bool:
    """Whether it says nothing: true, or false, of every value the quantity can have."""
    return (order in ("<", ">=") and number == asked.low) or (
        order in (">", "<=") and number == asked.high
    )


def _known(kind: str, word: str, there: Iterable[str]) -> str:
    if word in there:
        return word
    raise WordError(f'no {kind} "{word}"; {nearest(word, there)}')


def nearest(word: str, there: Iterable[str]) -> str:
    """What was most likely meant, else all there is."""
    names = sorted(there)
    if close := difflib.get_close_matches(word, names, 1, 0.6):
        return f'did you mean "{close[0]}"?'
    return f"there are {', '.join(names)}"


def shown(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{round(value, 3):g}"
