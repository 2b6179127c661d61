"""OpenADR 3.1 events read: by example, then anything at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.grid import openadr3_events as events
from supervisor.grid.openadr3_events import EventError, Means
from supervisor.loss import FOREVER
from supervisor.plan import compose

T = 1_764_547_200.0  # 2025-12-01T00:00:00Z
MW, LIMIT_W = 1_000_000, 100_000_000
MEANS = Means("ridge-1", LIMIT_W, drawn_w=lambda event: 60 * MW)


def event(*payloads, start="2025-12-01T00:00:00Z", duration="PT15M", **more):
    """One interval for each (type, value), one after the other."""
    made = {
        "id": "e1",
        "objectType": "EVENT",
        "programID": "p1",
        "createdDateTime": "2025-11-30T00:00:00Z",
        "intervalPeriod": {"start": start, "duration": duration},
        "intervals": [
            {"id": n, "payloads": [{"type": kind, "values": [value]}]}
            for n, (kind, value) in enumerate(payloads)
        ],
    }
    return events.decode(json.dumps([made | more]).encode())[0]


def read(*args, seen_s=T, **more):
    found = events.words(event(*args, **more), seen_s, MEANS)
    return [(word.rows[0][0] - T, word.until_s - T, word.rows[0][1] / MW) for word in found]


LIMIT = "IMPORT_CAPACITY_LIMIT"


def test_a_limit_in_intervals_one_after_the_other():
    assert read((LIMIT, 60_000), (LIMIT, 20_000)) == [(0, 900, 60), (900, 1800, 20)]


def test_now_is_when_it_was_heard_and_for_ever_has_no_end():
    now = "0001-01-01T00:00:00Z"
    assert read((LIMIT, 5_000), start=now, seen_s=T + 77) == [(77, 977, 5)]
    assert read((LIMIT, 5_000), duration="P9999Y") == [(0, FOREVER, 5)]


def test_an_interval_may_have_its_own_period():
    own = {"start": "2025-12-01T01:00:00Z", "duration": "PT5M"}
    payloads = [{"type": LIMIT, "values": [7_000]}]
    intervals = [{"id": 0, "intervalPeriod": own, "payloads": payloads}]
    assert read(intervals=intervals) == [(3600, 3900, 7)]


def test_no_duration_is_cancelled():
    assert read((LIMIT, 5_000), duration="PT0S") == []


def test_a_longer_event_repeats_its_intervals_and_a_shorter_cuts_them():
    both = ((LIMIT, 6_000), (LIMIT, 2_000))
    assert read(*both, duration_of="", **{"duration": "PT15M"}) == [(0, 900, 6), (900, 1800, 2)]
    made = event(*both)
    longer = events.msgspec.structs.replace(made, duration="PT1H10M")
    found = [word.until_s - T for word in events.words(longer, T, MEANS)]
    assert found == [900, 1800, 2700, 3600, 4200]
    shorter = events.msgspec.structs.replace(made, duration="PT20M")
    assert [word.until_s - T for word in events.words(shorter, T, MEANS)] == [900, 1200]


def test_random_start_is_within_its_range_and_always_the_same():
    period = {"start": "2025-12-01T00:00:00Z", "duration": "PT15M", "randomizeStart": "PT5M"}
    starts = {read((LIMIT, 1), intervalPeriod=period, id=f"e{n}")[0][0] for n in range(50)}
    assert len(starts) == 50 and -300 <= min(starts) < -200 and 200 < max(starts) <= 300
    assert read((LIMIT, 1), intervalPeriod=period) == read((LIMIT, 1), intervalPeriod=period)


@pytest.mark.parametrize(
    "kind, value, mw",
    [
        ("DISPATCH_SETPOINT", 42_000, 42),
        ("DISPATCH_SETPOINT_RELATIVE", -10_000, 50),
        ("CONTROL_SETPOINT", -70_000, 0),
        ("SIMPLE", 0, 100),
        ("SIMPLE", 1, 70),
        ("SIMPLE", 2, 30),
        ("SIMPLE", 3, 0),
        ("ALERT_GRID_EMERGENCY", "brown-out", 0),
    ],
)
def test_every_kind_in_watts(kind, value, mw):
    assert read((kind, value)) == [(0, 900, mw)]


def test_per_cent_of_the_sites_own_limit():
    units = [{"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": LIMIT, "units": "PERCENT"}]
    assert read((LIMIT, 35), payloadDescriptors=units) == [(0, 900, 35)]


def test_of_overlapping_events_the_lowest_priority_number_holds_of_equals_the_lower_limit():
    calm = events.words(event((LIMIT, 60_000), id="calm"), T, MEANS)
    urgent = events.words(event((LIMIT, 80_000), id="urgent", priority=0), T, MEANS)
    later = events.words(event((LIMIT, 20_000), id="later", priority=7), T, MEANS)
    equal = events.words(event((LIMIT, 70_000), id="equal", priority=0), T, MEANS)

    def mw(*said):
        return compose([word for words in said for word in words], 0)[0][0][1] / MW

    assert mw(calm, urgent, later) == 80 and mw(calm, later) == 20
    assert mw(calm, urgent, equal, later) == 70


def test_what_is_for_others_is_passed_over():
    assert read(("PRICE", 0.17), ("GHG", 300)) == []


def test_a_limit_on_top_of_a_subscription_with_a_reservation():
    base = events.words(event((events.SUBSCRIPTION, 20_000), duration="P9999Y"), T, MEANS)
    extra = events.words(
        event((events.RESERVATION, 10_000), start="2025-12-01T01:00:00Z", duration="PT1H"),
        T,
        MEANS,
    )
    limit = events.words(event((LIMIT, 5_000), start="2025-12-01T01:30:00Z"), T, MEANS)
    found = [*base, *extra, *limit]
    rows, end_s = compose([*events.limit_words(found), *events.capacity_words(found)], 0)
    assert [(at_s - T, w / MW) for at_s, w in rows] == [
        (0, 20),
        (3600, 30),
        (5400, 5),
        (6300, 30),
        (7200, 20),
    ]
    assert end_s == FOREVER


@pytest.mark.parametrize(
    "more, why",
    [
        ({"payloads": [(LIMIT, "much")]}, "has no number"),
        ({"payloads": [(LIMIT, True)]}, "has no number"),
        ({"payloads": [(LIMIT, -1)]}, "import is 0 or more"),
        ({"payloads": [("SIMPLE", 4)]}, "SIMPLE is 4; 0 to 3"),
        ({"payloads": [("SIMPLE", 0.5)]}, "SIMPLE is 0.5; 0 to 3"),
        ({"start": "soon"}, "no date and time"),
        ({"duration": "a while"}, "PT15M would be one"),
        ({"duration": "-PT5M"}, "negative"),
    ],
)
def test_what_cannot_be_followed_says_why(more, why):
    payloads = more.pop("payloads", [(LIMIT, 1)])
    with pytest.raises(EventError, match=why):
        read(*payloads, **more)


def test_units_nobody_can_read():
    units = [{"payloadType": LIMIT, "units": "KVAR"}]
    with pytest.raises(EventError, match="is in KVAR; KW or PERCENT"):
        read((LIMIT, 1), payloadDescriptors=units)


def test_a_repetition_without_end_is_refused():
    made = events.msgspec.structs.replace(event((LIMIT, 1), duration="PT1S"), duration="P30D")
    with pytest.raises(EventError, match="over 2000 times"):
        events.words(made, T, MEANS)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
durations = st.sampled_from(["PT15M", "P9999Y", "PT0S", "P1D", "x", "-PT1S", "PT1S", "P99999D"])
values = st.fixed_dictionaries(
    {
        "type": st.sampled_from(sorted(events.KINDS)),
        "values": st.lists(st.integers() | st.floats() | st.text(), max_size=2),
    }
)
intervals = st.fixed_dictionaries(
    {"id": st.integers(0, 9), "payloads": st.lists(values, max_size=2)}
)
periods = st.fixed_dictionaries(
    {},
    optional={"start": st.text(max_size=25), "duration": durations, "randomizeStart": durations},
)
wild = st.fixed_dictionaries(
    {"id": st.just("e"), "programID": st.just("p")},
    optional={
        "duration": st.none() | durations,
        "priority": st.none() | st.integers(0, 9),
        "intervalPeriod": periods,
        "intervals": st.lists(intervals, max_size=4),
    },
)


@given(wild)
def test_any_event_is_words_within_reason_or_an_event_error(raw):
    try:
        (made,) = events.decode(json.dumps([raw]).encode())
        found = events.words(made, T, MEANS)
    except EventError as error:
        assert str(error)
        return
    assert all(0 <= w <= 10**10 for word in found for _, w in word.rows)
    assert all(word.rows[0][0] < word.until_s for word in found)


@given(anything)
def test_any_answer_is_events_or_an_event_error(raw):
    try:
        assert isinstance(events.decode(json.dumps(raw).encode()), list)
    except EventError as error:
        assert "no list of events" in str(error)
