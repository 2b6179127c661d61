"""What people are shown, word by word."""

import json
import re
import time

import msgspec
import pytest
import small

from supervisor import audit
from supervisor.envelope import Entry
from supervisor.ledger import Ledger
from supervisor.live import Wish, matches
from supervisor.loss import Loss
from supervisor.people import People
from supervisor.sections.signal import HttpConfig
from supervisor.view import SignalOrder, SiteView
from tests.scenarios.world import UNIX_S, Rig, World

TABLES = [[[1000, 50_000], [2000, 90_000], [3000, 120_000]]] * 4


class Seen:
    """A running world and the people who look at it after every tick."""

    def __init__(self, folder):
        self.world = World(folder, TABLES, 7_000)
        self.people = People(self.world.site)
        self.tick(40)

    def tick(self, seconds=1):
        for _ in range(seconds):
            self.world.tick()
            self.people.look(self.world.now_s)

    def rig(self, name):
        (view,) = (
            v for v in self.people.rigs(Wish(limit=100, order="rig", text="")).rigs if v.rig == name
        )
        return view

    def why(self, name):
        return "\n".join(self.people.why(name).lines)


@pytest.fixture
def seen(tmp_path):
    made = Seen(tmp_path)
    yield made
    made.world.site.ledger.close()


def test_the_site_in_one_glance(seen):
    view = seen.people.site()
    assert (view.site, view.rigs, view.silent) == ("tiny", 4, 0)
    assert view.by_state.get("running", 0) + view.by_state.get("asleep", 0) == 4
    assert (view.envelope_w, view.envelope_source, view.because) == (7_000, "test", "its schedule")
    assert view.floor_w == 40 and view.capacity_w == 12_000
    assert view.asked_w == 7_000 and view.budget_w == 6_960
    assert view.metered_w is None and view.meter_age_s is None
    assert view.next_change_s is None and view.next_w is None
    (signal,) = view.signals
    assert (signal.source, signal.limit_w, signal.until_s, signal.over) == (
        "test",
        7_000,
        None,
        False,
    )
    assert msgspec.json.decode(msgspec.json.encode(view), type=SiteView) == view


def test_an_unread_meter_is_a_gap_and_no_flat_line(seen):
    true_w = seen.world.admitted_w + 40
    seen.world.inbox.put_meter(true_w, seen.world.now_s + 1)
    seen.tick(8)
    view = seen.people.site()
    assert view.metered_w == true_w and view.meter_age_s == 7.0
    assert view.metered_history_w[-9:] == [None, *[true_w] * 5, *[None] * 3]
    assert view.asked_history_w[-8:] == [7_000] * 8
    assert len(view.asked_history_w) == len(view.metered_history_w)


def test_what_is_ahead_is_shown(seen):
    now_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(
        Entry("csv", ((0.0, 5_000), (now_s + 600, 2_000)), until_s=now_s + 900, heard_s=now_s)
    )
    seen.tick()
    view = seen.people.site()
    assert view.envelope_source == "csv"
    assert (view.next_change_s, view.next_w) == (now_s + 600, 2_000)
    signal = view.signals[-1]
    assert signal.until_s == now_s + 900 and signal.age_s == 1.0


def test_a_rig_in_its_row(seen):
    view = seen.rig("r0")
    assert view.model == "tiny" and view.state in ("running", "asleep")
    assert view.admitted_w == 10 + seen.world.rigs["r0"].admitted_w
    assert view.cap_level == 3 and view.sickness == 0 and view.age_s <= 10


def test_the_sickest_come_first(seen):
    seen.world.cut("r1")
    seen.tick(4)
    seen.world.fault("r2")
    seen.tick(2)
    by_sickness = seen.people.rigs(Wish(limit=10, order="sickness", text="")).rigs
    assert [view.rig for view in by_sickness[:2]] == ["r2", "r1"]
    assert [view.state for view in by_sickness[:2]] == ["fault", "down"]
    assert by_sickness[-1].sickness == 0
    assert [v.rig for v in seen.people.rigs(Wish(limit=2, order="sickness", text="")).rigs] == [
        "r2",
        "r1",
    ]
    assert [
        v.rig for v in seen.people.rigs(Wish(limit=10, order="sickness", text="fault")).rigs
    ] == ["r2"]
    assert [v.rig for v in seen.people.rigs(Wish(limit=10, order="rig", text="")).rigs] == [
        "r0",
        "r1",
        "r2",
        "r3",
    ]


def test_silent_is_a_word_of_its_own(seen):
    seen.world.cut("r1")
    seen.world.rigs["r1"].cut_at = 0.0  # and not even the broker notices
    seen.tick(31)
    assert seen.rig("r1").state == "silent"
    assert seen.people.site().silent == 1


def test_why_a_rig_runs_reads_from_the_signal_to_the_rig(seen):
    lines = seen.people.why("r0").lines
    assert lines[0] == "signal: test allows 7.00 kW (its schedule)"
    assert lines[1] == (
        "asked: 7.00 kW of 12.0 kW the rigs can take, 40 W with all asleep;"
        " rising at most 60.0 MW a minute"
    )
    assert re.fullmatch(
        r"budget: 6.96 kW for all rigs above asleep; position \d\.\d\d kW on the merit order"
        r" \(epoch \d+\)",
        lines[2],
    )
    assert re.fullmatch(r"ladder: level \d to [\d.]+ k?W(, level \d to [\d.]+ k?W)*", lines[3])
    assert re.fullmatch(r"admitted: level \d( and [\d.]+ % of the step to \d)?", lines[4])
    assert re.fullmatch(r"rig says, \d+ s ago: \w+, level \d, 10 W", lines[5])


def test_why_tells_the_same_level_as_the_rig(seen):
    for name, rig in seen.world.rigs.items():
        held = rig.dispatch.admitted
        part = f" and {held.part_pm / 10:g} % of the step to {held.next_level}"
        told = f"admitted: level {held.level}" + (part if held.part_pm else "")
        assert told in seen.people.why(name).lines


def test_why_a_rig_sleeps_that_holds_no_ladder(seen):
    seen.world.fault("r2")
    seen.tick(2)
    assert "rig: holds no ladder (fault); it sleeps until it has joined" in seen.why("r2")
    assert "rig says, " in seen.why("r2") and ": fault, level 0, 10 W" in seen.why("r2")


def test_a_rig_that_was_never_heard_says_so_in_words(seen):
    seen.world.inbox.put_rig("new", "hello", Rig("new", TABLES[0]).hello())
    seen.tick()
    told = seen.why("new")
    assert "holds no ladder (silent)" in told
    assert "rig says: nothing yet" in told


def test_nobody_knows_a_rig_that_is_none(seen):
    assert seen.people.why("nobody") is None


def test_the_log_is_newest_first_and_without_decisions(seen):
    seen.people.order_signal(SignalOrder(mw=0.005, for_s=600, by="ann"))
    seen.world.inbox.refuse("mqtt", "the message is not JSON")
    seen.tick()
    seen.people.withdraw_signal("operator")
    seen.tick()
    events = seen.people.events(10)
    assert not any(event.kind == "decision" for event in events)
    assert [(e.kind, e.who, e.text) for e in events if e.who != "test"][:3] == [
        ("signal", "operator", "withdrawn"),
        ("refused", "mqtt", "the message is not JSON"),
        ("signal", "operator", "set by ann for 600 s"),
    ]
    kinds = {event.kind for event in seen.people.events(1000)}
    assert {"term", "deal"} <= kinds
    assert len(seen.people.events(2)) == 2


def test_a_wish_is_obeyed_and_taken_back(seen, monkeypatch):
    monkeypatch.setattr("time.time", lambda: UNIX_S + seen.world.now_s)
    assert seen.people.order_signal(SignalOrder(mw=0.003, for_s=60, by="ann")) == ""
    seen.tick()
    assert seen.people.site().envelope_source == "operator"
    assert "signal: operator allows 3.00 kW (set by ann for 60 s)" in seen.why("r0")
    assert seen.people.withdraw_signal("operator")
    assert not seen.people.withdraw_signal("operator")
    seen.tick()
    assert seen.people.site().envelope_source == "test"


def test_a_wish_ends_by_itself(seen, monkeypatch):
    monkeypatch.setattr("time.time", lambda: UNIX_S + seen.world.now_s)
    seen.people.order_signal(SignalOrder(mw=0.003, for_s=5, by="ann"))
    seen.tick(4)
    assert seen.people.site().envelope_source == "operator"
    seen.tick(2)
    assert seen.people.site().envelope_source == "test"


def test_a_wish_above_the_sites_own_limit_is_refused_with_that_limit(seen):
    refusal = seen.people.order_signal(SignalOrder(mw=1.5, for_s=60))
    assert refusal == "above the site's own limit, 1.00 MW"
    assert "operator" not in seen.world.inbox.entries


def test_columns_are_filtered_as_views_are(seen):
    seen.world.cut("r1")
    seen.world.fault("r2")
    seen.tick(6)
    everybody = seen.people.rigs(Wish(limit=100, order="rig")).rigs
    for text in (
        "state:fault",
        "r",
        "r1 down",
        "age>2",
        "level>0 tiny",
        "hot=30 cap<3",
        "x:y",
        "sickness<1",
    ):
        found = seen.people.rigs(Wish(limit=100, order="rig", text=text))
        assert found.rigs == [view for view in everybody if matches(view, text)], text
        assert found.found == len(found.rigs)


def test_a_page_goes_on_where_the_last_ended(seen):
    whole = seen.people.rigs(Wish(limit=4, order="power")).rigs
    halves = [seen.people.rigs(Wish(limit=2, offset=n, order="power")) for n in (0, 2, 4)]
    assert [view for half in halves for view in half.rigs] == whole
    assert [half.found for half in halves] == [4, 4, 4]


def test_one_rig_in_full(seen):
    seen.world.inbox.put_rig("r0", "event", small.event(1, "fan", "fan 2 stands still"))
    seen.tick()
    detail = seen.people.rig("r0")
    assert detail.rig == seen.rig("r0") and detail.counted and detail.down_for_s is None
    assert detail.points == [(1000, 50_000), (2000, 90_000), (3000, 120_000)]
    assert [(s.level, s.start_w, s.end_w) for s in detail.ladder] == [
        tuple(step) for step in seen.world.site.dispatcher.line.ladder(0)
    ]
    assert [(e.kind, e.text) for e in detail.events] == [("event", "fan: fan 2 stands still")]
    seen.world.cut("r1")
    seen.tick(6)
    assert seen.people.rig("r1").down_for_s == 3.0
    assert seen.people.rig("nobody") is None


def test_a_signal_in_full(seen):
    now_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(
        Entry(
            "csv",
            ((0.0, 5_000), (now_s + 600, 2_000)),
            now_s + 900,
            now_s,
            Loss(after_s=30.0),
            1_000,
            4,
            "it",
        )
    )
    seen.tick()
    (first, csv) = seen.people.signals()
    assert (first.source, first.health, first.holds, first.silent_from_s) == (
        "test", "fresh", False, None,
    )  # fmt: skip
    assert (csv.health, csv.holds, csv.limit_w, csv.default_w) == ("fresh", True, 5_000, 1_000)
    assert (csv.silent_from_s, csv.until_s) == (now_s + 30, now_s + 900)
    assert csv.schedule == [(now_s + 600, 2_000)] and csv.seq == 4
    seen.tick(30)
    (_, csv) = seen.people.signals()
    assert (csv.health, csv.limit_w) == ("silent", 1_000)


def test_what_somebody_did_is_on_the_disk_and_read_again(seen):
    deed = audit.Deed(
        who="ann", role="operator", address="127.0.0.1", what="POST /api/signal",
        said={"mw": 3, "token": "surplus_x"}, status=200, result="accepted",
    )  # fmt: skip
    seen.people.record(deed)
    seen.people.record(msgspec.structs.replace(deed, who="bob", status=403))
    ledger = Ledger(seen.world.site.ledger.path, readonly=True)
    assert [row.source for row in ledger.newest(2, "audit")] == ["ann", "bob"]
    ledger.close()
    bob, ann = seen.people.audit(10, "")
    assert (bob.who, bob.status, ann.who, ann.result) == ("bob", 403, "ann", "accepted")
    assert ann.said == {"mw": 3, "token": "***"}
    assert [deed.who for deed in seen.people.audit(10, "ann")] == ["ann"]


def test_a_program_pushes_its_word_in_order_and_only_where_the_settings_let_it(seen):
    def push(mw, seq):
        payload = {"mw": mw, "valid_until": time.time() + 600, "seq": seq}
        return seen.people.push_signal(json.dumps(payload).encode())

    assert "no [signal.http]" in push(0.001, 1)
    config = seen.people._site.config
    signal = msgspec.structs.replace(config.signal, http=HttpConfig())
    seen.people._site.config = msgspec.structs.replace(config, signal=signal)
    assert push(0.001, 1) == "" and "not above the last one" in push(0.002, 1)
    assert seen.world.inbox.entries["http"].limit_w(time.time()) == 1_000
    assert "not JSON" in seen.people.push_signal(b"rubbish")
