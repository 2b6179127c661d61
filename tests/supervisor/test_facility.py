"""Which fans and pumps run, and what they carry: by story and property."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.envelope import Entry, settle
from supervisor.facility import Drive, Facility, Load, Rules, Sight

RULES = Rules()
MW = 1_000_000
TWO = (Drive("a", 2 * MW), Drive("b", 2 * MW))
TWO_OF_B = (Drive("b1", MW, "b"), Drive("b2", MW, "b"))


class Story:
    """A facility asked once a second; drives in turning move air when told, at once."""

    def __init__(self, *drives, taking_over=False, rules=RULES):
        self.now_s = 0.0
        self.turning = {drive.name for drive in drives}
        self.heard = set(self.turning)
        self.facility = Facility(drives, rules, 0.0, taking_over=taking_over)
        self.plan = None
        self.running = set()  # as told; a test may run them before anybody told them

    def run(self, seconds, demand_mw=0.0, drawn_mw=0.0, base_w=0):
        """The limit in MW after each second; None: no limit."""
        limits = []
        for _ in range(seconds):
            self.now_s += 1.0
            for name in self.heard:
                on = name in self.running
                sight = Sight(self.now_s, on and name in self.turning, on, "" if on else "stopped")
                self.facility.hear(name, sight)
            load = Load(round(demand_mw * MW), round(drawn_mw * MW), base_w)
            self.plan = self.facility.step(self.now_s, load)
            self.running = set(self.plan.on) if self.now_s > 1 else self.running
            limit_w = self.plan.limit_w
            limits.append(None if limit_w is None else limit_w / MW)
        return limits


def test_nothing_is_allowed_before_the_air_is_proven_and_then_what_it_carries():
    story = Story(*TWO)
    limits = story.run(12, demand_mw=1.0)
    assert story.plan.on == {"a"}  # one is enough
    assert limits[:6] == [0.0] * 6 and limits[-1] == 2.0
    assert story.plan.because == "1 of 2 proven"
    assert story.run(12, demand_mw=3.0)[-1] is None
    assert story.plan.because == "all fans and pumps are proven"


def test_a_fan_that_does_not_turn_blocks_the_restore_says_why_and_another_is_started():
    story = Story(*TWO)
    story.turning = {"b"}
    limits = story.run(29, demand_mw=1.0)
    assert set(limits) == {0.0} and story.plan.on == {"a"}
    assert story.plan.because.startswith("0 of 2 proven; a: ")
    limits = story.run(20, demand_mw=1.0)
    assert story.plan.on >= {"b"} and limits[-1] == 2.0


def test_what_runs_is_held_while_the_proof_is_a_little_old_and_shed_by_rule():
    story = Story(*TWO)
    story.run(20, demand_mw=4.0)
    assert story.plan.limit_w is None
    story.heard = {"a"}  # b cannot be heard any more
    limits = story.run(25, demand_mw=4.0, drawn_mw=2.5)
    assert limits[3:5] == [None, 2.65]  # no rise, nothing shed,
    assert limits[9:11] == [2.65, 2.0]  # then what a carries
    assert set(limits[11:]) == {2.0}
    assert story.plan.because.startswith("1 of 2 proven; b: ")
    story.heard = {"a", "b"}
    assert story.run(7, demand_mw=4.0, drawn_mw=2.0)[-3:] == [2.0, None, None]  # steady again


def test_a_fan_runs_on_for_the_cool_down_and_they_stop_one_after_the_other():
    story = Story(*TWO)
    story.run(200, demand_mw=4.0, drawn_mw=4.0)
    assert story.plan.on == {"a", "b"}
    story.run(179)
    assert story.plan.on == {"a", "b"}
    story.run(3)
    assert story.plan.on == {"a"}
    story.run(8)
    assert story.plan.on == {"a"}
    story.run(3)
    assert story.plan.on == set()


def test_what_is_still_drawn_keeps_its_fans_whatever_is_allowed():
    story = Story(*TWO)
    story.run(200, demand_mw=4.0, drawn_mw=4.0)
    story.run(400, demand_mw=0.0, drawn_mw=1.5)
    assert story.plan.on == {"a"}


def test_to_the_second():
    story = Story(*TWO)  # told at 2 s, seen to move air from 3 s on
    limits = story.run(20, demand_mw=1.0)
    assert limits.index(2.0) == 7 and set(limits[:7]) == {0.0} and set(limits[7:]) == {2.0}
    failing = Story(*TWO)
    failing.turning = set()
    failing.run(31, demand_mw=1.0)
    assert failing.plan.on == {"a"}
    failing.run(1, demand_mw=1.0)
    assert failing.plan.on == {"a", "b"}


def stops(story, seconds, **load):
    """When each drive was stopped."""
    found = {}
    for _ in range(seconds):
        before = set(story.plan.on) if story.plan else set(story.running)
        story.run(1, **load)
        found |= dict.fromkeys(before - story.plan.on, story.now_s)
    return found


def test_when_drives_are_stopped_to_the_second():
    idle = Story(*TWO)
    idle.running = {"a", "b"}
    assert stops(idle, 200) == {"b": 180.0, "a": 190.0}
    busy = Story(*TWO)
    busy.run(300, demand_mw=4.0)
    assert stops(busy, 200) == {"b": 481.0, "a": 491.0}  # last needed at 300 s


def test_none_is_stopped_while_one_that_is_to_carry_is_not_proven():
    story = Story(*TWO, Drive("c", 2 * MW))
    story.run(200, demand_mw=6.0)
    story.run(170, demand_mw=1.0)
    story.heard = {"b", "c"}
    assert stops(story, 20, demand_mw=1.0) == {"a": 381.0}  # which itself is not
    story.heard = {"a", "b", "c"}
    assert stops(story, 30, demand_mw=1.0) == {"c": 391.0}


def test_all_that_are_not_proven_may_be_stopped():
    story = Story(*TWO, Drive("c", 2 * MW))
    story.turning = {"a"}
    story.run(200, demand_mw=6.0)
    assert story.plan.on == {"a", "b", "c"}
    assert set(stops(story, 200, demand_mw=1.0)) == {"b", "c"}


def test_what_needs_no_air_is_beside_the_limit():
    story = Story(*TWO)
    story.run(20, demand_mw=1.0, base_w=300)
    assert story.plan.limit_w == 2 * MW + 300


def test_the_weakest_zone_limits_and_is_named():
    drives = (Drive("a", 3 * MW, "a"), Drive("a2", MW, "a"), *TWO_OF_B)
    story = Story(*drives)
    story.turning = {"a", "b1"}
    assert story.run(60, demand_mw=4.0)[-1] == 1.0
    assert story.plan.because.startswith("1 of 2 proven in b; b2: ")
    mirrored = Story(*drives[::-1])
    mirrored.turning = {"a", "b1"}
    assert mirrored.run(60, demand_mw=4.0)[-1] == 1.0


def test_how_long_airflow_was_missed():
    story = Story(*TWO)
    story.run(20, demand_mw=1.0)
    assert story.facility.unproven_s(story.now_s) == {"a": 0.0, "b": 0.0}  # b is not to run
    story.heard = set()
    story.run(25, demand_mw=1.0)
    assert story.facility.unproven_s(story.now_s) == {"a": 25.0, "b": 13.0}


def test_why_a_drive_is_not_proven():
    story = Story(*TWO)
    story.run(4, demand_mw=1.0)
    assert story.plan.because == "0 of 2 proven; a: its airflow is not proven yet"
    story.facility.silent("a", "no answer")
    story.heard = set()
    story.run(6, demand_mw=1.0)
    assert story.plan.because == "0 of 2 proven; a: no answer"


def test_zones_do_not_cool_each_other():
    halls = (
        Drive("a1", MW, "a"),
        Drive("a2", MW, "a"),
        Drive("b1", 3 * MW, "b"),
    )
    story = Story(*halls)
    story.turning = {"a1", "b1"}
    assert story.run(60, demand_mw=2.0)[-1] == 1.0  # all that is drawn may be in hall a
    assert story.plan.because.startswith("1 of 2 proven in a; a2: ")


def test_one_that_takes_over_holds_what_runs_until_it_is_proven_or_not():
    story = Story(*TWO, taking_over=True)
    story.running = {"a", "b"}
    limits = story.run(12, demand_mw=4.0, drawn_mw=3.0)
    assert limits[0] == 3.18 and limits[-1] is None and story.plan.on == {"a", "b"}
    lost = Story(*TWO, taking_over=True)
    lost.running, lost.turning = {"a", "b"}, {"a"}
    limits = lost.run(12, demand_mw=4.0, drawn_mw=3.0)
    assert limits[0] == 3.18 and limits[-1] == 2.0
    assert limits[8:] == [3.18, 3.18, 2.0, 2.0] or limits[8:] == [3.18, 2.0, 2.0, 2.0]
    fresh = Story(*TWO)
    fresh.running = {"a", "b"}
    assert fresh.run(5, demand_mw=4.0, drawn_mw=3.0) == [0.0] * 5  # nobody has proven anything


def test_fans_that_run_when_we_come_are_not_stopped_by_our_coming():
    story = Story(*TWO)
    story.running = {"b"}
    story.run(179)
    assert story.plan.on == {"b"}
    story.run(20)
    assert story.plan.on == set()


@given(
    st.lists(
        st.tuples(st.floats(0, 9), st.floats(0, 9), st.sets(st.sampled_from("abc"))),
        max_size=60,
    ),
    st.booleans(),
)
def test_never_more_than_is_proven_nor_off_while_rigs_run(seconds, taking_over):
    drives = tuple(Drive(name, 3 * MW) for name in "abc")
    rules = Rules(cool_down_s=20.0, stage_s=3.0)
    story = Story(*drives, taking_over=taking_over, rules=rules)
    before, drawn = set(), []
    for demand_mw, drawn_mw, turning in seconds:
        story.turning = turning
        drawn.append(drawn_mw)
        (limit_mw,) = story.run(1, demand_mw, drawn_mw)
        facility, now_s = story.facility, story.now_s
        proven_mw = sum(3.0 for d in drives if facility.proven(d, now_s))
        lately_mw = sum(3.0 for d in drives if now_s - facility._states[d.name].proof_s <= 10.0)
        if proven_mw < 9:
            assert limit_mw is not None
            assert limit_mw <= max(proven_mw, min(lately_mw, 1.06 * max(drawn) + 1e-5))
        if before - story.plan.on:  # somebody was stopped: those left can carry it all
            assert 3.0 * len(story.plan.on) >= max(drawn[-20:]) - 1e-6
        before = set(story.plan.on)


def test_the_bound_never_stands_in_for_a_signal():
    bound = Entry("facility", ((0.0, 5),), bound=True)
    grid = Entry("grid", ((0.0, 7),))
    assert settle([bound], 100, 0, 1.0).limit_w == 0
    assert settle([bound], 100, 0, 1.0).source == "site"
    assert settle([bound], 100, 50, 1.0).source == "facility"
    assert settle([bound, grid], 100, 0, 1.0).limit_w == 5
    assert settle([grid], 100, 0, 1.0).limit_w == 7
