"""What a word would do: in numbers worked out by hand, on record, refused where it is wished."""

import json
import time

import msgspec
import numpy as np
import pytest
from test_people import Seen

from supervisor import preview
from supervisor.envelope import Entry
from supervisor.fleet import Facts, Fleet
from supervisor.glance import effect
from supervisor.grid.told import WEIGHS, Board
from supervisor.loss import Loss
from supervisor.sections.preview import PreviewConfig
from supervisor.sections.signal import HttpConfig
from supervisor.view import PreviewView
from tests.scenarios.world import UNIX_S

# of the world: four rigs, asleep at 10 W, at most 3,000 W and 120,000 GH/s each


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    made.world.ask(12_000)
    made.tick(30)
    yield made
    made.world.site.ledger.close()


def now_s(seen):
    return UNIX_S + seen.world.now_s


def word(seen, *rows, until_s=None, source="grid", **more):
    """(seconds from now, watts) rows."""
    schedule = tuple((now_s(seen) + in_s, w) for in_s, w in rows)
    end_s = float("inf") if until_s is None else now_s(seen) + until_s
    return Entry(source, schedule, end_s, now_s(seen), **more)


def look(seen, *rows, **more):
    return preview.of_entry(seen.world.site, seen.world.now_s, word(seen, *rows, **more))


def test_half_the_power_for_an_hour(seen):
    found = look(seen, (0, 6_000))
    assert found.envelope_w == 6_000 and found.holds
    assert found.now_w == seen.world.site.decision.expected_w > 11_000
    assert 5_000 < found.then_w <= 6_000, "without a meter there is a margin for doubt"
    assert (found.over_s, found.down_s, found.up_s) == (3600, 2.0, 0.0)
    assert found.lost_mwh == pytest.approx(6 / 1000, rel=0.01)
    assert 0 < found.lost_ghs < 4 * 120_000


def test_all_of_it_is_every_rig_and_all_their_hash_rate(seen):
    found = look(seen, (0, 0), until_s=900)
    assert found.sleep == 4 and 450_000 < found.lost_ghs <= 480_000
    assert found.lost_mwh == pytest.approx((12_000 - 40) / 4 / 1e6, rel=0.01), "in 15 minutes"


def test_what_somebody_else_takes_already_is_not_lost_again(seen):
    seen.world.ask(6_000)
    seen.tick(10)
    found = look(seen, (0, 9_000))
    assert not found.holds and found.lost_mwh == 0 and abs(found.lost_ghs) < 5_000


def test_a_rise_is_gained_and_takes_its_time(seen):
    seen.world.inbox.put_signal(word(seen, (0, 3_000)))
    seen.tick(30)
    found = look(seen, (0, 9_000))
    assert found.lost_mwh == pytest.approx(-0.006, rel=0.02) and found.lost_ghs < 0
    assert found.up_s > 0 and found.down_s == 0


def test_a_schedule_is_weighed_at_its_lowest_and_to_its_end(seen):
    found = look(seen, (0, 9_000), (600, 2_000), (1200, 12_000), until_s=1800)
    assert found.envelope_w == 2_000
    wanted = (3_000 * 600 + 10_000 * 600) / 3600 / 1e6
    assert found.lost_mwh == pytest.approx(wanted, rel=0.01) and found.over_s == 1800


def test_nothing_is_moved_by_looking(seen):
    site = seen.world.site
    before = site.dispatcher.admit_w, dict(site.inbox.entries), site.decision
    look(seen, (0, 0))
    assert (site.dispatcher.admit_w, dict(site.inbox.entries), site.decision) == before


def test_a_very_long_schedule_is_looked_at_as_far_as_its_first_rows(seen):
    rows = [(n, 5_000 + n % 2) for n in range(10_000)]
    assert look(seen, *rows, until_s=20_000).over_s == preview.ROWS_MAX + 1


def test_somebody_elses_very_long_schedule_keeps_nobody_waiting(seen):
    seen.world.inbox.put_signal(word(seen, *[(n, 9_000 + n % 2) for n in range(10_000)]))
    found = look(seen, (0, 5_000), until_s=86_400, source="csv")
    assert found.over_s == preview.ROWS_MAX + 1


def test_hash_rate_between_operating_points():
    fleet = Fleet()
    fleet.put_many(["a", "b"], Facts("m", 10, ((1010, 100), (2010, 150)), 1.0, 1.0))
    for above_w, ghs in ((0, 0), (1000, 100), (1500, 125), (2000, 150), (9000, 150)):
        assert preview.hash_ghs(fleet, np.array([float(above_w), 0.0])) == ghs
    assert preview.hash_ghs(Fleet(), np.array([])) == 0


# ---- too much


def found(**more):
    known = {
        "envelope_w": 0, "holds": True, "now_w": 60_000_000, "then_w": 20_000_000,
        "sleep": 60, "wake": 0, "lower": 1, "raise_": 0, "up_s": 0.0, "lost_mwh": 12.5,
    }  # fmt: skip
    return PreviewView(**(known | more))


@pytest.mark.parametrize(
    "most, more, why",
    [
        ({}, {}, ""),
        ({"max_fall_mw": 40.0, "max_sleep_pct": 60.0, "max_lost_mwh": 12.5}, {}, ""),
        ({"max_fall_mw": 39.9}, {}, "down by 40.0 MW; 39.9 MW at most"),
        ({"max_rise_mw": 39.9}, {}, ""),
        ({"max_rise_mw": 39.9}, {"then_w": 100_000_000}, "up by 40.0 MW; 39.9 MW at most"),
        ({"max_sleep_pct": 59.0}, {}, "60 % of the rigs to sleep; 59 % at most"),
        ({"max_lost_mwh": 12.4}, {}, "12.5 MWh lost; 12.4 MWh at most"),
    ],
)
def test_what_is_too_much_is_said(most, more, why):
    assert preview.too_much(found(**more), 100, PreviewConfig(**most)) == why


def test_it_reads_as_lines():
    lines = effect(found(lost_ghs=5_000_000, over_s=3600.0, down_s=2.0))
    assert lines == [
        "60.0 MW now, 20.0 MW then",
        "60 rigs to sleep",
        "1 rig to run lower",
        "reached in 2.0 s",
        "5.00 PH/s less",
        "12.5 MWh less in 1 h 00 m",
    ]
    lines = effect(found(lost_ghs=-1_000, lost_mwh=-2.0, over_s=60.0))
    assert lines[-2:] == ["1.00 TH/s more", "2 MWh more in 1 m 00 s"]


# ---- before a word is accepted


def weighed(seen, entry, **most):
    site = seen.world.site
    site.config = msgspec.structs.replace(site.config, preview=PreviewConfig(**most))
    board = Board(site)
    board.look(seen.world.now_s)
    return board.weigh(entry), site.ledger.newest(1, "preview")


def test_what_it_would_do_goes_on_record(seen):
    refusal, (row,) = weighed(seen, word(seen, (0, 0), source="iec104"))
    assert refusal == "" and row.source == "iec104" and row.body["sleep"] == 4
    assert not row.body["refused"] and "4 rigs to sleep" in row.why
    assert any(one.kind == "preview" for one in seen.people.events(10))


def test_what_is_too_much_is_noted_and_refused_only_where_the_settings_say_so(seen):
    refusal, (row,) = weighed(seen, word(seen, (0, 0)), max_sleep_pct=50.0)
    assert refusal == "" and "too much: 100 % of the rigs to sleep" in row.why
    refusal, (row,) = weighed(seen, word(seen, (0, 0)), max_sleep_pct=50.0, refuse=True)
    assert "50 % at most" in refusal and row.body["refused"]
    assert weighed(seen, word(seen, (0, 11_000)), max_sleep_pct=50.0, refuse=True)[0] == ""


def test_an_emergency_is_never_refused(seen):
    entry = word(seen, (0, 0), kind="emergency")
    refusal, (row,) = weighed(seen, entry, max_sleep_pct=1.0, refuse=True)
    assert refusal == "" and "too much" in row.why and not row.body["refused"]


def test_nobody_keeps_the_site_busy_with_asking(seen):
    board = Board(seen.world.site)
    board.look(seen.world.now_s)
    for _ in range(100):
        assert board.weigh(word(seen, (0, 0))) == ""
    assert len(seen.world.site.ledger.newest(1000, "preview")) == WEIGHS.burst
    config = seen.world.site.config
    wish = PreviewConfig(refuse=True, max_fall_mw=0.001)
    seen.world.site.config = msgspec.structs.replace(config, preview=wish)
    assert "asked too often" in board.weigh(word(seen, (0, 0)))


def test_what_will_be_drawn_is_foreseen_within_the_sites_means(seen):
    board = Board(seen.world.site)
    seen.world.inbox.put_signal(word(seen, (0, 9_000), (600, 0), (1200, 90_000), loss=Loss()))
    assert [board.foreseen_w(now_s(seen) + s) for s in (0, 600, 1200)] == [9_000, 40, 12_000]


# ---- a push that is only tried


def test_a_push_is_tried_with_the_same_body_and_says_nothing(seen, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: now_s(seen))
    body = json.dumps({"mw": 0.003, "valid_until": now_s(seen) + 1800, "seq": 7}).encode()
    assert "no [signal.http]" in seen.people.preview_push(body)
    config = seen.world.site.config
    signal = msgspec.structs.replace(config.signal, http=HttpConfig())
    seen.world.site.config = msgspec.structs.replace(config, signal=signal)
    tried = seen.people.preview_push(body)
    assert tried.envelope_w == 3_000 and tried.over_s == 1800
    assert "http" not in seen.world.inbox.entries
    assert "not JSON" in seen.people.preview_push(b"rubbish")
    assert seen.people.push_signal(body) == "", "its number was not used up"
