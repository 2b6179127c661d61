"""Which rigs somebody looks for: "state:fault hot>80 fan" as terms, held against one or many.

Every term must hold.  What is no term of ours is a word to look for anywhere in a rig's
name, model, place, state or why: half a term, while it is typed, hides rows and breaks nothing.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

NUMBERS = {  # field -> (member of a RigView, one unit of the filter in units of the member)
    "level": ("level", 1),
    "cap": ("cap_level", 1),
    "admitted": ("admitted_w", 1),
    "power": ("power_w", 1),
    "hash": ("hash_ghs", 1000),
    "hot": ("hot_dc", 10),
    "fan": ("fan_rpm", 1),
    "age": ("age_s", 1),
    "sickness": ("sickness", 1),
}
TEXTS = ("rig", "model", "state", "place", "why")
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    ":": operator.eq,
}
_TERM = re.compile(r"([a-z]+)(<=|>=|<|>|=|:)(.+)")


class Number(NamedTuple):
    """A bound on a number."""

    member: str
    compare: Callable[[Any, Any], Any]
    value: float


class Word(NamedTuple):
    """Letters to be found in one text, or in any when member is ""."""

    member: str
    letters: str


def parse(text: str) -> list[Number | Word]:
    return [_term(word) for word in text.lower().split()]


def _term(word: str) -> Number | Word:
    found = _TERM.fullmatch(word)
    if found is None:
        return Word("", word)
    field, sign, said = found.groups()
    if field in NUMBERS:
        member, unit = NUMBERS[field]
        try:
            return Number(member, _OPERATORS[sign], float(said) * unit)
        except ValueError:
            return Word("", word)
    return Word(field, said) if field in TEXTS and sign in ":=" else Word("", word)


def about(rig: Any) -> str:
    """The text of a rig that a plain word is looked for in."""
    return " ".join(str(getattr(rig, member)) for member in TEXTS).lower()


def holds(terms: list[Number | Word], rig: Any) -> bool:
    """Whether a RigView is looked for."""
    for term in terms:
        if isinstance(term, Number):
            true = bool(term.compare(getattr(rig, term.member), term.value))
        elif term.member:
            true = term.letters in str(getattr(rig, term.member)).lower()
        else:
            true = term.letters in about(rig)
        if not true:
            return False
    return True
