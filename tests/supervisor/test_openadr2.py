"""OpenADR 2.0b: events read by example and at random, and the VEN against openleadr's VTN."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid.openadr2 import SOURCE, Openadr2
from supervisor.grid.openadr2_events import EventError, Means, words
from supervisor.inbox import Inbox
from supervisor.loss import FOREVER
from supervisor.sections.openadr2 import Openadr2Config
from tests.supervisor.test_sunspec import Shown, told

MW, LIMIT_W = 1_000_000, 100_000_000
START = datetime(2026, 12, 1, tzinfo=UTC)
T = START.timestamp()
MEANS = Means("ridge-1", LIMIT_W, (100, 70, 30, 0), lambda event: 60 * MW)


def event(*values, name="LOAD_DISPATCH", kind="setpoint", **more):
    """Intervals of 10 minutes; power in kW."""
    intervals = [
        {"duration": timedelta(minutes=10), "signal_payload": value, "uid": n}
        for n, value in enumerate(values)
    ]
    descriptor = {"event_id": "e1", "event_status": "active", "priority": 0}
    descriptor |= more.pop("descriptor", {})
    length = timedelta(minutes=10 * len(values))
    period = more.pop("period", {})
    signal = {"signal_name": name, "signal_type": kind, "intervals": intervals}
    return {
        "event_descriptor": descriptor,
        "active_period": {"dtstart": START, "duration": length} | period,
        "event_signals": [signal | more],
    }


def read(*values, **more):
    (word,) = words(event(*values, **more), MEANS)
    return [(at_s - T, w / MW) for at_s, w in word.rows], word.until_s - T, word.priority


def test_a_dispatch_in_intervals():
    rows, until_s, _ = read(60_000.0, 20_000.0)
    assert rows == [(0, 60), (600, 20)] and until_s == 1200


@pytest.mark.parametrize(
    "name, kind, value, mw",
    [
        ("SIMPLE", "level", 0, 100),
        ("SIMPLE", "level", 2.0, 30),
        ("SIMPLE", "level", 3, 0),
        ("LOAD_DISPATCH", "delta", -10_000, 50),
        ("LOAD_DISPATCH", "delta", -70_000, 0),
        ("LOAD_DISPATCH", "multiplier", 0.5, 30),
    ],
)
def test_every_kind_in_watts(name, kind, value, mw):
    assert read(value, name=name, kind=kind)[0] == [(0, mw)]


def test_priority_cancel_and_an_open_end():
    assert read(1.0, descriptor={"priority": 3})[2] == 3
    assert words(event(1.0, descriptor={"event_status": "cancelled"}), MEANS) == []
    assert read(1.0, period={"duration": timedelta(0)})[1] == FOREVER
    assert words(event(0.17, name="ELECTRICITY_PRICE"), MEANS) == []


def test_the_measurement_says_the_scale():
    assert read(42.0, measurement={"scale": "M"})[0] == [(0, 42)]
    with pytest.raises(EventError, match="scale 'x'"):
        read(42.0, measurement={"scale": "x"})


@pytest.mark.parametrize(
    "more, why",
    [
        ({"values": [-5.0]}, "import is 0 or more"),
        ({"values": [4], "name": "SIMPLE"}, "it is 0 to 3"),
        ({"values": ["x"]}, "no number"),
        ({"values": [1.0], "kind": "price"}, "is a price"),
        ({"values": [1.0], "period": {"dtstart": "soon"}}, "AttributeError"),
    ],
)
def test_what_cannot_be_followed_says_why(more, why):
    with pytest.raises(EventError, match=why):
        read(*more.pop("values"), **more)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
KEYS = ("event_id", "event_status", "priority", "dtstart", "duration", "intervals", "signal_name")


@given(
    st.dictionaries(st.sampled_from(KEYS), junk),
    st.dictionaries(st.sampled_from(KEYS), junk),
    junk | st.lists(st.dictionaries(st.sampled_from(KEYS), junk), max_size=2),
)
def test_any_event_is_words_or_an_event_error(descriptor, period, signals):
    raw = {"event_descriptor": descriptor, "active_period": period, "event_signals": signals}
    try:
        found = words(raw, MEANS)
    except EventError as error:
        assert str(error)
        return
    assert all(0 <= w <= 10**10 for word in found for _, w in word.rows)


# ---- against a VTN


def vtn_on(port):
    """openleadr's own VTN: one VEN may register, and every opt and reading is noted."""
    from openleadr import OpenADRServer

    often = timedelta(seconds=1)
    server = OpenADRServer("VTN", http_port=port, requested_poll_freq=often, show_fingerprint=False)
    opts, readings = {}, []

    async def register(info):
        return "ven-1", "registration-1"

    async def report(
        ven_id, resource_id, measurement, unit, scale, min_sampling_interval, max_sampling_interval
    ):
        return partial(note, readings), often, often

    server.add_handler("on_create_party_registration", register)
    server.add_handler("on_register_report", report)

    def say(event_id, signal_name, signal_type, value, length_s=600.0):
        interval = {
            "dtstart": datetime.now(UTC),
            "duration": timedelta(seconds=length_s),
            "signal_payload": value,
        }

        async def opted(ven_id, event_id, opt_type):
            opts[event_id] = opt_type

        server.add_event("ven-1", signal_name, signal_type, [interval], opted, event_id=event_id)

    return server, say, opts, readings


async def note(readings, data):
    readings.extend(value for _, value in data)


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_it_registers_opts_in_follows_and_reports(until):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server, say, opts, readings = vtn_on(port)
    await server.run()
    inbox, board = Inbox(), Shown()
    board.told = told()
    section = Openadr2Config(
        url=f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b", default_mw=2, report_s=1
    )
    ven = Openadr2(section, "ridge-1", LIMIT_W, inbox, board)
    task = asyncio.create_task(ven.run())

    def mw():
        limit_w = inbox.entries[SOURCE].limit_w(datetime.now(UTC).timestamp())
        return limit_w / MW

    try:
        await until(lambda: ven._heard_s)
        assert mw() == 2
        say("e1", "LOAD_DISPATCH", "setpoint", 42.0)
        await until(lambda: mw() == 0.042)
        await until(lambda: opts == {"e1": "optIn"})
        server.cancel_event("ven-1", "e1")
        await until(lambda: mw() == 2)
        say("e2", "SIMPLE", "level", 2)
        await until(lambda: mw() == 30)
        say("e3", "LOAD_DISPATCH", "price", 1.0)
        await until(lambda: "e3" in opts)
        assert opts["e3"] == "optOut" and mw() == 30
        assert len(board.weighed) >= 2, "each event that can be followed"
        board.refusal = "90 % of the rigs to sleep"
        say("e4", "LOAD_DISPATCH", "setpoint", 1.0)
        await until(lambda: "e4" in opts)
        assert opts["e4"] == "optOut" and mw() == 30
        assert "e4: 90 % of the rigs" in inbox.take_refusals()[-1].because
        await until(lambda: {59e6, 58e6, 30e6} <= set(readings))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await server.stop()
