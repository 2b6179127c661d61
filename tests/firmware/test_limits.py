"""The gate: every limit at its edge, on both runtimes."""

from firmware.limits import DUTY_FULL_PM, OFF, Envelope, Gate, Request

LIMITS = Envelope(
    mv_min=11_900,
    mv_max=13_700,
    mv_per_step=100,
    khz_first=56_250,
    khz_max=630_000,
    khz_per_step=6_250,
    duty_min_pm=200,
    patience_ms=1_000,
)
WAKE = Request(True, 11_900, 0)


def opened():
    gate = Gate(LIMITS)
    gate.heartbeat(True)
    return gate


def running(mv, khz):
    """A gate that has passed this setting, reached by steps it allows."""
    gate = opened()
    assert gate.judge(WAKE) == (WAKE, "")
    at_mv, at_khz = 11_900, 0
    while (at_mv, at_khz) != (mv, khz):
        at_mv = min(mv, at_mv + 100)
        at_khz = min(khz, at_khz + 6_250 if at_khz else 56_250)
        assert gate.judge(Request(True, at_mv, at_khz))[1] == ""
    return gate


def test_closed_until_the_safety_loop_speaks():
    gate = Gate(LIMITS)
    assert gate.judge(WAKE) == (OFF, "the safety loop is silent")
    gate.heartbeat(False)
    assert gate.judge(WAKE) == (OFF, "not allowed to hash")
    gate.heartbeat(True)
    assert gate.judge(WAKE) == (WAKE, "")


def test_closes_by_itself_when_the_safety_loop_goes_silent():
    gate = opened()
    gate.elapse(999)
    assert gate.judge(WAKE)[1] == ""
    gate.elapse(1)
    assert gate.judge(WAKE) == (OFF, "the safety loop is silent")
    gate.heartbeat(True)
    assert gate.judge(WAKE)[1] == ""


def test_off_always_passes():
    assert OFF == (False, 0, 0)
    assert Gate(LIMITS).judge(OFF) == (OFF, "")
    assert running(12_000, 62_500).judge(OFF) == (OFF, "")


def test_each_limit_at_its_edge():
    for mv, reason in ((11_899, "millivolts"), (11_900, ""), (12_000, "")):
        gate = running(11_900, 56_250)
        assert gate.judge(Request(True, mv, 56_250))[1] == reason, mv
    for mv, reason in ((13_700, ""), (13_701, "millivolts")):
        assert opened().judge(Request(True, mv, 0))[1] == reason, mv
    gate = running(13_700, 630_000)
    assert gate.judge(Request(True, 13_700, 630_000))[1] == ""
    assert gate.judge(Request(True, 13_700, 630_001)) == (OFF, "kilohertz")
    assert running(13_700, 100_000).judge(Request(True, 13_700, -1))[1] == "kilohertz"
    assert running(13_700, 100_000).judge(Request(True, 13_700, 0))[1] == ""


def test_steps_are_limited_up_and_down_for_volts_and_up_for_the_clock():
    for mv, reason in (
        (12_099, "millivolts in one step"),
        (12_100, ""),
        (12_300, ""),
        (12_301, "millivolts in one step"),
    ):
        assert running(12_200, 62_500).judge(Request(True, mv, 62_500))[1] == reason, mv
    for khz, reason in ((68_750, ""), (68_751, "kilohertz in one step"), (56_250, "")):
        assert running(12_200, 62_500).judge(Request(True, 12_200, khz))[1] == reason, khz


def test_the_first_clock_and_only_with_power():
    assert opened().judge(Request(True, 11_900, 1))[1] == "clock before power"
    gate = opened()
    gate.judge(WAKE)
    assert gate.judge(Request(True, 11_900, 56_251))[1] == "kilohertz in one step"
    gate = opened()
    gate.judge(WAKE)
    assert gate.judge(Request(True, 11_900, 56_250))[1] == ""


def test_a_refusal_is_counted_and_forgets_the_last_setting():
    gate = running(12_200, 62_500)
    assert gate.judge(Request(True, 20_000, 62_500)) == (OFF, "millivolts")
    assert gate.refused == 1
    assert gate.judge(Request(True, 12_200, 62_500))[1] == "clock before power"
    assert gate.refused == 2


def test_nonsense_is_refused_whole():
    for request in (
        Request(1, 12_000, 0),
        Request(True, 12_000.0, 0),
        Request(True, float("nan"), 0),
        Request(True, 12_000, 0.0),
        Request(True, True, 0),
        Request(False, 12_000, 0),
    ):
        assert opened().judge(request) == (OFF, "not a request"), request


def test_a_refused_fan_duty_is_full_speed():
    gate = Gate(LIMITS)
    assert gate.judge_duty(200) == (200, "")
    assert gate.judge_duty(1000) == (1000, "")
    for count, duty_pm in enumerate((199, 1001, 0, -1, 300.0, None, True), 1):
        assert gate.judge_duty(duty_pm) == (DUTY_FULL_PM, "fan duty"), duty_pm
        assert gate.refused == count
