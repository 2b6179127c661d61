"""A drill: when it is unsafe, and the command against a site made up for it."""

import time

import msgspec
import pytest
from typer.testing import CliRunner

from supervisor import drill
from supervisor.cli import build
from supervisor.commands import drill as command
from supervisor.drill import plan, restless, restored, unsafe
from supervisor.view import SignalView
from tests.supervisor.made_up import NOW_S, SITE

MW = 1_000_000
WELL = msgspec.structs.replace(
    SITE,
    next_change_s=None,
    drill_step_w=2 * MW,
    drill_hold_s=600.0,
    silent=0,
    signals=[],
    metered_history_w=[3_190_000] * 60,
    asked_history_w=[3_200_000] * 60,
)


def changed(**more):
    return msgspec.structs.replace(WELL, **more)


def why(site=WELL, step_w=MW, hold_s=300.0):
    return unsafe(site, NOW_S, plan(site, step_w, 60.0, hold_s))


def test_a_plan_goes_from_what_is_metered_and_never_below_asleep():
    assert plan(WELL, MW, 60, 300).to_w == 2_190_000
    assert plan(WELL, 9 * MW, 60, 300).to_w == WELL.floor_w


def test_a_well_site_may():
    assert why() == []


@pytest.mark.parametrize(
    "case, reason",
    [
        ({"site": changed(drill_step_w=0)}, "allow no drill"),
        ({"step_w": 3 * MW}, "2.00 MW is allowed"),
        ({"hold_s": 601.0}, "10 m 00 s is allowed"),
        ({"step_w": 100_000}, "proves nothing"),
        ({"site": changed(metered_w=None)}, "meter has not been read"),
        ({"site": changed(meter_age_s=60.0)}, "last read"),
        ({"site": changed(silent=80)}, "80 of 1000 rigs are not well"),
        ({"site": changed(by_state={"running": 900, "fault": 60})}, "60 of 1000"),
        ({"site": changed(next_change_s=NOW_S + 700)}, "dispatch changes in 11 m 40 s"),
        ({"site": changed(at_s=NOW_S - 60)}, "decided nothing"),
        ({"site": changed(envelope_source="frequency", because="49.8 Hz")}, "frequency: 49.8 Hz"),
    ],
)
def test_an_unsafe_one_is_refused_with_its_reason(case, reason):
    assert any(reason in one for one in why(**case)), why(**case)


def test_not_over_a_persons_limit():
    own = SignalView(
        source="operator", limit_w=MW, age_s=1.0, until_s=None, over=False, because="a visit"
    )
    assert "a person's limit" in why(changed(signals=[own]))[0]


def test_no_baseline_without_rest():
    assert restless([MW] * 60, 100 * MW) == ""
    assert "moved by 3.00 MW" in restless([MW] * 59 + [4 * MW], 100 * MW)
    assert "too little" in restless([None] * 40 + [MW] * 20, 100 * MW)


def test_somebody_elses_lower_limit_and_a_silent_meter_end_it():
    wanted = plan(WELL, MW, 60, 300)
    assert drill.broken_off(WELL, NOW_S, wanted) == ""
    lower = changed(envelope_w=MW, envelope_source="grid", because="emergency")
    assert "grid asks for 1.00 MW: emergency" in drill.broken_off(lower, NOW_S, wanted)
    assert "meter" in drill.broken_off(changed(metered_w=None), NOW_S, wanted)


def test_restored_is_95_per_cent_of_the_step_or_all_that_is_asked():
    wanted = plan(WELL, MW, 60, 300)
    assert not restored(changed(metered_w=3_130_000), wanted)
    assert restored(changed(metered_w=3_145_000), wanted)
    assert restored(changed(metered_w=2_960_000, asked_w=3_000_000), wanted)


# ---- the command


class Site:
    """Obeys at once; keeps what was said."""

    def __init__(self, site=WELL):
        self.now, self.said = site, []

    def site(self):
        return msgspec.structs.replace(self.now, at_s=time.time())

    def order_signal(self, order):
        self.said.append(order.mw)
        self.now = msgspec.structs.replace(self.now, metered_w=round(order.mw * MW))

    def withdraw_signal(self, source):
        self.said.append(source)
        self.now = msgspec.structs.replace(self.now, metered_w=WELL.metered_w)


@pytest.fixture
def run(monkeypatch, tmp_path):
    from contextlib import contextmanager

    def call(site, *words):
        @contextmanager
        def asking(state):
            yield site

        reports = []
        monkeypatch.setattr(command.commands, "asking", asking)
        monkeypatch.setattr(command.time, "sleep", lambda s: None)
        monkeypatch.setattr("supervisor.commands.report.made", lambda *args: reports.append(args))
        words = ["drill", "--step", "1MW", "--hold", "1s", "--baseline", "1s", *words]
        result = CliRunner().invoke(build("drill"), [*words, "--state", str(tmp_path)])
        return result, reports

    return call


def test_down_held_and_taken_back_and_reported(run):
    site = Site()
    result, reports = run(site, "--yes")
    assert result.exit_code == 0, result.output
    assert site.said == [2.19, "operator"] and len(reports) == 1
    for word in ("down", "taken back", "restored"):
        assert word in result.output


def test_an_unsafe_one_says_nothing_to_the_site(run):
    site = Site(changed(drill_step_w=0))
    result, reports = run(site, "--yes")
    assert result.exit_code == 1 and "allow no drill" in result.output
    assert not site.said and not reports


def test_without_a_yes_it_asks(run):
    site = Site()
    result, _ = run(site)
    assert result.exit_code == 1 and "3.19 MW to 2.19 MW" in result.output and not site.said


def test_how_long_it_takes_need_not_be_said():
    words = ["drill", "--step", "1MW", "--state", "/nowhere"]
    result = CliRunner().invoke(build("drill"), words)
    assert result.exit_code == 1 and "/nowhere" in result.output, result.exception


def test_broken_off_it_is_taken_back(run):
    class Torn(Site):
        def order_signal(self, order):
            super().order_signal(order)
            self.now = msgspec.structs.replace(
                self.now, envelope_w=0, envelope_source="grid", because="emergency"
            )

    site = Torn()
    result, reports = run(site, "--yes")
    assert result.exit_code == 1 and "broken off: grid asks for 0 W" in result.output
    assert site.said == [2.19, "operator"] and not reports
