"""The words of one source that overlap, composed into one schedule by priority.

OpenADR events, DER controls and dispatch instructions come in numbers: each with its own
intervals and its own priority.  At any moment the most urgent of those running holds;
between equals the lower limit, because the specifications leave it open and a load is
never wrong to draw less.  An emergency holds beside all others: the lowest counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from supervisor.envelope import EMERGENCY, Kind
from supervisor.loss import FOREVER

LAST = 1 << 30  # the priority of who names none
ROWS_MAX = 10_000
Running = tuple[int, int, float]  # (priority, w, until_s): the least one holds


@dataclass(frozen=True, slots=True)
class Word:
    """One instruction: rows of (from_s, w), each until the next, all until until_s.

    priority: 0 is the most urgent.
    """

    name: str
    rows: tuple[tuple[float, int], ...]
    until_s: float
    priority: int = LAST
    kind: Kind = "limit"

    def limit_w(self, at_s: float) -> int | None:
        if not self.rows or not self.rows[0][0] <= at_s < self.until_s:
            return None
        return next(w for from_s, w in reversed(self.rows) if from_s <= at_s)


def kind_of(words: Sequence[Word], at_s: float) -> Kind:
    """Of all words together: an emergency while one holds, their own when they have one kind,
    and else the limit that they come to."""
    if any(w.kind == EMERGENCY and w.limit_w(at_s) is not None for w in words):
        return EMERGENCY
    kinds = {word.kind for word in words} - {EMERGENCY}
    return kinds.pop() if len(kinds) == 1 else "limit"


class PlanError(ValueError):
    """The words are too many to compose."""


def compose(words: Sequence[Word], between_w: int) -> tuple[tuple[tuple[float, int], ...], float]:
    """(schedule, its end).  between_w: what holds where nobody says anything.

    The end is where the last word ends; with no words there is no schedule and no end.
    Raises PlanError.
    """
    edges = sorted({at_s for word in words for at_s in _edges(word)})
    if len(edges) > ROWS_MAX:
        raise PlanError(f"{len(edges)} changes ahead; the most is {ROWS_MAX}")
    running = _Running(words)
    rows: list[tuple[float, int]] = []
    for at_s in edges:
        w = running.holding_w(at_s)
        row_w = between_w if w is None else w
        if not rows or rows[-1][1] != row_w:
            rows.append((at_s, row_w))
    end_s = max((word.until_s for word in words if word.rows), default=FOREVER)
    return tuple(row for row in rows if row[0] < end_s), end_s


class _Running:
    """The words at one moment after the other: holding_w() of thousands in no time."""

    def __init__(self, words: Iterable[Word]) -> None:
        spans = [span for word in words for span in _spans(word)]
        self._ahead = sorted(spans, reverse=True)
        self._calm: list[Running] = []
        self._urgent: list[Running] = []

    def holding_w(self, at_s: float) -> int | None:
        """At a moment not before the last one."""
        while self._ahead and self._ahead[-1][0] <= at_s:
            _, emergency, running = self._ahead.pop()
            heappush(self._urgent if emergency else self._calm, running)
        found = []
        for heap in (self._calm, self._urgent):
            while heap and heap[0][2] <= at_s:
                heappop(heap)
            found += [heap[0][1]] if heap else []
        return min(found, default=None)


def _spans(word: Word) -> list[tuple[float, bool, Running]]:
    """(from_s, emergency, what runs then) of each row; among emergencies there is no priority."""
    ends_s = [from_s for from_s, _ in word.rows[1:]] + [word.until_s]
    emergency = word.kind == EMERGENCY
    priority = 0 if emergency else word.priority
    return [
        (from_s, emergency, (priority, w, min(end_s, word.until_s)))
        for (from_s, w), end_s in zip(word.rows, ends_s, strict=True)
    ]


def holding_w(words: Iterable[Word], at_s: float) -> int | None:
    """The limit that holds at a moment; None when nobody says anything."""
    running = [(word, w) for word in words if (w := word.limit_w(at_s)) is not None]
    emergencies = [w for word, w in running if word.kind == EMERGENCY]
    others = [(word.priority, w) for word, w in running if word.kind != EMERGENCY]
    return min([*emergencies, *([min(others)[1]] if others else [])], default=None)


def _edges(word: Word) -> list[float]:
    inside = [from_s for from_s, _ in word.rows if from_s < word.until_s]
    return [*inside, word.until_s] if inside and word.until_s < FOREVER else inside
