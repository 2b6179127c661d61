"""What a story can do: sentences with blanks, each the name of something a stage does.

    Act("broker half-open", ...)      "broker half-open"
    Act("lose <percent>", ...)        "lose 30 %"
    Act("wifi <on|off>", ...)         "wifi off"

Pure: text in, an Order out.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hil import faults
from hil.story_words import WordError, duration_s, nearest

Arg = float | str


@dataclass(frozen=True)
class Act:
    """call: the method of the stage; it is given the blanks, in their order."""

    pattern: str
    call: str
    what: str


@dataclass(frozen=True)
class Order:
    """One sentence of `do`, understood."""

    text: str
    call: str
    args: tuple[Arg, ...]


def order(text: str, acts: Iterable[Act]) -> Order:
    """A sentence of `do`.  Raises WordError."""
    acts = tuple(acts)
    said = " ".join(text.split())
    for act in acts:
        if found := re.fullmatch(_shape(act.pattern), said):
            blanks = re.findall(r"<(.+?)>", act.pattern)
            values = [
                _blank(blank)[1](value) for blank, value in zip(blanks, found.groups(), strict=True)
            ]
            return Order(text, act.call, tuple(values))
    raise WordError(f'nobody can "{said}"; {_near(said, [act.pattern for act in acts])}')


def _shape(pattern: str) -> str:
    parts = re.split(r"<(.+?)>", pattern)
    return "".join(_blank(part)[0] if n % 2 else re.escape(part) for n, part in enumerate(parts))


def _near(said: str, patterns: list[str]) -> str:
    """The sentences that begin with the same word, else the ones that look alike."""
    first = said.partition(" ")[0]
    alike = [pattern for pattern in patterns if pattern.partition(" ")[0] == first]
    alike = alike or difflib.get_close_matches(said, patterns, 2, 0.5) or sorted(patterns)
    return "there is " + ", ".join(f'"{pattern}"' for pattern in alike)


def _fault(text: str) -> str:
    try:
        faults.parse(text)
    except ValueError as error:
        name = text.partition(":")[0]
        if name not in faults.FAULTS:
            raise WordError(f'no fault "{name}"; {nearest(name, faults.FAULTS)}') from None
        raise WordError(str(error)) from None
    return text


def _signed_s(text: str) -> float:
    return -duration_s(text[1:]) if text[0] == "-" else duration_s(text.lstrip("+"))


def _percent(text: str) -> float:
    if not 0 <= (value := float(text)) <= 100:
        raise WordError(f"{text} %: from 0 to 100")
    return value


_TIME = r"\d+(?:\.\d+)?\s*[a-z]+"
# blank: (what it looks like, what it becomes)
BLANKS: dict[str, tuple[str, Callable[[str], Arg]]] = {
    "number": (r"(-?\d+(?:\.\d+)?)", float),
    "percent": (r"(\d+(?:\.\d+)?)\s*%", _percent),
    "time": (rf"({_TIME})", duration_s),
    "change": (rf"([+-]{_TIME})", _signed_s),
    "fault": (r"(\S+)", _fault),
}


def _blank(name: str) -> tuple[str, Callable[[str], Arg]]:
    """By its name, or one of the words it lists."""
    return BLANKS.get(name, (f"({name})", str))
