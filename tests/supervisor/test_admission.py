"""Who gets a ladder, and when: first deal, newcomers, repeats, the change of epoch."""

import numpy as np
import pytest

from supervisor import admission as admissions
from supervisor.admission import QUIET_S, Admission
from supervisor.dispatcher import Dispatcher, Means
from supervisor.fleet import NEVER
from tests.supervisor.small import OTHER, fleet_of

LEASE_S = 10.0


class Gate:
    """An admission with a dispatcher and no wire.  The meter reads what rigs list.

    Rigs echo what they are sent, unless they are deaf.
    """

    def __init__(self, rigs=4, limit_w=0):
        self.fleet = fleet_of(rigs, counted=False)
        self.fleet.heard_s[:] = 0.0
        self.dispatcher = Dispatcher(self.fleet, Means(up_w_per_s=1e6, lease_s=LEASE_S))
        self.admission = Admission(self.dispatcher)
        self.limit_w, self.now_s, self.echoing = limit_w, -1.0, True
        self.deaf, self.metered_w = set(), None

    def tick(self, *joining):
        """One second.  What was sent: {row: epoch}."""
        self.now_s += 1.0
        self.admission.step(set(joining), self.now_s, 0.0)
        made = self.dispatcher.tick(self.now_s, self.limit_w, self.metered_w)
        drawn_w = sum(curve.at(made.admit_w) for curve in self.dispatcher.flight.now)
        self.metered_w = made.floor_w + int(drawn_w)
        sent = {}
        for row, line in self.admission.send(self.now_s):
            assert row not in sent, "sent twice in one tick"
            sent[row] = line.epoch
            self.fleet.command[row] += 1
            self.fleet.sent_s[row] = self.now_s
            if self.echoing and row not in self.deaf:
                self.fleet.echoed[row], self.fleet.epoch[row] = self.fleet.command[row], line.epoch
        return sent

    def until(self, second, *joining):
        """Ticks up to this second: {second: what was sent}, without the seconds of silence."""
        out = {}
        while self.now_s < second:
            if sent := self.tick(*joining):
                out[self.now_s] = sent
            joining = ()
        return out


@pytest.fixture
def gate():
    """Four rigs, dealt and settled."""
    dealt = Gate()
    dealt.until(10, 0, 1, 2, 3)
    return dealt


def test_the_first_deal_waits_for_a_pause_in_the_joinings():
    gate = Gate()
    assert gate.tick(0) == gate.tick(1) == gate.tick(0, 1, 2) == {}
    assert gate.until(10) == {4.0: {0: 1, 1: 1, 2: 1}}
    assert gate.fleet.counted.tolist() == [True, True, True, False]
    assert gate.dispatcher.line.epoch == 1


def test_the_first_deal_does_not_wait_for_ever():
    gate = Gate(20)
    sent = [gate.tick(row) for row in range(12)]
    assert [second for second, told in enumerate(sent) if told] == [8]
    assert set(sent[8]) == set(range(9))


def test_with_nobody_there_is_no_deal():
    gate = Gate()
    assert gate.until(20) == {}
    assert gate.dispatcher.line.epoch == 0 and not gate.admission.changed


def test_a_newcomer_counts_at_once_and_is_sent_its_ladder_one_lease_later():
    gate = Gate(5)
    gate.until(10, 0, 1, 2, 3)
    gate.admission.changed = False
    assert gate.tick(4) == {} and gate.fleet.counted[4]
    assert gate.admission.changed, "the next supervisor must know it"
    assert gate.until(40) == {21.0: {4: 1}}
    line = gate.dispatcher.line
    assert line.ladder(4)[0].start_w == 4 * 2500, "at the end, so that nobody's ladder changes"


def test_a_rig_that_only_restarted_is_served_at_once(gate):
    ladder = gate.dispatcher.line.ladder(2)
    assert gate.tick(2) == {2: 1}
    assert gate.dispatcher.line.ladder(2) == ladder


def test_a_rig_that_was_off_finds_its_own_steps_and_waits_a_lease(gate):
    gate.fleet.uncount(np.array([2]))
    length_w = gate.dispatcher.line.length_w
    gate.tick()
    assert gate.tick(2) == {} and gate.fleet.counted[2]
    assert gate.until(30) == {22.0: {2: 1}}
    assert gate.dispatcher.line.length_w == length_w


def test_whoever_leaves_again_while_it_waits_is_not_sent_one(gate):
    gate.fleet.uncount(np.array([2]))
    gate.tick(2)
    gate.fleet.uncount(np.array([2]))
    assert gate.until(40) == {}


def test_a_rig_asks_again_and_again_and_waits_no_longer_for_it(gate):
    gate.fleet.uncount(np.array([2]))
    for _ in range(7):
        assert gate.tick(2) == {}
    assert gate.until(40) == {21.0: {2: 1}}


def test_a_ladder_is_repeated_until_it_is_echoed():
    gate = Gate()
    gate.echoing = False
    sent = gate.until(14, 0, 1)
    assert set(sent) == {2.0, 6.0, 10.0, 14.0}
    assert all(told == {0: 1, 1: 1} for told in sent.values())
    gate.fleet.echoed[0] = gate.fleet.command[0]
    assert gate.until(18) == {18.0: {1: 1}}
    gate.fleet.uncount(np.array([1]))
    assert gate.until(30) == {}, "who is off is not spoken to"


def test_repeats_are_few_at_a_time_and_the_longest_waiting_first(monkeypatch):
    """Where thousands of echoes are slow, everything again every 3 s would make them slower."""
    monkeypatch.setattr(admissions, "REPEAT_MAX", 2)
    gate = Gate(5)
    gate.echoing = False
    sent = gate.until(9, *range(5))
    assert sorted(sent[2.0]) == [0, 1, 2, 3, 4]
    assert [sorted(sent[at]) for at in (6.0, 7.0, 8.0)] == [[0, 1], [2, 3], [4]]


def test_no_more_than_so_many_in_one_tick(monkeypatch):
    monkeypatch.setattr(admissions, "SEND_MAX", 3)
    gate = Gate(8)
    sent = gate.until(10, *range(8))
    assert [len(told) for told in sent.values()] == [3, 3, 2]


def late_ones():
    """Ten rigs dealt, two better ones joined at the end of the line; ready to be dealt again."""
    gate = Gate(10)
    gate.until(10, *range(10))
    gate.fleet.put_many(["late-1", "late-2"], OTHER)
    gate.until(12, 10, 11)
    return gate


def test_many_at_the_end_are_dealt_in_when_all_is_quiet():
    gate = late_ones()
    assert gate.until(25) == {21.0: {10: 1, 11: 1}}
    sent = gate.until(60)
    assert sent == {27.0: dict.fromkeys(range(12), 2)}, "everybody is sent the new epoch once"
    assert gate.dispatcher.line.ladder(10)[0].start_w < 12 * 1000


def test_the_new_epoch_is_broadcast_only_after_everybody_holds_it():
    gate = late_ones()
    gate.until(25)
    gate.deaf = {3}
    epochs = {}
    for _ in range(12):
        gate.tick()
        epochs[gate.now_s] = gate.dispatcher.line.epoch
        if gate.now_s == 32.0:
            gate.deaf = set()
    assert epochs[27.0] == 1, "sent and broadcast in one tick, the broadcast may come first"
    assert epochs[33.0] == 1, "one does not hold it"
    assert epochs[37.0] == 2


def test_one_who_never_answers_does_not_hold_up_the_others():
    gate = late_ones()
    gate.until(25)
    gate.deaf = {3}
    gate.until(37)
    assert gate.dispatcher.line.epoch == 1
    gate.until(38)
    assert gate.dispatcher.line.epoch == 2


def test_while_an_epoch_changes_newcomers_wait_for_the_new_one():
    gate = late_ones()
    gate.fleet.put("later", OTHER)
    gate.until(26)
    gate.deaf = {3}
    gate.tick()
    assert gate.admission.next_line is not None
    gate.tick(12)
    assert not gate.fleet.counted[12]
    sent = gate.until(60)
    assert gate.dispatcher.line.epoch >= 2
    first = min(second for second, told in sent.items() if 12 in told)
    assert first >= 38.0 + LEASE_S and sent[first][12] == 2


def test_one_late_rig_is_not_worth_a_new_epoch():
    gate = Gate(10)
    gate.until(10, *range(9))
    gate.until(100, 9)
    assert gate.dispatcher.line.epoch == 1


def test_a_band_is_put_where_the_position_has_settled():
    gate = Gate(40, limit_w=70_000)
    gate.until(60, *range(40))
    line, admit_w = gate.dispatcher.line, gate.dispatcher.admit_w
    assert line.epoch == 2
    near = (line.end_w > admit_w - 10_000) & (line.start_w < admit_w + 10_000)
    assert not line.wakes[near].any(), "what a signal moves wakes and sleeps nobody"
    assert line.wakes.sum() == 40
    gate.until(400)
    assert gate.dispatcher.line.epoch == 2, "and there it stays"


def test_a_position_that_drifted_away_gets_its_band_but_not_every_minute():
    gate = Gate(40, limit_w=80_000)
    gate.until(60, *range(40))
    assert gate.dispatcher.line.epoch == 2
    gate.limit_w = 30_000
    gate.until(250)
    assert gate.dispatcher.line.epoch == 2
    gate.until(450)
    assert gate.dispatcher.line.epoch == 3


def test_with_all_or_nothing_running_there_is_nothing_to_regulate():
    for limit_w in (0, 10_000_000):
        gate = Gate(40, limit_w=limit_w)
        gate.until(60, *range(40))
        assert gate.dispatcher.line.epoch == 1


def test_an_epoch_is_above_any_that_somebody_forgotten_may_have_dealt():
    gate = Gate(10)
    gate.admission.step({0, 1}, 0.0, 1_800_000_000.5)
    gate.admission.step(set(), 5.0, 1_800_000_005.5)
    assert gate.dispatcher.line.epoch == 1_800_000_005


def test_closed_until_old_leases_have_ended():
    gate = Gate()
    gate.admission.closed_until_s = 9.0
    assert gate.until(20, 0, 1) == {9.0: {0: 1, 1: 1}}


def test_a_rig_not_yet_heard_may_obey_somebody_else_and_is_waited_for_one_lease():
    """The broker kept its hello; whether it runs on a forgotten ladder shows when it speaks."""
    gate = Gate()
    gate.fleet.heard_s[3] = NEVER
    sent = gate.until(LEASE_S + 5, 0, 1, 2)
    assert sorted(sent)[0] > LEASE_S
    spoken = Gate()
    spoken.fleet.heard_s[3] = NEVER
    assert not spoken.until(QUIET_S + 1, 0, 1, 2)
    spoken.fleet.heard_s[3] = spoken.now_s
    assert spoken.until(QUIET_S + 3), "it has spoken, so nobody is waited for"
