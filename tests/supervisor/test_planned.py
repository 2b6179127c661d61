"""Planned windows from a calendar, and running by price: by story, then anything at all."""

import json
import os
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid import calendar, price
from supervisor.grid.calendar import CalendarError, CalendarSignal
from supervisor.grid.price import PriceError, Rule
from supervisor.inbox import Inbox

MW = 1_000_000
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
T = NOW.timestamp()


def event(*lines):
    return "BEGIN:VEVENT\r\nUID:1\r\n" + "".join(f"{line}\r\n" for line in lines) + "END:VEVENT\r\n"


def ics(*events):
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
    return (head + "".join(events) + "END:VCALENDAR\r\n").encode()


def read(*lines):
    found = calendar.words(ics(event(*lines)), NOW)
    return [
        ((word.rows[0][0] - T) / 3600, (word.until_s - T) / 3600, word.rows[0][1] / MW)
        for word in found
    ]


def test_a_window_with_a_power_in_its_summary():
    times = ("DTSTART:20261201T170000Z", "DTEND:20261201T200000Z")
    assert read("SUMMARY:Evening peak\\, at most 3.2 MW", *times) == [(5, 8, 3.2)]
    assert read("SUMMARY:line 4 out: 0 kW", "DTSTART:20261201T170000Z", "DURATION:PT30M") == [
        (5, 5.5, 0)
    ]
    assert read("SUMMARY:Christmas party", *times) == []
    assert read("SUMMARY:3 MW", "STATUS:CANCELLED", *times) == []


def test_times_of_a_zone_and_whole_days():
    zone = "DTSTART;TZID=Asia/Karachi:20261201T220000"
    assert read("SUMMARY:1 MW", zone, "DURATION:PT1H") == [(5, 6, 1)]
    ((begin, end, _),) = read("SUMMARY:1 MW", "DTSTART;VALUE=DATE:20261205")
    assert end - begin == 24


def test_a_window_every_day_is_said_as_far_as_one_looks_ahead():
    found = read("SUMMARY:1 MW", "DTSTART:20260101T170000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    assert found[0][0] == -19 and len(found) == 41 and found[-1][0] == 5 + 24 * 39


@pytest.mark.parametrize(
    "lines, why",
    [
        (("SUMMARY:1 MW",), "DTSTART is missing"),
        (("SUMMARY:1 MW", "DTSTART:20261201T170000Z", "DTEND:20261201T160000Z"), "it ends"),
        (("SUMMARY:99999 MW", "DTSTART:20261201T170000Z"), "more than 10000 MW"),
        (("SUMMARY:1 MW", "DTSTART:20261201T170000Z", "RRULE:FREQ=SECONDLY"), "than every hour"),
        (("SUMMARY:1 MW", "DTSTART:00010101T000000Z", "RRULE:FREQ=MINUTELY"), "than every hour"),
        (("SUMMARY:1 MW", "DTSTART:20200101T170000Z", "RRULE:FREQ=DAILY;INTERVAL=0"), "1 or more"),
        (("SUMMARY:1 MW", "DTSTART:20200101T170000Z", "RRULE:FREQ=DAILY;INTERVAL=-1"), "1 or more"),
        (
            ("SUMMARY:1 MW", "DTSTART:20261201T170000Z", "RRULE:FREQ=HOURLY;BYMINUTE=0,20,40"),
            "over 2000 times",
        ),
        (("SUMMARY:1 MW", "DTSTART:never"), "not a calendar|DTSTART"),
        (("SUMMARY:1 MW", "DTSTART;TZID=No/Where:20261201T220000"), "No/Where, no zone known"),
    ],
)
def test_what_cannot_be_followed_says_why(lines, why):
    with pytest.raises(CalendarError, match=why):
        read(*lines)


def test_a_file_that_takes_too_long_is_given_up():
    many = ics(*[event("SUMMARY:1 MW", "DTSTART:20261201T170000Z")] * 9)
    ticks = iter(range(0, 1_000, 4))
    with pytest.raises(CalendarError, match="over 10 s to read"):
        calendar.words(many, NOW, clock=lambda: next(ticks))


@given(st.binary(max_size=300))
def test_any_bytes_are_windows_or_a_calendar_error(junk):
    for text in (junk, ics(junk.decode("latin-1"))):
        try:
            calendar.words(text, NOW)
        except CalendarError as error:
            assert str(error)


def test_the_file_is_read_again_when_it_changes_and_a_bad_one_changes_nothing(tmp_path):
    path, inbox = tmp_path / "plan.ics", Inbox()
    source = CalendarSignal(inbox, path, None, lambda: T)
    window = ("DTSTART:20261201T110000Z", "DURATION:PT3H")

    def said():
        entry = inbox.entries.get("calendar")
        return None if entry is None else entry.limit_w(T)

    source.look()
    assert said() is None and "No such file" in inbox.take_refusals()[0].because
    for mw in (3, 2):
        path.write_bytes(ics(event(f"SUMMARY:{mw} MW", *window)))
        os.utime(path, (mw, mw))
        source.look()
        assert said() == mw * MW
    path.write_bytes(b"BEGIN:VCALENDAR")
    source.look()
    source.look()
    assert said() == 2 * MW and len(inbox.take_refusals()) == 1
    assert inbox.entries["calendar"].limit_w(T + 7200) is None, "no limit after the last window"


# ---- price


def test_runs_below_the_strike_and_rests_above_with_a_band_and_a_least_time():
    rule = Rule(strike=30, band=2, run_s=600, rest_s=300)
    story = [
        (0, 31, False),
        (10, 29, False),  # within the band
        (20, 28, True),
        (30, 90, True),  # it has only just begun
        (619, 90, True),
        (620, 90, False),
        (700, 5, False),  # nor does it begin at once
        (919, 5, False),
        (920, 5, True),
        (1600, 30, True),  # the strike itself is good enough to go on
    ]
    for now_s, cost, runs in story:
        rule = rule.step(cost, now_s)
        assert rule.runs is runs, now_s


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(-100, 100)), max_size=60))
def test_it_never_changes_its_mind_sooner_than_it_may(steps):
    rule, now_s, changed_s = Rule(strike=10, band=1, run_s=60, rest_s=40), 0.0, None
    for more_s, cost in steps:
        now_s += more_s
        after = rule.step(cost, now_s)
        if after.runs is not rule.runs:
            least_s = 60 if rule.runs else 40
            assert changed_s is None or now_s - changed_s >= least_s
            changed_s = now_s
        rule = after


def body(cost=28.0, stamp=T):
    return json.dumps({"price": cost, "timestamp": stamp}).encode()


def test_a_price_not_too_old_nor_older_than_the_last():
    assert price.decode(body(), T - 5, T, 900).price == 28
    for payload, why in (
        (body(stamp=T - 900), "900 s old"),
        (body(stamp=T - 6), "1 s before the last"),
        (b'{"price": "x", "timestamp": 1}', "right is"),
        (b'{"price": 1}', "right is"),
        (b"[" * 900, "right is"),
        (b"x" * 2000, "2000 bytes"),
    ):
        with pytest.raises(PriceError, match=why):
            price.decode(payload, T - 5, T, 900)


@given(st.binary(max_size=60) | st.builds(body, st.floats(), st.floats()))
def test_any_bytes_are_a_price_or_a_price_error(payload):
    try:
        said = price.decode(payload, 0.0, T, 900)
        assert abs(said.timestamp - T) < 900
    except PriceError as error:
        assert str(error)
