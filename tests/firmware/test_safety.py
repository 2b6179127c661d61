"""Every rule of the safety table: its edge, its delay, its end; on both runtimes."""

from firmware.counters import Chain
from firmware.derate import DOWN, LOW
from firmware.safety import (
    BOARD,
    CONDITIONS,
    GOOD_MS,
    OFF,
    RULES,
    Board,
    Fan,
    Rule,
    Safety,
    Snapshot,
    Supply,
)
from firmware.vitals import FAR, FROZEN, Sensor

RULE = {rule.code: rule for rule in RULES}
WELL = {
    "elapsed_ms": 100,
    "hash_ms": 60_000,
    "inlet": 300,
    "outlet": 500,
    "age_ms": 0,
    "doubt": "",
    "rpm": 4000,
    "expected_rpm": 4000,
    "most_rpm": 4000,
    "status": 0,
    "mv": 13_000,
    "want_mv": 13_000,
    "input_w": 2000,
    "supply_age_ms": 0,
    "board": "",
    "restarts": "",
    # of board 1, of two
    "why": "",
    "chips": 65,
    "least": 58,
    "ghs": 60_000,
    "expected_ghs": 60_000,
    "wrong_pm": 0,
    "odd": 0,
}


def snapshot(**changes):
    now = dict(WELL)
    for name, value in changes.items():
        assert name in WELL, name
        now[name] = value
    sensors = [
        Sensor("inlet 0", "inlet", now["inlet"], 0, ""),
        Sensor("outlet 0", "outlet", 450, 0, ""),
        Sensor("outlet 1", "outlet", now["outlet"], now["age_ms"], now["doubt"]),
    ]
    fans = [Fan(4000, 4000, 4000), Fan(now["rpm"], now["expected_rpm"], now["most_rpm"])]
    supply = Supply(now["status"], now["mv"], now["want_mv"], now["input_w"], now["supply_age_ms"])
    chain = Chain(now["chips"], now["ghs"], now["expected_ghs"], now["wrong_pm"], now["odd"])
    boards = [
        Board("", Chain(65, 60_000, 60_000, 0, 0), 58),
        Board(now["why"], chain, now["least"]),
    ]
    return Snapshot(
        now["elapsed_ms"],
        now["hash_ms"],
        sensors,
        fans,
        supply,
        now["board"],
        now["restarts"],
        boards,
    )


def played(*turns, rules=RULES):
    """(changes, for ms) turns, 100 ms a step; the safety loop and its last verdict."""
    safety, verdict, changes = Safety(rules), None, []
    for conditions, period_ms in turns:
        now = snapshot(**conditions)
        for _ in range(period_ms // 100):
            verdict = safety.step(now)
            changes += safety.changes
    return verdict, changes


# code -> (just not, just so), in the words of snapshot()
EDGES = {
    "overheat": ({"outlet": 719}, {"outlet": 720}),
    "hot": ({"outlet": 649}, {"outlet": 650}),
    "inlet-hot": ({"inlet": 449}, {"inlet": 450}),
    "sensor-lost": ({"age_ms": 699}, {"age_ms": 700}),
    "sensor-dead": ({"age_ms": 699}, {"age_ms": 700}),
    "fan-stopped": ({"rpm": 2000}, {"rpm": 1999}),
    "fan-weak": ({"rpm": 3200}, {"rpm": 3199}),
    "fan-odd": ({"rpm": 6000}, {"rpm": 6001}),
    "supply-fault": ({"status": 0xFFC3}, {"status": 0x0004}),
    "supply-missing": ({"mv": 11_700}, {"mv": 11_699}),
    "supply-lost": ({"supply_age_ms": 999}, {"supply_age_ms": 1000}),
    "supply-dead": ({"supply_age_ms": 4999}, {"supply_age_ms": 5000}),
    "supply-stays-on": ({"hash_ms": -1, "input_w": 199}, {"hash_ms": -1, "input_w": 200}),
    "loop-late": ({"elapsed_ms": 999}, {"elapsed_ms": 1000}),
    "restarts": ({"restarts": ""}, {"restarts": "started 4 times"}),
    "board-lost": ({"chips": 58}, {"chips": 57}),
    "board-slow": ({"ghs": 30_000}, {"ghs": 29_999}),
    "board-wrong": ({"wrong_pm": 299}, {"wrong_pm": 300}),
    "chips-wrong": ({"wrong_pm": 49}, {"wrong_pm": 50}),
    "board-clock": ({"odd": 0}, {"odd": 1}),
    "board-dead": ({"board": ""}, {"board": "board 1: 63 of 65 chips answer"}),
}


def alone(code):
    return (RULE[code],)


def test_every_rule_has_a_condition_and_an_edge():
    codes = [rule.code for rule in RULES]
    assert sorted(codes) == sorted(CONDITIONS) == sorted(EDGES)
    assert len(set(codes)) == len(codes)
    for rule in RULES:
        assert rule.action in (OFF, LOW, DOWN, BOARD)


def test_every_rule_at_its_edge():
    for code, (not_yet, so) in EDGES.items():
        period_ms = RULE[code].delay_ms + 100
        assert played((not_yet, 10 * period_ms), rules=alone(code))[0].code == "", code
        assert played((so, period_ms), rules=alone(code))[0].code == code, code


def test_every_rule_waits_for_its_delay():
    for code, (_, so) in EDGES.items():
        delay_ms = RULE[code].delay_ms
        if not delay_ms:
            continue
        assert played((so, delay_ms), rules=alone(code))[0].code == "", code
        broken = [(so, delay_ms), ({}, 100), (so, delay_ms)]
        assert played(*broken, rules=alone(code))[0].code == "", code


AT_ONCE = ("loop-late", "board-dead", "supply-dead", "restarts")  # these are not samples


def test_no_single_sample_takes_hash_power():
    for code, (_, so) in EDGES.items():
        if RULE[code].action == OFF and code not in AT_ONCE:
            assert played((so, 100), ({}, 100))[0].may_hash, code


def test_what_each_action_does():
    for code, (_, so) in EDGES.items():
        rule = RULE[code]
        verdict = played((so, rule.delay_ms + 100), rules=alone(code))[0]
        assert verdict.because.startswith(code + ": "), code
        assert verdict.trouble is (rule.action != BOARD), code
        assert verdict.may_hash is (rule.action != OFF), code
        assert verdict.fault is (rule.action == OFF), code
        assert verdict.cap == (rule.action if rule.action in (LOW, DOWN) else ""), code
        assert sorted(verdict.boards) == ([1] if rule.action == BOARD else []), code


def test_all_is_well():
    verdict, changes = played(({}, 600_000))
    assert verdict == (True, False, "", False, "", "", {})
    assert changes == []


def test_nothing_hashes_before_everything_was_heard():
    for unknown in ({"outlet": None}, {"status": None}):
        verdict = played((unknown, 100))[0]
        assert verdict == (False, False, "", True, "", "waiting for the first readings", {})
    assert not played(({"outlet": None, "rpm": 3000}, 20_000))[0].may_hash


def test_deadlines_of_the_field():
    """A stopped fan within 3 s, a lost sensor derated within 1 s and off within 10 s.

    The readings themselves lag: 500 ms of tach window, 250 ms of sensor period.
    """
    assert RULE["fan-stopped"].delay_ms + 500 + 200 <= 3_000
    assert RULE["sensor-lost"].limit + RULE["sensor-lost"].delay_ms + 250 <= 1_000
    assert RULE["sensor-dead"].limit + RULE["sensor-dead"].delay_ms + 250 <= 10_000


def test_a_doubted_sensor_is_a_lost_one():
    assert played(({"doubt": FROZEN}, 100))[0].cap == LOW
    assert played(({"doubt": FAR}, 6_100))[0].code == "sensor-dead"


def test_heat_must_go_before_it_is_over_and_once_it_is_held():
    rules = alone("overheat")
    hot = ({"outlet": 720}, 600)
    assert played(hot, ({"outlet": 500}, 120_000), rules=rules)[0].fault
    assert played(hot, ({"outlet": 499}, 59_900), rules=rules)[0].fault
    verdict, changes = played(hot, ({"outlet": 499}, 60_000), rules=rules)
    assert verdict.may_hash
    assert [change.text for change in changes] == [
        "outlet 1 at 72 C",
        "over: outlet 1 at 72 C",
    ]


def test_where_a_derating_ends():
    for code, so, still, gone in (
        ("hot", {"outlet": 650}, {"outlet": 600}, {"outlet": 599}),
        ("inlet-hot", {"inlet": 450}, {"inlet": 420}, {"inlet": 419}),
        ("supply-lost", {"supply_age_ms": 1000}, {"supply_age_ms": 1000}, {"supply_age_ms": 999}),
    ):
        start = (so, RULE[code].delay_ms + 100)
        assert played(start, (still, 60_000), rules=alone(code))[0].code == code, code
        assert played(start, (gone, 100), rules=alone(code))[0].code == "", code


def test_the_words_a_person_reads():
    for conditions, because in (
        ({"age_ms": 5_300}, "sensor-lost: outlet 1 not heard for 5300 ms"),
        ({"doubt": FROZEN}, "sensor-lost: outlet 1 does not move"),
        ({"doubt": FAR}, "sensor-lost: outlet 1 is far from its likes"),
        ({"supply_age_ms": 4_999}, "supply-lost: supply not heard for 4999 ms"),
        ({"elapsed_ms": 1_234}, "loop-late: safety loop held up for 1234 ms"),
        ({"board": "board 2: 1 of 65 chips answer"}, "board-dead: board 2: 1 of 65 chips answer"),
    ):
        assert played((conditions, 100))[0].because == because


def test_a_rule_that_returns_is_held_twice_as_long_and_latches_at_last():
    rule = Rule("hot", 650, 650, 0, OFF, 1_000, 2)
    bad, good = ({"outlet": 650}, 100), ({"outlet": 600}, 100)
    held_ms = []
    safety = Safety((rule,))
    for _ in range(2):
        assert safety.step(snapshot(**bad[0])).fault
        waited_ms = 0
        while safety.step(snapshot(**good[0])).fault:
            waited_ms += 100
        held_ms.append(waited_ms + 100)
    assert held_ms == [1_000, 2_000]
    assert safety.step(snapshot(**bad[0])).fault
    assert safety.changes[0].text.endswith("; latched, needs a person")
    now = snapshot(**good[0])
    for _ in range(100_000):
        assert safety.step(now).fault


def test_ten_good_minutes_forgive():
    rule = Rule("hot", 650, 650, 0, OFF, 1_000, 1)
    turns = [({"outlet": 650}, 100), ({}, GOOD_MS + 1_000)] * 5
    assert played(*turns, rules=(rule,))[0].may_hash
    turns = [({"outlet": 650}, 100), ({}, GOOD_MS - 100)] * 2
    assert played(*turns, rules=(rule,))[0].fault


def test_the_hold_does_not_grow_for_ever():
    rule = Rule("hot", 650, 650, 0, OFF, 400_000, 1_000_000)
    turns = [({"outlet": 650}, 100), ({}, 600_000)] * 4
    assert played(*turns, rules=(rule,))[0].may_hash


def test_a_stopped_fan_is_latched():
    verdict, changes = played(({"rpm": 0}, 1_100), ({}, 3_600_000))
    assert verdict.fault and verdict.code == "fan-stopped"
    assert changes[0].text == "fan 1 at 0 rpm of 4000; latched, needs a person"


def test_a_fan_that_is_still_spinning_up_is_no_stopped_fan():
    assert played(({"rpm": 0, "expected_rpm": 0}, 60_000))[0].may_hash


def test_the_off_bit_of_a_supply_that_gives_its_volts_is_a_lie():
    assert played(({"status": 0x0840}, 60_000))[0].may_hash
    assert played(({"status": 0x0840, "mv": 0}, 400))[0].code == "supply-missing"


def test_the_rail_has_time_to_rise():
    assert played(({"mv": 0, "hash_ms": 1_999}, 60_000))[0].may_hash
    assert played(({"mv": 0, "hash_ms": 2_000}, 400))[0].code == "supply-missing"
    assert played(({"mv": 0, "hash_ms": -1, "input_w": 0}, 60_000))[0].may_hash


def test_each_bit_of_the_supply_that_means_trouble():
    for bit in range(16):
        verdict = played(({"status": 1 << bit}, 400))[0]
        assert verdict.may_hash is (bit not in (2, 3, 4, 5)), bit


def test_the_worst_rule_speaks():
    both = {"outlet": 700, "rpm": 0}
    assert played((both, 5_000))[0].code == "fan-stopped"
    blind = {"outlet": 700, "age_ms": 700}
    assert played((blind, 2_000))[0].code == "sensor-lost"


def test_a_board_that_does_not_start_is_off_and_the_others_go_on():
    verdict, changes = played(({"why": "0 of 65 chips answer"}, 100))
    assert verdict.may_hash and not verdict.fault and not verdict.trouble
    assert verdict.boards == {1: "board 1: 0 of 65 chips answer"}
    assert verdict.because == "board-lost: board 1: 0 of 65 chips answer"
    assert changes[0].text == "board 1: 0 of 65 chips answer"


def test_a_board_is_tried_again_after_growing_pauses_and_then_no_more():
    safety, pauses_s, changes = Safety(alone("board-lost")), [], []
    while len(pauses_s) < 20:
        verdict = safety.step(snapshot(why="dead"))
        changes += safety.changes
        waited_s, off = 0, snapshot(elapsed_ms=1_000, chips=0, least=0)
        while verdict.boards and waited_s < 1_000:
            verdict = safety.step(off)
            waited_s += 1
        if waited_s == 1_000:
            break
        pauses_s.append(waited_s)
    assert pauses_s == [10, 20, 40, 80, 160]
    assert changes[-1].text == "board 1: dead; latched, needs a person"
    assert verdict.may_hash and list(verdict.boards) == [1], "and the other one goes on"


def test_a_board_that_is_back_is_said_to_be():
    _, changes = played(({"why": "dead"}, 100), ({}, 10_000), rules=alone("board-lost"))
    assert [change.text for change in changes] == ["board 1: dead", "over: board 1: dead"]


def test_no_fan_goes_to_full_for_a_board_unless_something_is_not_known():
    assert not played(({"why": "dead"}, 100))[0].trouble
    verdict = played(({"why": "dead", "outlet": None}, 100))[0]
    assert verdict.trouble and not verdict.may_hash


def test_what_a_board_that_does_not_hash_shows_is_no_fault():
    idle = {"chips": 0, "least": 0, "ghs": 0, "expected_ghs": 0}
    assert played((idle, 30_000))[0].boards == {}


def test_the_words_about_boards():
    for conditions, because in (
        ({"chips": 40}, "board-lost: board 1: 40 of at least 58 chips answer"),
        ({"ghs": 9, "expected_ghs": 60_000}, "board-slow: board 1: makes 9 of 60000 GH/s"),
        ({"wrong_pm": 456}, "chips-wrong: board 1: 45 % of its hashes are wrong"),
        ({"odd": 3}, "board-clock: board 1: 3 chips run at another clock than theirs"),
    ):
        rules = alone(because.split(":")[0])
        assert played((conditions, 12_100), rules=rules)[0].because == because
