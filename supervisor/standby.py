"""Who leads a site that two supervisors share: by what the broker lets them hear, nothing else.

    following --nobody heard for silence_s--> claiming --the claim came back--> leading
       ^ ^                                       |                                 |
       | '-------- a higher term is heard -------'---------------------------------|
       '------------ nothing said within the last lease_s has come back -----------'

The broker is the only judge, because it is what the rigs hear too.  A leader may speak for
lease_s after it said something that has come back to it.  Everybody else's patience is longer,
and begins when they hear that word, which is not before it was said: so when one of them claims
the site, nobody may speak.  Pure; times are monotonic seconds.
"""

GUARD_S = 0.75  # a leader's own lease ends so long before anybody's patience: with CLAIM_S, a beat
RANK_S = 0.5  # so much later than the first does each further one claim
CLAIM_S = 0.3  # a claim that came back waits so long for one made at the same time
ECHO_S = 1.5  # without an own word that came back for so long, the line may be dead both ways
UNREAD_S = 1.0  # who has not looked for so long may have words that lie unread
AHEAD_S = 60  # of the clock, so that it does not overtake the term while the seat is taken
SILENCE_MIN_S = 3.0  # less, and a beat that is late would cost a leader its lease


class Standby:
    """rank: 0 or 1, each supervisor of a site its own; terms of rank r are r modulo 2, so that
    no two ever lead the same term."""

    def __init__(self, rank: int, silence_s: float, now_s: float, newest: int = 0) -> None:
        """newest: the highest term on record here."""
        assert silence_s >= SILENCE_MIN_S
        self.rank, self.term = rank, 0  # term: the last we claimed; 0: none yet
        self.newest = (newest, 0)  # term and seq of the last budget heard, of whomever
        self.heard_s = now_s
        self._lease_s, self._patience_s = silence_s - GUARD_S, silence_s + RANK_S * rank
        self._since_s = self._looked_s = now_s  # from when on silence counts: all ears, and awake
        self._echo_s = -ECHO_S
        self._said_s: float | None = None  # when we said what came back last, of our term
        self._from_s = now_s  # after a claim

    @property
    def unopposed(self) -> bool:
        """Whether nobody is known to have claimed the site after us."""
        return self.term > 0 and self.newest[0] == self.term

    def hear(self, term: int, seq: int, now_s: float) -> None:
        """A sealed budget, another's or our own.  One that was passed says nothing."""
        if (term, seq) > self.newest:
            self.newest, self.heard_s = (term, seq), now_s

    def alive(self, term: int, now_s: float, said_s: float) -> None:
        """A leader of this term has said something new, at said_s by its own clock."""
        if term < self.newest[0]:
            return
        self.newest, self.heard_s = max(self.newest, (term, 0)), now_s
        if term == self.term:
            self._from_s = now_s + CLAIM_S if self._said_s is None else self._from_s
            self._said_s = said_s

    def echo(self, now_s: float) -> None:
        """Something we have just said has come back: what others say would reach us too."""
        self._echo_s = now_s

    def step(self, now_s: float, connected: bool) -> bool:
        """Whether it is time to claim the site: all ears and awake all the while, nobody heard."""
        deaf = not connected or now_s - self._echo_s > ECHO_S
        if deaf or now_s - self._looked_s > UNREAD_S:
            self._since_s = now_s
        self._looked_s = now_s
        silent_s = now_s - max(self._since_s, self.heard_s)
        return not self.may_speak(now_s) and silent_s >= self._patience_s

    def next_term(self, last: int, unix_s: float) -> int:
        """Above every term known, not below the clock, and of our rank."""
        term = max(last + 1, self.newest[0] + 1, int(unix_s) + AHEAD_S)
        return term + (term + self.rank) % 2

    def claim(self, term: int, now_s: float) -> None:
        """We are about to say that this term is ours."""
        self.term, self.newest, self.heard_s = term, (term, 0), now_s
        self._said_s = None

    def may_speak(self, now_s: float) -> bool:
        """Whether the site is ours to lead at this moment."""
        if not self.unopposed or self._said_s is None or now_s < self._from_s:
            return False
        return now_s - self._said_s <= self._lease_s
