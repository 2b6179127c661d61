import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import load
from supervisor.envelope import FOREVER
from supervisor.inbox import Inbox
from supervisor.sources import signal_csv
from supervisor.sources.signal_csv import CsvError, CsvSignal, Series, parse, read, to_entry

PLAIN = "time,mw\n0,100\n60,0\n120,12.5\n"
# median of demand 1000; only rows below it at a negative price are surplus
AEMO = """REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE
SA1,2023/10/01 00:05:00,1000,-9.72,TRADE
SA1,2023/10/01 00:10:00,600,-1,TRADE
SA1,2023/10/01 00:15:00,800,-0.01,TRADE
SA1,2023/10/01 00:20:00,-37,0,TRADE
SA1,2023/10/01 00:25:00,1200,-50,TRADE
SA1,2023/10/01 00:30:00,1300,5,TRADE
SA1,2023/10/01 00:35:00,1400,5,TRADE
"""
MIDNIGHT = datetime(2023, 10, 1, tzinfo=UTC).timestamp()


def of(text, **keys):
    return parse(text.splitlines(), **keys)


def test_time_and_megawatts():
    series = of(PLAIN)
    assert series == Series((0, 60, 120), (100_000_000, 0, 12_500_000), 60.0)
    assert series.end_s == 180
    assert [series.at(t) for t in (-1, 0, 59.9, 60, 179.9, 180)] == [
        None,
        100_000_000,
        100_000_000,
        0,
        12_500_000,
        None,
    ]


def test_prices_and_demand_become_surplus_scaled_to_the_site():
    series = of(AEMO)
    assert series.surplus and series.absolute and series.step_s == 300
    assert series.times_s[0] == MIDNIGHT + 300
    assert series.w == (0, 400_000_000, 200_000_000, 0, 0, 0, 0)
    fitted = series.fitted(1_000_000)
    assert fitted.w == (0, 1_000_000, 500_000, 0, 0, 0, 0) and not fitted.surplus
    assert of(AEMO, utc_offset_h=10).times_s[0] == MIDNIGHT + 300 - 36_000


def test_a_region_without_surplus_is_nothing_at_any_scale():
    assert set(of(AEMO.replace("-", "")).fitted(5).w) == {0}


def test_megawatts_are_not_scaled_unless_asked():
    assert of(PLAIN).fitted(5) == of(PLAIN)
    assert of(PLAIN).scaled(8).w == (8, 0, 1)


@pytest.mark.parametrize(
    "first",
    [
        "2023-10-01T00:00:00Z",
        "2023-10-01T00:00:00",
        "2023-10-01 00:00:00",
        "2023/10/01 00:00:00",
        "2023-10-01T02:00:00+02:00",
        "2023-10-01",
    ],
)
def test_dates_are_kept_absolute(first):
    series = of(f"time,mw\n{first},1\n2023-10-01T00:00:30Z,2\n")
    assert series.absolute and series.times_s == (MIDNIGHT, MIDNIGHT + 30)


def test_columns_may_stand_anywhere_and_lines_be_empty():
    assert of(" MW ,note,Time\r\n\r\n5,x,0\r\n\r\n6,,1.5\r\n") == Series(
        (0, 1.5), (5_000_000, 6_000_000), 1.5
    )


def test_a_single_row_holds_for_ever():
    assert of("time,mw\n0,5\n").end_s == FOREVER


WRONG = {
    "": "line 1: the header is missing; it must have time,mw or SETTLEMENTDATE,TOTALDEMAND,RRP",
    "time,kw\n0,1": "line 1: the header is time,kw; it must have time,mw or",
    "time,mw\n": "line 2: 0 rows; a schedule has 1 to",
    "time,mw\n0,": "line 2: mw is empty",
    "time,mw\n0": "line 2: mw is empty",
    "time,mw\n0,1\n\n5,x": "line 4: mw is 'x', not a number",
    "time,mw\n0,nan": "line 2: mw is nan; it must be 0 to 10000",
    "time,mw\n0,inf": "line 2: mw is inf; it must be 0 to 10000",
    "time,mw\n0,-1": "line 2: mw is -1; it must be 0 to 10000",
    "time,mw\n0,10001": "line 2: mw is 10001; it must be 0 to 10000",
    "time,mw\nnan,1": "line 2: time is nan",
    "time,mw\n-1,1": "line 2: time is -1",
    "time,mw\nsoon,1": "line 2: time is 'soon'; right is seconds from the start",
    "time,mw\n0,1\n2023-10-01,2": "line 3: time is '2023-10-01', not a number",
    "time,mw\n2023-10-01,1\n7,2": "line 3: time is 7, but the rows before it have dates",
    "time,mw\n5,1\n5,2": "line 3: time 5 is not after the row before it",
    "time,mw\n5,1\n4,2": "line 3: time 4 is not after the row before it",
    AEMO.replace("-50", "dear"): "line 6: RRP is 'dear', not a number",
    AEMO.replace("1200", "NaN"): "line 6: TOTALDEMAND is NaN; it must be",
    AEMO.replace("00:25", "00:15"): "line 6: settlementdate 2023/10/01 00:15:00 is not after",
    "settlementdate,totaldemand\n1,2": "line 1: the header is settlementdate,totaldemand; it must",
    'time,mw\n"0,1': "line 2: time is '0,1'",
}


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_what_is_wrong_is_named_with_its_file_and_line(tmp_path, text):
    path = tmp_path / "day.csv"
    path.write_text(text)
    with pytest.raises(CsvError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: {WRONG[text]}")


def test_files_that_are_none(tmp_path):
    with pytest.raises(CsvError, match=r"none.csv: cannot be read: No such file"):
        read(tmp_path / "none.csv")
    (tmp_path / "day.csv").write_bytes(b"time,mw\n0,\xff\n")
    with pytest.raises(CsvError, match=r"day.csv: is not text"):
        read(tmp_path / "day.csv")
    (tmp_path / "day.csv").write_bytes(b"\xef\xbb\xbftime,mw\n0,1\n")
    assert read(tmp_path / "day.csv").w == (1_000_000,)


cells = st.text(alphabet='0123456789.-+:/eETnaif "\r\n,') | st.floats().map(str)


@given(
    st.sampled_from(["time,mw", "SETTLEMENTDATE,TOTALDEMAND,RRP"]),
    st.lists(st.lists(cells, max_size=4).map(",".join), max_size=5),
)
def test_any_text_is_a_schedule_or_a_csv_error(header, rows):
    try:
        series = parse([header, *rows])
    except CsvError:
        return
    assert all(w >= 0 for w in series.w)
    assert all(a < b for a, b in zip(series.times_s, series.times_s[1:]))


def test_an_entry_says_what_the_series_says():
    series = of(PLAIN).starting(1000)
    assert series.absolute and series.times_s == (1000, 1060, 1120)
    entry = to_entry(series, 900, default_w=7)
    said = [entry.limit_w(t) for t in (999, 1000, 1060, 1179, 1180)]
    assert said == [7, 100_000_000, 0, 12_500_000, 7]
    assert (entry.until_s, entry.heard_s, entry.source) == (1180, 900, "csv")


def test_a_series_with_dates_can_be_moved():
    moved = of(AEMO).starting(1000)
    assert moved.times_s[:2] == (1000, 1300)


@given(st.integers(800, 1400), st.integers(0, 300), st.integers(0, 600))
def test_a_part_of_the_schedule_says_the_same_as_the_whole(now_s, ahead_s, later_s):
    series = of(PLAIN).starting(1000)
    part, whole = to_entry(series, now_s, ahead_s=ahead_s), to_entry(series, 0)
    t_s = now_s + min(later_s, ahead_s)
    assert part.limit_w(t_s) == whole.limit_w(t_s)


@pytest.mark.asyncio
async def test_a_long_schedule_is_said_day_by_day():
    clock = asyncio.get_running_loop().time
    times_s = tuple(float(hour * 3600) for hour in range(24 * 4))
    series = Series(times_s, tuple(range(24 * 4)), 3600.0, absolute=True)
    inbox, wrong = Inbox(), []
    task = asyncio.create_task(CsvSignal(inbox, series, clock=clock).run())
    for hour in range(24 * 4 + 1):
        await asyncio.sleep(hour * 3600 + 1 - clock())
        entry = inbox.entries["csv"]
        wrong += [hour] * (entry.limit_w(clock()) != (hour if hour < 96 else 0))
        assert len(entry.schedule) <= 26
    assert not wrong and task.done()


@pytest.mark.asyncio
async def test_the_settings_say_when_and_how_much(tmp_path):
    (tmp_path / "day.csv").write_text(AEMO)
    text = '[site]\nname = "a"\nlimit_mw = 2\n[signal.csv]\nfile = "day.csv"\n'
    (tmp_path / "site.toml").write_text(text + "start = 2026-12-01T00:00:00Z\nutc_offset_h = 10")
    winter = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    entry = await said(load(tmp_path / "site.toml"), now_s=winter - 60)
    assert entry.schedule[0][0] == winter
    assert max(w for _, w in entry.schedule) == 2_000_000
    assert entry.because == "the schedule in day.csv"
    (tmp_path / "site.toml").write_text(text + "capacity_mw = 1\n")
    entry = await said(load(tmp_path / "site.toml"), now_s=MIDNIGHT)
    assert entry.schedule[0][0] == MIDNIGHT + 300 and max(w for _, w in entry.schedule) == 1_000_000
    (tmp_path / "day.csv").write_text(PLAIN)
    entry = await said(load(tmp_path / "site.toml"), now_s=50)
    assert entry.schedule[0] == (50, 100_000_000)


async def said(config, now_s):
    inbox = Inbox()
    task = asyncio.create_task(signal_csv.signal_of(config, inbox, clock=lambda: now_s).run())
    await asyncio.sleep(0)
    task.cancel()
    return inbox.entries["csv"]
