"""Who leads: stories of two supervisors on one broker, second by second, some with it cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.standby import AHEAD_S, LISTEN_MIN_S, QUIET_S, RANK_S, Standby

SILENCE_S, BEAT_S, STEP_S = 3.0, 1.0, 0.1
UNIX_S = 1_800_000_000


def follower(rank=0, newest=0):
    return Standby(rank, SILENCE_S, 0.0, newest)


def leader(term=1_800_000_060):
    standby = follower(term % 2)
    standby.lead(term, 0.0)
    return standby


def test_nobody_leads_before_it_has_listened():
    standby = follower()
    assert not standby.step(SILENCE_S - 0.1, True) and standby.step(SILENCE_S, True)
    assert not follower(1).step(SILENCE_S + RANK_S - 0.1, True)
    assert follower(1).step(SILENCE_S + RANK_S, True)


def test_a_leader_that_is_heard_is_followed():
    standby = follower()
    for second in range(1, 20):
        standby.hear(7, second, float(second))
        assert not standby.step(second + 0.9, True)
    assert standby.step(19 + SILENCE_S, True)


def test_silence_counts_only_while_connected():
    standby = follower()
    assert not standby.step(50.0, False)
    assert not standby.step(50.0 + SILENCE_S - 0.1, True)
    assert standby.step(50.0 + SILENCE_S, True)


@pytest.mark.parametrize("replayed", [(6, 900), (7, 3), (7, 4)])
def test_what_was_passed_is_no_sign_of_life(replayed):
    standby = follower()
    standby.hear(7, 4, 1.0)
    standby.hear(*replayed, 3.0)
    assert standby.step(1.0 + SILENCE_S, True)


def test_news_of_a_lower_term_is_no_sign_of_life_either():
    standby = follower(newest=9)
    standby.alive(8, 2.0)
    assert standby.step(SILENCE_S, True)
    standby.alive(9, 3.0)
    assert not standby.step(5.9, True)


def test_a_higher_term_deposes_at_once_and_a_lower_one_does_not():
    ours = leader()
    ours.hear(ours.term - 1, 5, 0.5)
    assert ours.leading and ours.may_speak(0.5, True)
    ours.hear(ours.term + 1, 1, 0.6)
    assert not ours.leading and not ours.may_speak(0.6, True)


def test_a_leader_that_does_not_hear_itself_falls_silent_and_listens():
    ours = leader()
    ours.hear(ours.term, 1, 10.0)
    assert ours.may_speak(10.0 + QUIET_S, True)
    assert not ours.may_speak(10.1 + QUIET_S, False)
    assert not ours.may_speak(30.0, False)
    assert not ours.may_speak(30.1, True) and not ours.may_speak(30.0 + QUIET_S - 0.1, True)
    assert ours.may_speak(30.1 + QUIET_S, True), "nobody else was heard: it goes on"


def test_terms_of_two_ranks_never_meet():
    for last in range(20):
        assert follower(0).next_term(UNIX_S + 100 + last, UNIX_S) % 2 == 0
        assert follower(1).next_term(UNIX_S + 100 + last, UNIX_S) % 2 == 1
    assert follower(0).next_term(0, UNIX_S) == UNIX_S + AHEAD_S
    assert follower(1, newest=UNIX_S * 2).next_term(5, UNIX_S) == UNIX_S * 2 + 1


def test_too_little_patience_is_no_patience():
    with pytest.raises(AssertionError):
        Standby(0, LISTEN_MIN_S - 0.1, 0.0)


class Two:
    """Two supervisors and a broker; each beat the leader speaks, if it may, to who is connected."""

    def __init__(self):
        self.now_s, self.seq = 0.0, 0
        self.pair = [follower(0), follower(1)]
        self.connected, self.alive = [True, True], [True, True]
        self.cut_s = [0.0, 0.0]  # when it was last not connected
        self.spoke = []  # (when, rank, term, how long connected)

    def step(self):
        self.now_s = round(self.now_s + STEP_S, 3)
        for rank, one in enumerate(self.pair):
            if not self.alive[rank]:
                continue
            if not self.connected[rank]:
                self.cut_s[rank] = self.now_s
            if one.step(self.now_s, self.connected[rank]):
                one.lead(one.next_term(0, UNIX_S + self.now_s), self.now_s)
                self.say(one)
            beat = round(self.now_s / STEP_S) % round(BEAT_S / STEP_S) == rank
            if beat and one.may_speak(self.now_s, self.connected[rank]) and self.connected[rank]:
                self.say(one)

    def say(self, one):
        self.seq += 1
        connected_s = self.now_s - self.cut_s[one.rank]
        self.spoke.append((self.now_s, one.rank, one.term, connected_s))
        for rank, other in enumerate(self.pair):
            if self.alive[rank] and self.connected[rank]:
                other.hear(one.term, self.seq, self.now_s)

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.step()

    @property
    def leaders(self):
        return [rank for rank in (0, 1) if self.pair[rank].leading and self.alive[rank]]


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


def test_a_leader_cut_off_from_the_broker_is_silent_when_it_is_back_until_it_has_listened():
    two = Two()
    two.run(10)
    two.connected[0] = False
    two.run(10)
    assert two.leaders == [0, 1], "both alive, and it does not know"
    two.connected[0], back_s = True, two.now_s
    two.run(10)
    assert two.leaders == [1]
    assert not [at for at, rank, *_ in two.spoke if rank == 0 and at >= back_s]


moves = st.lists(
    st.tuples(
        st.sampled_from(("cut", "mend", "kill", "start")),
        st.sampled_from((0, 1)),
        st.floats(0.1, 8.0),
    ),
    max_size=12,
)


@given(moves)
@settings(max_examples=300, deadline=None)
def test_no_two_speak_at_the_same_time_whatever_befalls_them(story):
    """Cut, killed, started in any order.  Who was on the broker all the while never speaks soon
    after another, and nobody speaks a lower term than one it was there to hear."""
    two = Two()
    two.run(5)
    for what, rank, seconds in story:
        if what in ("cut", "mend"):
            two.connected[rank] = what == "mend"
        elif what == "kill":
            two.alive[rank] = False
        elif not two.alive[rank]:
            known = two.pair[rank].newest[0]
            two.pair[rank] = Standby(rank, SILENCE_S, two.now_s, known)
            two.alive[rank] = True
        two.run(seconds)
    for number, (at_s, rank, term, connected_s) in enumerate(two.spoke):
        for before_s, before, before_term, _ in two.spoke[:number]:
            there = at_s - before_s <= connected_s
            if before != rank and there:
                assert before_term < term and at_s - before_s > LISTEN_MIN_S - BEAT_S
    two.connected, two.alive = [True, True], [True, True]
    two.run(15)
    assert len(two.leaders) == 1, "and in the end there is one"
