"""Who leads: stories of two supervisors on one broker, in steps of 50 ms, whatever befalls them."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supervisor.standby import (
    AHEAD_S,
    CLAIM_S,
    ECHO_S,
    GUARD_S,
    RANK_S,
    SILENCE_MIN_S,
    UNREAD_S,
    Standby,
)

SILENCE_S, BEAT_S, STEP_S = 3.0, 1.0, 0.05
LATE_S, HERE_S = 0.1, 0.5  # from mouth to ear; how often who does not lead is heard
LEASE_S = SILENCE_S - GUARD_S
UNIX_S = 1_800_000_000


def follower(rank=0, newest=0):
    return Standby(rank, SILENCE_S, 0.0, newest)


def leader(term=1_800_000_060):
    standby = follower(term % 2)
    standby.claim(term, 0.0)
    standby.alive(term, -CLAIM_S, 0.0)
    return standby


def steps(standby, from_s, to_s, connected=True, hears_itself=True):
    """Looks every 50 ms; the last answer."""
    for number in range(round((to_s - from_s) / STEP_S)):
        if hears_itself:
            standby.echo(from_s + number * STEP_S)
        standby.step(from_s + number * STEP_S, connected)
    return standby.step(to_s, connected)


def test_nobody_leads_before_it_has_listened():
    standby = follower()
    assert not steps(standby, 0, SILENCE_S - 0.1) and steps(standby, SILENCE_S - 0.1, SILENCE_S)
    second = follower(1)
    assert not steps(second, 0, SILENCE_S + RANK_S - 0.1)
    assert steps(second, SILENCE_S, SILENCE_S + RANK_S)


def test_a_leader_that_is_heard_is_followed():
    standby = follower()
    for second in range(1, 20):
        standby.hear(7, second, float(second))
        assert not steps(standby, second, second + 0.9)
    assert steps(standby, 20, 19 + SILENCE_S)


def test_silence_counts_only_while_connected():
    standby = follower()
    assert not steps(standby, 0, 50, connected=False)
    assert not steps(standby, 50, 50 + SILENCE_S - 0.1)
    assert steps(standby, 50 + SILENCE_S - 0.1, 50 + SILENCE_S)


def test_silence_counts_only_while_own_words_come_back():
    """The line may be dead and not know it; then words of a leader would not arrive either."""
    standby = follower()
    assert not steps(standby, 0, 50, hears_itself=False)
    assert not steps(standby, 50, 50 + SILENCE_S - 0.1)
    assert steps(standby, 50 + SILENCE_S - 0.1, 50 + SILENCE_S)
    heard = follower()
    steps(heard, 0, SILENCE_S - ECHO_S)
    assert steps(heard, SILENCE_S - ECHO_S, SILENCE_S - STEP_S, hears_itself=False) is False
    assert heard.step(SILENCE_S - STEP_S, True) is False
    late = follower()
    steps(late, 0, 1.0)
    assert not steps(late, 1.0, 9.0, hears_itself=False)


def test_silence_counts_only_while_awake():
    """After a pause of its own it has not read yet what others said meanwhile."""
    standby = follower()
    steps(standby, 0, 1)
    woke_s = 1 + UNREAD_S + SILENCE_S
    standby.echo(woke_s)
    assert not standby.step(woke_s, True) and not steps(standby, woke_s, woke_s + SILENCE_S - 0.1)
    assert steps(standby, woke_s + SILENCE_S - 0.1, woke_s + SILENCE_S)
    busy = follower()
    for second in range(4):
        busy.echo(second * UNREAD_S)
        assert not busy.step(second * UNREAD_S, True) or second == 3
    assert busy.step(3 * UNREAD_S, True), "a slow machine is awake"


@pytest.mark.parametrize("replayed", [(6, 900), (7, 3), (7, 4)])
def test_what_was_passed_is_no_sign_of_life(replayed):
    standby = follower()
    standby.hear(7, 4, 1.0)
    standby.hear(*replayed, 3.0)
    assert steps(standby, 0, 1.0 + SILENCE_S)


def test_news_of_a_lower_term_is_no_sign_of_life_either():
    standby = follower(newest=9)
    standby.alive(8, 2.0, 2.0)
    assert steps(standby, 0, SILENCE_S)
    standby.alive(9, 3.0, 3.0)
    assert not steps(standby, SILENCE_S, 5.9)


def test_a_higher_term_deposes_at_once_and_a_lower_one_does_not():
    ours = leader()
    ours.hear(ours.term - 1, 5, 0.5)
    assert ours.unopposed and ours.may_speak(0.5)
    ours.hear(ours.term + 1, 1, 0.6)
    assert not ours.unopposed and not ours.may_speak(0.6)


def test_a_claim_is_good_when_it_came_back_and_nobody_elses_did():
    ours = follower()
    ours.claim(10, 5.0)
    assert not ours.may_speak(5.0 + CLAIM_S), "nobody may have heard it"
    ours.alive(10, 5.1, 5.0)
    assert not ours.may_speak(5.1) and ours.may_speak(5.1 + CLAIM_S)
    other = follower(1)
    other.claim(9, 5.05)
    other.alive(10, 5.1, 5.0)
    other.alive(9, 5.15, 5.05)
    assert not other.may_speak(5.6) and not other.unopposed


def test_a_leader_may_speak_for_a_lease_after_what_came_back_was_said():
    ours = leader()
    ours.alive(ours.term, 12.0, 10.0)  # on its way for long
    assert ours.may_speak(10.0 + LEASE_S) and not ours.may_speak(10.1 + LEASE_S)
    ours.hear(ours.term, 7, 12.0)
    assert not ours.may_speak(10.1 + LEASE_S), "when that was said is not known"
    assert ours.unopposed and not steps(ours, 12.0, 12.0 + SILENCE_S - 0.1)
    assert steps(ours, 12.0 + SILENCE_S - 0.1, 12.0 + SILENCE_S), "a claim, like anybody's"
    ours.alive(ours.term, 16.0, 15.9)
    assert ours.may_speak(16.0), "late, and nobody else was heard"


def test_terms_of_two_ranks_never_meet():
    for last in range(20):
        assert follower(0).next_term(UNIX_S + 100 + last, UNIX_S) % 2 == 0
        assert follower(1).next_term(UNIX_S + 100 + last, UNIX_S) % 2 == 1
    assert follower(0).next_term(0, UNIX_S) == UNIX_S + AHEAD_S
    assert follower(1, newest=UNIX_S * 2).next_term(5, UNIX_S) == UNIX_S * 2 + 1


def test_too_little_patience_is_no_patience():
    with pytest.raises(AssertionError):
        Standby(0, SILENCE_MIN_S - 0.1, 0.0)


class Two:
    """Two supervisors and a broker; each beat the leader speaks, if it may, to who is connected.

    Connected again it speaks at once.  Words take LATE_S.  Everybody looks at its clock first
    and reads then, also who has been asleep.  A frozen broker, or a line that hangs, holds
    every connection and passes everything on later, in order.
    """

    def __init__(self):
        self.now_s, self.seq = 0.0, 0
        self.pair = [follower(0), follower(1)]
        self.connected, self.alive = [True, True], [True, True]
        self.asleep_s, self.frozen_s, self.hangs = [0.0, 0.0], 0.0, [False, False]
        self.under_way, self.held = [], [[], []]  # (when, word); words on a line that hangs
        self.unread, self.was, self.here_s = [[], []], [True, True], [-1.0, -1.0]
        self.spoke = []  # (when, rank, term), of budgets as the broker passed them on

    def step(self):
        self.now_s = round(self.now_s + STEP_S, 3)
        for rank in (0, 1):
            if not self.hangs[rank]:
                self.under_way += [(self.now_s, word) for word in self.held[rank]]
                self.held[rank] = []
        if self.now_s >= self.frozen_s:
            while self.under_way and self.under_way[0][0] <= self.now_s:
                self.pass_on(self.under_way.pop(0)[1])
        for rank, one in enumerate(self.pair):
            if self.alive[rank] and self.now_s >= self.asleep_s[rank]:
                self.turn(rank, one)

    def turn(self, rank, one):
        wants = one.step(self.now_s, self.connected[rank])
        beat = round(self.now_s / STEP_S) % round(BEAT_S / STEP_S) == rank
        back, self.was[rank] = self.connected[rank] > self.was[rank], self.connected[rank]
        if wants:
            one.claim(one.next_term(0, UNIX_S + self.now_s - rank), self.now_s)
            self.say(rank, "news", one.term, self.now_s)
        elif (beat or back) and one.may_speak(self.now_s):
            self.say(rank, "news", one.term, self.now_s)
            self.seq += 1
            self.say(rank, "budget", one.term, self.seq)
        elif not one.may_speak(self.now_s) and self.now_s - self.here_s[rank] >= HERE_S:
            self.here_s[rank] = self.now_s
            self.say(rank, "here", 0, self.now_s)
        self.read(rank, one)

    def say(self, rank, *word):
        word = (self.now_s, rank, *word)
        if self.connected[rank] and self.hangs[rank]:
            self.held[rank].append(word)
        elif self.connected[rank]:
            self.under_way.append((round(self.now_s + LATE_S, 3), word))

    def pass_on(self, word):
        said_s, rank, kind, term, _ = word
        if kind == "budget":
            self.spoke.append((said_s, rank, term))
        for other in (0, 1):
            if self.alive[other] and self.connected[other]:
                self.unread[other].append(word)

    def cut(self, rank):
        """What lies on a line that hangs is lost when it breaks."""
        self.connected[rank], self.hangs[rank], self.held[rank] = False, False, []

    def read(self, rank, one):
        if self.hangs[rank]:
            return
        for _, who, kind, term, value in self.unread[rank]:
            if kind == "budget":
                one.hear(term, value, self.now_s)
            elif kind == "news":
                one.alive(term, self.now_s, value)
            elif who == rank and self.now_s - value <= ECHO_S:
                one.echo(self.now_s)
        self.unread[rank] = []

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.step()

    @property
    def leaders(self):
        return [r for r in (0, 1) if self.pair[r].may_speak(self.now_s) and self.alive[r]]


def test_two_that_start_together_have_one_leader():
    two = Two()
    two.run(10)
    assert two.leaders == [0]


def test_the_other_takes_over_within_five_seconds_and_the_first_comes_back_to_follow():
    two = Two()
    two.run(10)
    two.alive[0], dead_s = False, two.now_s
    two.run(10)
    first_s = next(at for at, rank, *_ in two.spoke if rank == 1)
    assert first_s - dead_s < 5.0 and two.leaders == [1]
    two.pair[0], two.alive[0] = Standby(0, SILENCE_S, two.now_s), True
    two.run(20)
    assert two.leaders == [1], "who leads goes on"


def test_a_leader_cut_off_from_the_broker_stops_by_itself_before_the_other_begins():
    two = Two()
    two.run(10)
    two.connected[0] = False
    two.run(LEASE_S + STEP_S)
    assert two.leaders == [] and two.pair[0].unopposed, "it knows of nobody else"
    two.run(10)
    assert two.leaders == [1]
    two.connected[0], back_s = True, two.now_s
    two.run(10)
    assert two.leaders == [1]
    assert not [at for at, rank, *_ in two.spoke if rank == 0 and at >= back_s]


@pytest.mark.parametrize(("seconds", "same"), [(0.5, True), (1.2, True), (4.0, False)])
def test_a_broker_away_for_a_while_leaves_the_site_with_who_led_it(seconds, same):
    """Within its lease with the term it had; after that with a new one."""
    two = Two()
    two.run(10)
    term = two.pair[0].term
    two.connected = [False, False]
    two.run(seconds)
    two.connected, back_s = [True, True], two.now_s
    two.run(10)
    assert two.leaders == [0] and (two.pair[0].term == term) == same
    again_s = next(at for at, *_ in two.spoke if at >= back_s)
    assert again_s - back_s <= (BEAT_S if same else SILENCE_S + CLAIM_S + BEAT_S)


moves = st.lists(
    st.tuples(
        st.sampled_from(("cut", "mend", "kill", "start", "sleep", "freeze", "hang")),
        st.sampled_from((0, 1)),
        st.floats(0.1, 8.0),
    ),
    max_size=12,
)


@given(moves)
@example([("cut", 0, 1.0), ("cut", 0, 3.0), ("cut", 1, 1.0), ("mend", 0, 1.0), ("mend", 1, 2.0)])
@settings(max_examples=300, deadline=None)
def test_no_two_speak_at_the_same_time_whatever_befalls_them(story):
    """Cut, killed, started, asleep, the broker frozen, lines that hang, in any order.  What is
    said is of one leader, then for a beat of nobody, then of another with a higher term."""
    two = Two()
    two.run(5)
    for what, rank, seconds in story:
        if what == "cut":
            two.cut(rank)
        elif what == "mend":
            two.connected[rank], two.hangs[rank] = True, False
        elif what == "hang":
            two.hangs[rank] = True
        elif what == "sleep":
            two.asleep_s[rank] = two.now_s + seconds
        elif what == "freeze":
            two.frozen_s = two.now_s + seconds
        elif what == "kill":
            two.alive[rank], two.unread[rank], two.held[rank] = False, [], []
        elif not two.alive[rank]:
            known = two.pair[rank].newest[0]
            two.pair[rank] = Standby(rank, SILENCE_S, two.now_s, known)
            two.alive[rank] = True
        two.run(seconds)
    two.connected, two.hangs, two.alive = [True, True], [False, False], [True, True]
    two.run(20)
    spoke, hung = sorted(two.spoke), any(what == "hang" for what, *_ in story)
    for (before_s, before, before_term), (at_s, rank, term) in pairwise(spoke):
        assert before_term <= term
        apart_s = round(at_s - before_s, 3)
        assert before == rank or (apart_s >= (LATE_S if hung else BEAT_S) and before_term < term)
    assert len(two.leaders) == 1, "and in the end there is one"
