"""Joining, budgets, ladders, lease: every rule of acceptance as a story; on both runtimes."""

from firmware.dispatch import BUDGET, ECHO, JOINED, OBEYED, PATIENCE_MS, Dispatch, lower
from protocols import mac, messages, topics
from protocols.ladder import ASLEEP, Admitted

SITE, RIG = "here", "rig-7"
BUDGET_KEY, RIG_KEY = b"b" * 32, b"r" * 32
STEPS = [[1, 0, 1000], [2, 2000, 2500], [3, 3000, 3600]]
TTL_MS = 5_000


class World:
    """A rig and somebody who knows its keys."""

    def __init__(self):
        self.nonces = 0
        self.rig = Dispatch(SITE, RIG, BUDGET_KEY, RIG_KEY, self.fresh)

    def fresh(self):
        self.nonces += 1
        return f"{self.nonces:016x}"

    def cmd(self, id=1, term=1, seq=0, epoch=1, ladder=None, event=0, nonce=None, key=RIG_KEY):
        body = messages.encode(
            "cmd",
            {
                "nonce": nonce or self.rig.nonce,
                "id": id,
                "term": term,
                "seq": seq,
                "epoch": epoch,
                "ladder": STEPS if ladder is None else ladder,
                "event": event,
            },
        )
        topic = topics.rig(SITE, RIG, "cmd")
        return self.rig.hear(topic, mac.seal(key, topic, body))

    def budget(self, admit_w, seq=1, term=1, epoch=1, ttl_ms=TTL_MS, key=BUDGET_KEY, sent_ms=0):
        return self.rig.hear(*sealed_budget(admit_w, seq, term, epoch, ttl_ms, key, sent_ms))

    def joined(self):
        assert self.cmd() == JOINED
        return self


def sealed_budget(admit_w, seq, term=1, epoch=1, ttl_ms=TTL_MS, key=BUDGET_KEY, sent_ms=0):
    body = messages.encode(
        "budget",
        {
            "term": term,
            "seq": seq,
            "epoch": epoch,
            "admit_w": admit_w,
            "budget_w": admit_w,
            "ttl_ms": ttl_ms,
            "sent_ms": sent_ms,
        },
    )
    topic = topics.budget(SITE)
    return topic, mac.seal(key, topic, body)


def test_joining_and_the_first_budget():
    world = World()
    rig = world.rig
    assert not rig.joined and rig.admitted == ASLEEP
    assert (rig.id, rig.term, rig.seq, rig.epoch, rig.recorded_event) == (0, 0, 0, 0, 0)
    assert world.budget(9000) == "" and rig.refused == {"budget before joining": 1}
    assert world.cmd() == JOINED
    assert rig.joined and rig.id == 1 and rig.epoch == 1
    assert rig.admitted == ASLEEP and rig.lease_ms == 0
    assert world.budget(9000) == BUDGET
    assert rig.admitted == Admitted(3, 3, 0) and rig.lease_ms == TTL_MS
    assert (rig.term, rig.seq) == (1, 1)


def test_each_position_on_the_ladder():
    world = World().joined()
    positions = ((0, ASLEEP), (999, ASLEEP), (1000, Admitted(1, 1, 0)), (2250, Admitted(1, 2, 500)))
    positions += ((2500, Admitted(2, 2, 0)), (2000, Admitted(1, 1, 0)), (9999, Admitted(3, 3, 0)))
    for seq, (admit_w, admitted) in enumerate(positions, 1):
        assert world.budget(admit_w, seq) == BUDGET
        assert world.rig.admitted == admitted, admit_w


def test_budgets_must_be_newer():
    world = World().joined()
    assert world.budget(1000, seq=5) == BUDGET
    for seq in (5, 4, 0):
        assert world.budget(9000, seq=seq) == ""
    assert world.rig.refused == {"budget not newer": 3}
    assert world.rig.admitted == Admitted(1, 1, 0)
    assert world.budget(9000, seq=6) == BUDGET


def test_a_newer_term_may_count_from_anywhere_and_an_older_one_is_refused():
    world = World().joined()
    assert world.budget(1000, seq=500) == BUDGET
    assert world.budget(2500, seq=0, term=2) == BUDGET
    assert world.budget(9000, seq=501, term=1) == ""
    assert world.rig.admitted == Admitted(2, 2, 0)
    assert (world.rig.term, world.rig.seq) == (2, 0)


def test_budgets_up_to_the_one_of_joining_are_not_for_this_rig():
    world = World()
    assert world.cmd(term=3, seq=70) == JOINED
    assert world.budget(9000, seq=70, term=3) == ""
    assert world.budget(9000, seq=71, term=2) == ""
    assert world.budget(9000, seq=71, term=3) == BUDGET


def test_wrong_seals_and_fields_are_refused_and_counted():
    world = World().joined()
    assert world.budget(9000, key=RIG_KEY) == ""
    assert world.cmd(id=2, key=BUDGET_KEY) == ""
    topic, payload = sealed_budget(9000, 1)
    assert world.rig.hear(topics.rig(SITE, RIG, "cmd"), payload) == ""
    assert world.rig.hear("surplus/there/budget", payload) == ""
    assert world.rig.hear(topic, b"") == ""
    assert world.rig.hear(topic, b"x" * 10_000) == ""
    broken = b'{"v":1,"term":1}'
    assert world.rig.hear(topic, mac.seal(BUDGET_KEY, topic, broken)) == ""
    assert world.rig.refused == {
        "budget seal": 2,
        "cmd seal": 2,
        "topic": 1,
        "budget size": 1,
        "budget fields": 1,
    }
    assert world.rig.admitted == ASLEEP


def test_the_seal_covers_every_bit():
    topic, payload = sealed_budget(9000, 1)
    world = World().joined()
    for at in range(len(payload)):
        broken = payload[:at] + bytes((payload[at] ^ 1,)) + payload[at + 1 :]
        assert world.rig.hear(topic, broken) == "", at
    assert world.rig.admitted == ASLEEP


def test_the_lease_runs_out():
    world = World().joined()
    world.budget(9000)
    nonce = world.rig.nonce
    assert not world.rig.elapse(TTL_MS - 1)
    assert world.rig.lease_ms == 1 and world.rig.admitted.level == 3
    assert world.rig.elapse(1)
    assert world.rig.admitted == ASLEEP and world.rig.nonce != nonce
    assert not world.rig.joined and world.rig.lease_ms == 0 and world.rig.id == 0
    assert world.rig.because == "the lease ran out"
    assert world.budget(9000, seq=99) == ""
    assert not world.rig.elapse(TTL_MS)


def test_a_budget_renews_the_lease_with_its_own_time():
    world = World().joined()
    world.budget(9000, ttl_ms=5_000)
    world.rig.elapse(4_900)
    world.budget(9000, seq=2, ttl_ms=300, sent_ms=4_900)
    assert not world.rig.elapse(299)
    assert world.rig.elapse(1)


def test_a_refused_budget_renews_nothing():
    world = World().joined()
    world.budget(9000, seq=7)
    world.rig.elapse(TTL_MS - 1)
    world.budget(9000, seq=7)
    world.budget(9000, seq=8, key=RIG_KEY)
    assert world.rig.elapse(1)


def test_a_joined_rig_that_hears_no_budget_asks_again():
    world = World().joined()
    assert not world.rig.elapse(PATIENCE_MS - 1)
    assert world.rig.elapse(1)
    assert not world.rig.joined and world.rig.nonce == f"{2:016x}"


def test_after_the_lease_nothing_old_counts():
    world = World()
    old_nonce = world.rig.nonce
    world.joined()
    world.budget(9000)
    world.rig.elapse(TTL_MS)
    assert world.cmd(id=9, nonce=old_nonce) == ""
    assert world.rig.refused == {"cmd nonce": 1}
    assert world.cmd(id=1, seq=40) == JOINED
    assert world.budget(9000, seq=40) == ""
    assert world.budget(9000, seq=41) == BUDGET


def test_commands_count_up_and_the_last_is_echoed():
    world = World().joined()
    assert world.cmd(id=1) == ECHO
    assert world.cmd(id=5) == OBEYED and world.rig.id == 5
    assert world.cmd(id=4) == "" and world.rig.refused == {"cmd not newer": 1}
    assert world.cmd(id=5, ladder=[]) == ECHO
    assert world.budget(1000) == BUDGET and world.rig.admitted.level == 1


def test_a_bad_ladder_is_refused_whole():
    world = World()
    assert world.cmd(ladder=[[1, 5, 5]]) == ""
    assert world.rig.refused == {"cmd ladder": 1}
    assert not world.rig.joined and world.rig.id == 0


def test_a_command_of_an_older_term_is_refused():
    world = World().joined()
    world.budget(1000, term=2)
    assert world.cmd(id=2, term=1, ladder=[[8, 0, 1]]) == ""
    assert world.rig.refused == {"cmd of an older term": 1}
    assert world.cmd(id=2, term=2) == OBEYED


def test_a_command_never_raises_and_may_lower():
    world = World().joined()
    world.budget(2250)
    assert world.cmd(id=2, ladder=[[5, 0, 100]]) == OBEYED
    assert world.rig.admitted == Admitted(1, 2, 500)
    assert world.budget(2250, seq=2) == BUDGET
    assert world.rig.admitted == Admitted(5, 5, 0)
    assert world.cmd(id=3, ladder=[[1, 0, 100], [5, 4000, 5000]]) == OBEYED
    assert world.rig.admitted == Admitted(1, 1, 0)
    assert world.cmd(id=4, ladder=[]) == OBEYED
    assert world.rig.admitted == ASLEEP


def test_a_command_raises_the_floor_of_budgets_and_never_lowers_it():
    world = World().joined()
    world.budget(1000, seq=10)
    world.cmd(id=2, seq=20)
    assert world.budget(9000, seq=20) == ""
    assert world.budget(1000, seq=21) == BUDGET
    world.cmd(id=3, seq=5)
    assert world.budget(9000, seq=21) == ""


def test_an_epoch_that_is_not_held_is_sleep_with_a_lease():
    world = World().joined()
    world.budget(9000)
    assert world.budget(9000, seq=2, epoch=2) == BUDGET
    assert world.rig.admitted == ASLEEP and world.rig.lease_ms == TTL_MS
    assert world.rig.because == "no ladder of epoch 2"
    # its ladder comes: asleep until the next budget
    assert world.cmd(id=2, epoch=2) == OBEYED and world.rig.admitted == ASLEEP
    assert world.budget(9000, seq=3, epoch=2) == BUDGET
    assert world.rig.admitted.level == 3


def test_the_two_newest_epochs_are_held():
    world = World().joined()
    world.cmd(id=2, epoch=3)
    world.cmd(id=3, epoch=2)
    assert world.rig.epoch == 3
    for seq, (epoch, level) in enumerate(((1, 0), (2, 3), (3, 3), (4, 0)), 1):
        world.budget(9000, seq=seq, epoch=epoch)
        assert world.rig.admitted.level == level, epoch
    # an older one than both is not kept
    world.cmd(id=4, epoch=1)
    world.budget(9000, seq=9, epoch=1)
    assert world.rig.admitted == ASLEEP


def test_losing_the_epoch_it_runs_on_is_sleep():
    world = World().joined()
    world.budget(9000)
    world.cmd(id=2, epoch=2)
    assert world.rig.admitted.level == 3
    world.cmd(id=3, epoch=3)
    assert world.rig.admitted == ASLEEP


def test_events_on_record():
    world = World().joined()
    assert world.rig.recorded_event == 0
    world.cmd(id=2, event=9)
    world.cmd(id=3, event=4)
    assert world.rig.recorded_event == 9


def test_lower_of_two():
    a, b = Admitted, Admitted
    for one, other, least in (
        (a(1, 1, 0), b(3, 3, 0), a(1, 1, 0)),
        (a(1, 2, 300), b(1, 2, 400), a(1, 2, 300)),
        (a(1, 2, 300), b(2, 3, 0), a(1, 2, 300)),
        (a(1, 3, 300), b(2, 3, 0), a(1, 1, 0)),
        (a(1, 3, 300), b(1, 2, 300), a(1, 1, 0)),
        (ASLEEP, b(8, 8, 0), ASLEEP),
    ):
        assert lower(one, other) == lower(other, one) == least, (one, other)


def test_a_fault_forgets_the_ladder_and_joins_anew():
    rig = World().joined().rig
    nonce = rig.nonce
    rig.leave("a fan stopped")
    assert not rig.joined and rig.admitted == ASLEEP and rig.nonce != nonce
    assert rig.because == "a fan stopped"
    nonce = rig.nonce
    rig.leave("still")
    assert rig.nonce == nonce and rig.because == "still"


def test_a_budget_that_was_held_up_renews_only_what_is_left_of_it():
    world = World().joined()
    assert world.budget(9000, seq=1, sent_ms=50_000) == BUDGET and world.rig.lease_ms == TTL_MS
    world.rig.elapse(3000)
    assert world.budget(9000, seq=2, sent_ms=53_000) == BUDGET and world.rig.lease_ms == TTL_MS
    world.rig.elapse(3000)
    assert world.budget(9000, seq=3, sent_ms=54_000) == BUDGET, "two seconds late"
    assert world.rig.lease_ms == TTL_MS - 2000
    world.rig.elapse(400)
    assert world.budget(9000, seq=4, sent_ms=56_000) == BUDGET and world.rig.lease_ms == TTL_MS


def test_a_budget_older_than_its_lease_is_refused():
    world = World().joined()
    assert world.budget(9000, seq=1, sent_ms=100_000) == BUDGET
    assert world.budget(9000, seq=2, sent_ms=100_000 - TTL_MS) == ""
    assert world.rig.refused == {"budget too late": 1} and world.rig.seq == 1


def test_another_supervisor_may_have_another_clock():
    world = World().joined()
    assert world.budget(9000, seq=1, sent_ms=100_000) == BUDGET
    assert (
        world.budget(9000, seq=1, sent_ms=5_000, term=2) == BUDGET and world.rig.lease_ms == TTL_MS
    )
