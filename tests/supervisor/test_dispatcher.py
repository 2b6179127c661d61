"""One tick after the other, by story: rise, fall, a lost meter, holes, caps, old leases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor import line as lines
from supervisor.dispatcher import FIXED_SD, Before, Dispatcher, Means
from supervisor.fleet import Fleet
from supervisor.tree import grown
from tests.supervisor.small import PLAIN, fleet_of

RIGS = 40
FLOOR_W, TOP_W = RIGS * 20, RIGS * 2520
LEASE_S = 10.0


class Hall:
    """Rigs that do what they are admitted: awake after wake_s, then up at their own speed.

    factor: what they truly draw of what they list.  metering: whether anybody reads it.
    """

    def __init__(self, rigs=RIGS, factor=1.0, **means):
        self.fleet = fleet_of(rigs)
        means = {"up_w_per_s": 2_000.0, "lease_s": LEASE_S} | means
        self.site = Dispatcher(self.fleet, Means(**means))
        self.site.take_line(lines.deal(self.fleet.points, np.arange(rigs), 1), 0.0)
        self.factor, self.metering, self.now_s = factor, True, 0.0
        self.power_w, self.awake_s = np.zeros(rigs), np.zeros(rigs)
        self.metered_w = None
        self.aside_w = self.site.means.auxiliary_w
        self.accuracy_w = 0.001 * 2_500 * rigs if factor != 1 else 0.0

    @property
    def true_w(self):
        return int(self.power_w.sum()) + int(self.fleet.floor_w.sum()) + self.aside_w

    def tick(self, limit_w, seconds=1):
        """So many seconds at this limit; the last decision."""
        for _ in range(seconds):
            made = self.site.tick(self.now_s, limit_w, self.metered_w if self.metering else None)
            aim_w = self.site.admitted_by_rig()
            able_w = self.fleet.points.watts[range(len(self.fleet)), self.fleet.cap_level] - 20
            aim_w = np.minimum(aim_w, able_w) * self.factor
            self.awake_s = np.where(aim_w > 0, self.awake_s + 1, 0)
            up_w = self.fleet.up_w_per_s * (self.awake_s > self.fleet.wake_s)
            self.power_w = np.minimum(aim_w, self.power_w + up_w)
            self.metered_w, self.now_s = self.true_w, self.now_s + 1.0
            assert self.worst_w <= max(0, made.budget_w) + self.accuracy_w
        return made

    @property
    def worst_w(self):
        """What is drawn above the floor when everybody has done what is admitted."""
        return self.admitted_w * self.factor

    @property
    def admitted_w(self):
        return float(self.site.admitted_by_rig().sum())


def test_a_site_of_nobody_decides_too():
    made = Dispatcher(Fleet(), Means(auxiliary_w=500)).tick(0.0, 10_000, 600)
    assert (made.floor_w, made.capacity_w, made.admit_w, made.asked_w) == (500, 500, 0, 500)


def test_it_starts_asleep_and_knows_its_means():
    made = Hall(auxiliary_w=1_000).tick(0)
    assert made.floor_w == FLOOR_W + 1_000 and made.capacity_w == TOP_W + 1_000
    assert (made.asked_w, made.admit_w, made.budget_w) == (made.floor_w, 0, 0)
    assert made.expected_w == made.floor_w
    assert made.committed_w - made.floor_w <= 2 * FIXED_SD * TOP_W


def test_a_rise_is_followed_at_the_ramp_and_never_passed():
    hall = Hall()
    for second in range(60):
        made = hall.tick(60_000)
        assert made.asked_w == min(60_000, FLOOR_W + 2_000 * second)
        assert hall.true_w <= made.asked_w + 0.005 * TOP_W
    assert abs(hall.true_w - 60_000) < 0.005 * TOP_W
    assert hall.tick(60_000).in_flight == 0


def test_a_fall_is_obeyed_within_the_tick():
    hall = Hall()
    hall.tick(80_000, 90)
    made = hall.tick(30_000)
    assert made.asked_w == 30_000
    assert hall.admitted_w + FLOOR_W <= 30_000
    assert hall.true_w <= 30_000
    hall.tick(30_000, 30)
    assert hall.true_w > 30_000 - 1_250, "but for the one waking that does not fit"


def test_a_limit_below_the_floor_is_everybody_asleep():
    hall = Hall()
    hall.tick(80_000, 60)
    made = hall.tick(100)
    assert (made.admit_w, made.asked_w, made.budget_w) == (0, FLOOR_W, 0)
    assert hall.true_w == FLOOR_W


def test_what_leases_still_allow_stays_committed_until_they_end():
    hall = Hall()
    before = hall.tick(80_000, 90)
    assert before.committed_w >= before.expected_w > 70_000
    assert hall.tick(FLOOR_W).committed_w >= before.committed_w - 500
    assert hall.tick(FLOOR_W, 9).committed_w > 70_000
    assert hall.tick(FLOOR_W, 3).committed_w <= FLOOR_W + 2 * FIXED_SD * TOP_W


def test_what_rigs_really_draw_is_learned_from_the_meter():
    """They list 8 % less, or more, than they draw: the position makes up for it."""
    for factor in (1.08, 0.92):
        hall = Hall(factor=factor)
        hall.tick(70_000, 120)
        assert abs(hall.true_w - 70_000) < 0.006 * TOP_W
        assert abs(hall.site.learner.factors[0] - factor) < 0.03


def test_without_a_meter_it_stays_below_by_a_margin():
    hall = Hall(factor=1.08)
    hall.metering = False
    hall.tick(70_000, 90)
    assert hall.true_w < 70_000
    assert hall.true_w > 0.8 * 70_000


def test_a_meter_that_goes_silent_costs_a_little_more_every_second():
    hall = Hall()
    hall.tick(70_000, 120)
    hall.metering, drawn = False, []
    for _ in range(5):
        drawn.append(hall.true_w)
        hall.tick(70_000, 30)
    assert drawn[0] > 69_000
    assert drawn == sorted(drawn, reverse=True) and drawn[1] < drawn[0] - 0.005 * TOP_W
    hall.tick(70_000, 600)
    assert 0.9 * 70_000 < hall.true_w < 0.97 * 70_000, "there is an end to it"
    hall.metering = True
    hall.tick(70_000, 60)
    assert hall.true_w > 69_000, "it is back at the first reading"


def test_a_hole_is_filled_by_others():
    hall = Hall()
    before = hall.tick(50_000, 90)
    hall.fleet.uncount(np.arange(0, 10))
    made = hall.tick(50_000)
    assert made.admit_w > before.admit_w + 5_000
    assert made.capacity_w < 0.8 * before.capacity_w
    hall.tick(50_000, 60)
    assert abs(hall.true_w - 50_000) < 0.006 * TOP_W


def test_rigs_that_come_back_push_others_aside_at_once():
    hall = Hall()
    hall.fleet.uncount(np.arange(0, 10))
    hall.tick(50_000, 90)
    hall.fleet.count(np.arange(0, 10), hall.now_s)
    made = hall.tick(50_000)
    assert hall.admitted_w <= made.budget_w, "before they have drawn a watt"
    hall.tick(50_000, 60)
    assert abs(hall.true_w - 50_000) < 0.006 * TOP_W


def test_rigs_that_fail_to_wake_are_replaced():
    hall = Hall()
    made = hall.tick(40_000, 22)
    assert made.in_flight
    fails = hall.site.flight.rows[:5]
    hall.fleet.uncount(fails)
    hall.power_w[fails] = 0
    hall.tick(40_000, 60)
    assert abs(hall.true_w - 40_000) < 0.006 * TOP_W
    assert np.isinf(hall.fleet.admitted_s[fails]).all()


def test_what_heat_caps_is_still_in_the_account():
    """The capped may come back by themselves, so nobody is given their watts for good."""
    hall = Hall()
    before = hall.tick(90_000, 120)
    hall.fleet.cap_level[:8] = 1
    hall.fleet.version += 1
    made = hall.tick(90_000, 60)
    assert made.capacity_w < before.capacity_w - 8 * 1_000
    assert made.expected_w < before.expected_w - 8 * 1_000
    hall.fleet.cap_level[:8] = 3
    hall.fleet.version += 1
    hall.tick(90_000, 60)
    assert abs(hall.true_w - 90_000) < 0.01 * TOP_W


def test_while_rigs_wake_others_run_higher_in_their_place():
    hall = Hall(up_w_per_s=1e9)
    hall.tick(40_000, 60)
    made = hall.tick(80_000, 2)
    assert made.in_flight > 0 and hall.admitted_w <= made.budget_w
    hall.tick(80_000, 60)
    assert hall.true_w <= 80_000 + 0.005 * TOP_W


def test_margin_and_auxiliary_load_come_off_the_budget():
    plain, kept = Hall().tick(50_000), Hall(margin=0.1, auxiliary_w=5_000).tick(50_000)
    assert plain.budget_w == 50_000 - FLOOR_W
    assert kept.budget_w == int((50_000 - FLOOR_W - 5_000) * 0.9)


def test_the_ramp_of_the_rigs_holds_where_none_is_declared():
    hall = Hall(up_w_per_s=None)
    made = hall.tick(50_000)
    slowest_s = PLAIN.wake_s + 2_500 / PLAIN.up_w_per_s
    assert made.up_w_per_s == pytest.approx((TOP_W - FLOOR_W) / slowest_s)


def test_a_steady_site_does_not_fidget():
    hall = Hall()
    hall.tick(60_000, 120)
    assert len({hall.tick(60_000).admit_w for _ in range(60)}) <= 2


def test_the_same_facts_make_the_same_decisions():
    limits = (30_000, 70_000, 50_000, 90_000, 0, 60_000)
    one, other = ([hall.tick(w, 20) for w in limits] for hall in (Hall(), Hall()))
    assert one == other


def test_after_a_change_of_epoch_old_leases_stay_in_the_account():
    hall = Hall()
    hall.tick(40_000, 90)
    running = hall.admitted_w
    turned = np.arange(RIGS)[::-1]
    line = lines.deal(hall.fleet.points, turned, 2)
    hall.site.take_line(line, hall.now_s)
    made = hall.site.tick(hall.now_s, 40_000, hall.true_w)
    assert made.epoch == 2
    assert made.committed_w >= made.floor_w + 0.98 * running
    old_w, new_w = hall.site.leases.old_w, hall.site.admitted_by_rig()
    assert np.maximum(old_w, new_w).sum() <= made.budget_w, "each on whichever lease is higher"
    hall.now_s += 1
    hall.tick(40_000, 12)
    assert hall.site.leases.old_w is None
    hall.tick(40_000, 30)
    assert abs(hall.true_w - 40_000) < 0.01 * TOP_W


def test_who_takes_over_goes_on_where_the_other_left_off():
    hall = Hall()
    made = hall.tick(60_000, 90)
    heir = Dispatcher(hall.fleet, hall.site.means, 1)
    heir.resume(hall.site.line, Before(500.0, made.admit_w, made.admit_w + 5_000, made.asked_w))
    first = heir.tick(500.0, 60_000, None)
    assert first.asked_w == 60_000, "not from the floor"
    assert first.in_flight == 0, "whoever ran runs on"
    assert first.committed_w > first.expected_w, "and may be on a higher lease"
    assert heir.tick(512.0, 60_000, None).committed_w < first.committed_w


def test_what_was_learned_goes_over_too():
    hall = Hall(factor=1.08)
    hall.tick(60_000, 120)
    heir = Dispatcher(hall.fleet, hall.site.means, 1)
    heir.resume(hall.site.line, Before(500.0, hall.site.admit_w, hall.site.admit_w, 60_000.0))
    heir.recall(hall.site.learner.keep())
    assert heir.learner.factors.tolist() == hall.site.learner.factors.tolist()
    assert abs(heir.tick(500.0, 60_000, None).admit_w - hall.site.admit_w) < 0.06 * TOP_W


happenings = st.one_of(
    st.tuples(st.just("limit"), st.integers(0, 60_000)),
    st.tuples(st.sampled_from(("lose", "count", "cap", "uncap")), st.integers(0, 19)),
    st.tuples(st.just("wait"), st.integers(1, 15)),
    st.tuples(st.just("meter"), st.booleans()),
    st.tuples(st.just("epoch"), st.booleans()),
)


@given(st.lists(happenings, max_size=15), st.sampled_from((0.9, 1.0, 1.1)))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_nothing_is_admitted_above_the_budget(story, factor):
    """Hall.tick looks, every second."""
    hall, limit_w, epoch = Hall(rigs=20, factor=factor), 30_000, 1
    for kind, value in story:
        if kind == "limit":
            limit_w = value
        elif kind == "lose":
            hall.fleet.uncount(np.array([value]))
        elif kind == "count":
            hall.fleet.count(np.array([value]), hall.now_s)
        elif kind in ("cap", "uncap"):
            hall.fleet.cap_level[value] = 1 if kind == "cap" else 3
            hall.fleet.version += 1
        elif kind == "meter":
            hall.metering = value
        elif kind == "epoch":
            epoch += 1
            order = np.arange(20)[:: -1 if value else 1]
            hall.site.take_line(lines.deal(hall.fleet.points, order, epoch), hall.now_s)
        made = hall.tick(limit_w, value if kind == "wait" else 1)
        assert made.committed_w >= made.floor_w
        assert made.asked_w <= max(limit_w, made.floor_w)


def test_a_feeder_carries_leases_of_two_epochs_at_once():
    """Two rigs run on it, and the next ladders give it to two others: these wait for a lease."""
    fleet, tree = fleet_of(6), grown({"east": 2_700.0})
    fleet.node[:4] = 0
    site = Dispatcher(fleet, Means(up_w_per_s=1e9, lease_s=LEASE_S), tree=tree)
    site.learner.worst_w = site.learner.likely_w
    now_s, at_once = 0.0, []
    for epoch, rows in ((1, [0, 1, 4]), (2, [2, 3, 4, 5])):
        site.take_line(site.dealer.deal(np.array(rows), epoch, now_s), now_s)
        for _ in range(30):
            site.tick(now_s, 100_000, None)
            now_s += 1.0
            new_w = site.line.admitted_by_rig(site.admit_w, 6)[:4]
            on_lease_w = site.leases.worst_w(np.append(new_w, [0.0, 0.0]))[:4]
            assert 1.24 * on_lease_w.sum() + 80 <= 2_700, "at the worst nobody yet knows better"
            at_once.append((new_w > 0).sum())
    assert at_once[29] == 2 and at_once[30:40] == [0] * 10 and at_once[-1] == 2
