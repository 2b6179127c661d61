"""Who leads a site that two supervisors share: by what the broker lets them hear, nothing else.

    following --nobody heard for silence_s--> leading --a higher term heard--> following

The broker is the only judge, because it is what the rigs hear too: two supervisors that
cannot reach each other in any other way still hear each other there.  A leader that does
not hear itself stops speaking long before anybody may take its place, and listens before
it speaks again.  Pure; times are monotonic seconds.
"""

QUIET_S = 1.5  # a leader that has not heard itself for so long falls silent, and listens as long
RANK_S = 0.5  # so much later than the first does each further one take over
AHEAD_S = 60  # of the clock, so that it does not overtake the term while the seat is taken
LISTEN_MIN_S = 2 * QUIET_S  # less, and two could speak at once


class Standby:
    """rank: 0 or 1, each supervisor of a site its own; terms of rank r are r modulo 2, so that
    no two ever lead the same term."""

    def __init__(self, rank: int, silence_s: float, now_s: float, newest: int = 0) -> None:
        """newest: the highest term on record here."""
        assert silence_s >= LISTEN_MIN_S
        self.rank, self.leading, self.term = rank, False, 0
        self.newest = (newest, 0)  # term and seq of the last budget heard, of whomever
        self.heard_s = now_s
        self._patience_s = silence_s + RANK_S * rank
        self._since_s = now_s  # from when on silence counts: connected, and listening
        self._quiet_s: float | None = None  # a leader that does not hear itself: since when

    def hear(self, term: int, seq: int, now_s: float) -> None:
        """A sealed budget, another's or our own.  One that was passed says nothing."""
        if (term, seq) > self.newest:
            self.newest = (term, seq)
            self.alive(term, now_s)

    def alive(self, term: int, now_s: float) -> None:
        """A leader of this term has said something that is surely new."""
        if term < self.newest[0]:
            return
        self.newest = max(self.newest, (term, 0))
        self.leading = self.leading and term <= self.term
        self.heard_s, self._quiet_s = now_s, None

    def step(self, now_s: float, connected: bool) -> bool:
        """Whether it is time to lead: following, connected all the while, and nobody heard."""
        if not connected:
            self._since_s = now_s
        silent_s = now_s - max(self._since_s, self.heard_s)
        return not self.leading and silent_s >= self._patience_s

    def next_term(self, last: int, unix_s: float) -> int:
        """Above every term known, not below the clock, and of our rank."""
        term = max(last + 1, self.newest[0] + 1, int(unix_s) + AHEAD_S)
        return term + (term + self.rank) % 2

    def lead(self, term: int, now_s: float) -> None:
        """We lead this term from now on."""
        self.leading, self.term, self.newest = True, term, (term, 0)
        self.heard_s, self._quiet_s = now_s, None

    def may_speak(self, now_s: float, connected: bool) -> bool:
        """Whether a leader may broadcast now."""
        if not self.leading:
            return False
        if now_s - self.heard_s <= QUIET_S:
            return True
        if self._quiet_s is None or not connected:
            self._quiet_s = now_s
        if now_s - self._quiet_s < QUIET_S:
            return False
        self.heard_s, self._quiet_s = now_s, None  # nobody else was heard: try again
        return True
