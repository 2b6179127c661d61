"""The dashboard as a person sees it: text on a screen of 80x24 and of 160x50."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from fake_site import FakeSite, served, write_address
from made_up import EVENTS, NOW_S, RIGS, SITE, TOKEN, replace, rig
from textual.events import Key

from supervisor.live import ORDERS, Frame, Wish, select
from supervisor.tui import feed as feeds
from supervisor.tui.app import TopApp
from supervisor.tui.feed import LiveFeed, Lost
from supervisor.tui.moment import Moment
from supervisor.tui.plot import plot, plot_text, squeeze
from supervisor.tui.rigs import RigTable

pytestmark = pytest.mark.real_time
SIZES = [(80, 24), (160, 50)]
FRAME = Frame(site=SITE, rigs=select(RIGS, Wish()), events=EVENTS)


class FakeFeed:
    """Says what the test says."""

    def __init__(self, *items):
        self.items, self.wishes = asyncio.Queue(), []
        for item in items:
            self.items.put_nowait(item)

    async def ask(self, wish):
        self.wishes.append(wish)

    async def __aiter__(self):
        while True:
            yield await self.items.get()


class Seen:
    """A running dashboard, read as text."""

    def __init__(self, app, pilot, feed, clock):
        self.app, self.pilot, self.feed, self.clock = app, pilot, feed, clock

    @property
    def lines(self):
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self):
        return "\n".join(self.lines)

    async def until(self, text):
        for _ in range(200):
            self.app.show()
            await self.pilot.pause()
            if text in self.text:
                return
        raise AssertionError(f"{text!r} was not seen in\n{self.text}")


@asynccontextmanager
async def seen(*items, size=(80, 24)):
    feed, clock = FakeFeed(*items), [NOW_S + 0.4]
    app = TopApp(feed, lambda: clock[0])
    async with app.run_test(size=size) as pilot:
        yield Seen(app, pilot, feed, clock)


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_site_in_one_screen(size):
    async with seen(FRAME, size=size) as top:
        await top.until("karoo  all well")
        for text in (
            "3.20 MW from dispatch: evening peak",
            "asked     3.20 MW",
            "metered   3.19 MW, 1.2 s old",
            "budget    3.05 MW",
            "committed 3.08 MW",
            "capacity  3.50 MW",
            "next      900 kW in 12 m 05 s",
            "182 PH/s, 17.5 J/TH at the meter",
            "1,000 rigs: 912 running, 88 asleep",
            "━ asked  █ metered  ? no reading   last 2 m 00 s",
            "200 of 1,000 rigs, by sickness",
            "3.20 MW: evening peak",
            "q Quit",
        ):
            assert text in top.text, text
        first = next(line for line in top.lines if line.startswith("rig-0007"))
        assert first.split()[:6] == ["rig-0007", "silent", "6/8", "3.10", "kW", "3.08"]
        assert all(unit in first for unit in ("TH/s", "64 °C", "4920 rpm", "1 m 35 s"))
        assert "rig-0007  S21 Pro  not heard of for 95 s" in top.text
        assert len(top.lines) == size[1] and max(map(len, top.lines)) <= size[0]


@pytest.mark.asyncio
async def test_a_wide_screen_has_room_for_every_source():
    async with seen(FRAME, size=(160, 50)) as top:
        await top.until("dispatch: 3.20 MW, heard 4.4 s ago  evening peak")
        assert "ripple: no limit, over, heard 15 m 00 s ago" in top.text


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
async def test_a_lost_supervisor_is_plain_and_heals_by_itself(size):
    async with seen(FRAME, size=size) as top:
        await top.until("all well")
        await top.feed.items.put(Lost("127.0.0.1:1: no answer"))
        top.clock[0] = NOW_S + 42
        await top.until("LOST the supervisor 42 s ago, trying again: 127.0.0.1:1: no answer")
        for text in (
            "asked     3.20 MW (42 s ago)",
            "metered   3.19 MW, 43 s old",
            "committed 3.08 MW (42 s ago)",
            "at the meter (42 s ago)",
            "88 asleep (42 s ago)",
            "900 kW in 11 m 23 s",
            "2 m 17 s",  # the silent rig
        ):
            assert text in top.text, text
        top.clock[0] = NOW_S + 50
        await top.feed.items.put(replace(FRAME, site=replace(SITE, at_s=NOW_S + 50)))
        await top.until("karoo  all well")
        assert "ago)" not in top.text


@pytest.mark.asyncio
async def test_without_any_supervisor_it_says_why():
    async with seen() as top:
        await top.until("waiting for the supervisor")
        await top.feed.items.put(Lost("the supervisor is not running: no api.json in x"))
        await top.until("LOST the supervisor, trying again: the supervisor is not")
        assert "no site to show yet" in top.text


@pytest.mark.asyncio
async def test_a_stuck_supervisor_is_no_better_than_a_lost_one():
    async with seen(FRAME) as top:
        top.clock[0] = NOW_S + 20
        await top.until("WRONG: the supervisor has decided nothing for 20 s")
        assert "asked     3.20 MW (20 s ago)" in top.text


@pytest.mark.asyncio
async def test_a_meter_that_stopped_is_wrong_and_grows_old():
    old = replace(FRAME, site=replace(SITE, meter_age_s=61.0))
    async with seen(old) as top:
        await top.until("WRONG: the site meter was last read 1 m 01 s ago")
        assert "metered   3.19 MW, 1 m 01 s old" in top.text and "? at the meter" in top.text
    site = replace(SITE, metered_w=None, meter_age_s=None)
    async with seen(replace(FRAME, site=site)) as top:
        await top.until("WRONG: the site meter has not been read")
        assert "metered   never read" in top.text and "? at the meter" in top.text


@pytest.mark.asyncio
async def test_the_filter_is_asked_of_the_site_and_answers_at_once():
    async with seen(FRAME) as top:
        await top.until("all well")
        await top.pilot.press("slash", *"fan", "slash")
        assert top.feed.wishes[-1] == Wish(text="fan/")
        await top.pilot.press("backspace")
        await top.until("1 of 1,000 rigs, by sickness, with 'fan'")
        assert "rig-0042  S21 Pro  fan 2 stands still" in top.text and "rig-0007" not in top.text
        await top.pilot.press("enter", "s")
        assert top.feed.wishes[-1] == Wish(text="fan", order="rig")
        await top.pilot.press("escape")
        await top.until("200 of 1,000 rigs, by rig")
        assert top.feed.wishes[-1].text == ""


@pytest.mark.asyncio
async def test_keys_that_arrive_together_are_all_kept():
    async with seen(FRAME) as top:
        await top.until("all well")
        for key in ("slash", "f", "a", "n"):
            top.app.post_message(Key(key, "/" if key == "slash" else key))
        await top.until("with 'fan'")


@pytest.mark.asyncio
async def test_sorting_goes_round():
    async with seen(FRAME) as top:
        await top.until("all well")
        await top.pilot.press(*"s" * len(ORDERS))
        assert [wish.order for wish in top.feed.wishes] == [*list(ORDERS)[1:], "sickness"]


@pytest.mark.asyncio
async def test_the_cursor_stays_on_its_rig():
    async with seen(FRAME) as top:
        await top.until("all well")
        await top.pilot.press("down", "down")
        assert top.app.query_one(RigTable).chosen.rig == "rig-0001"
        sicker = [rig(5, sickness=99, why="hot"), rig(6, sickness=98), *FRAME.rigs]
        await top.feed.items.put(replace(FRAME, rigs=sicker))
        await top.until("hot")
        assert top.app.query_one(RigTable).chosen.rig == "rig-0001"
        await top.feed.items.put(replace(FRAME, rigs=sicker[:5]))
        await top.until("5 of 1,000")
        assert top.text.count("S21 Pro") == 1


@pytest.mark.asyncio
async def test_q_quits():
    async with seen(FRAME) as top:
        await top.pilot.press("q")
        assert not top.app.is_running


@pytest.mark.asyncio
async def test_foreign_text_is_shown_and_not_obeyed():
    odd = [rig(1, why="[red]\x1b[2J[/nonsense]", model="[b]")]
    events = [replace(EVENTS[0], text="[bold]a\nb[/]")]
    async with seen(Frame(site=replace(SITE, because="[/]"), rigs=odd, events=events)) as top:
        await top.until("dispatch: [/]")
        assert "[b]  [red]�[2J[/nonsense]" in top.text and "[bold]a�b[/]" in top.text


def test_overshoot_and_holes_show_without_colour():
    rows = plot([2, 2, 2, 2, None], [2, 4, 1, None, None], top=4, width=6, height=4)
    assert rows == [
        "  █   ",
        "  █   ",
        " ━━━━ ",
        " ███? ",
    ]


def test_a_bar_is_as_high_as_its_share():
    assert plot([None] * 3, [0.5, 1, 1.5], top=2, width=3, height=2) == ["  ▄", "▄██"]


def test_columns_move_left_and_do_not_change():
    values = list(range(100))
    now = squeeze(values, 5, newest_s=99)
    later = squeeze([*values[1:], 100], 5, newest_s=100)
    assert now[-1] == 97 and later[-1] == 100
    assert now[1:] == later[1:-1] and len(now) == 20
    assert squeeze([None, None, 4, None], 2, newest_s=3) == [None, 4]
    assert squeeze([], 2, newest_s=3) == [] and squeeze([7], 5, newest_s=0) == [7]


def test_time_without_a_supervisor_is_an_empty_stretch():
    def newest(moment):
        return plot_text(moment, 60, 5).plain.splitlines()[-2][-8:]

    assert newest(Moment(FRAME, "", NOW_S)) == "████████"
    assert newest(Moment(FRAME, "gone", NOW_S + 60)) == " " * 8


@pytest.mark.asyncio
async def test_the_live_feed_heals_and_keeps_its_wish(tmp_path, monkeypatch):
    monkeypatch.setattr(feeds, "RETRY_S", 0.05)
    feed = LiveFeed(tmp_path)
    items = aiter(feed)
    assert "not running" in (await anext(items)).because
    with served(FakeSite(), tmp_path):
        frame = await until_frame(items)
        assert frame.site == SITE and len(frame.rigs) == 200
        await feed.ask(Wish(limit=1, order="rig"))
        while len(frame.rigs) > 1:
            frame = await anext(items)
        await asyncio.to_thread(write_address, tmp_path, 1)
    lost = await anext(items)
    while isinstance(lost, Frame):
        lost = await anext(items)
    assert lost.because.startswith("127.0.0.1:")
    assert "Connection refused" in (await anext(items)).because
    with served(FakeSite(), tmp_path):
        await until_frame(items)
        assert [r.rig for r in (await anext(items)).rigs] == ["rig-0001"]
    await items.aclose()


@pytest.mark.asyncio
async def test_the_live_feed_names_a_wrong_token(tmp_path):
    with served(FakeSite(), tmp_path) as port:
        write_address(tmp_path, port, TOKEN[::-1])
        items = aiter(LiveFeed(tmp_path))
        assert "a bearer token is needed" in (await anext(items)).because
        await items.aclose()


async def until_frame(items):
    async with asyncio.timeout(10):
        while not isinstance(item := await anext(items), Frame):
            pass
    return item
