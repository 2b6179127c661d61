"""The beat of the site, and that nothing is said that is not on record."""

import subprocess
import sys
from pathlib import Path

import pytest

from protocols import mac, messages
from supervisor import memory
from supervisor.envelope import Entry
from supervisor.inbox import Inbox, Reading
from supervisor.ledger import Ledger
from supervisor.loss import Loss
from supervisor.site import Site
from tests.scenarios.world import KEY, UNIX_S
from tests.supervisor import small
from tests.supervisor.alone import BUDGET, KEY_OF_ALL, Alone, joined

ROOT = Path(__file__).parents[2]


@pytest.fixture
def alone(tmp_path):
    site = Alone(tmp_path)
    yield site
    site.ledger.close()


def test_until_there_are_ladders_nothing_is_broadcast(alone):
    """Rigs that may still run on the ladders of a lost ledger must not be kept from joining."""
    alone.tick()
    assert alone.said == []


def test_every_tick_is_one_sealed_budget_with_the_next_number(alone):
    joined(alone)
    heard = [(alone.tick(), alone.budget())[1] for _ in range(3)]
    first = heard[0]["seq"]
    assert [b["seq"] for b in heard] == [first, first + 1, first + 2]
    assert {b["term"] for b in heard} == {alone.site.term}
    assert {b["ttl_ms"] for b in heard} == {10_000}
    made = alone.site.decision
    assert (heard[-1]["admit_w"], heard[-1]["budget_w"]) == (made.admit_w, made.budget_w)
    assert heard[2]["sent_ms"] - heard[1]["sent_ms"] == 1000


def test_with_no_signal_the_sites_default_holds_and_the_record_says_so(alone):
    alone.tick()
    (row,) = alone.rows("decision")
    assert (row.source, row.why) == ("site", "no signal: the site's default")
    assert row.body["limit_w"] == 2_000 and row.body["term"] == alone.site.term


def test_a_rig_is_commanded_with_its_nonce_its_ladder_and_where_we_are(alone):
    commands = joined(alone)
    assert set(commands) == {"r0", "r1"}
    cmd, seq = commands["r0"], alone.budget()["seq"]
    assert cmd["nonce"] == "0123456789abcdef"
    assert (cmd["term"], cmd["seq"], cmd["epoch"]) == (
        alone.site.term,
        seq,
        alone.budget()["epoch"],
    )
    assert [row[0] for row in cmd["ladder"]] == [1, 2, 3]
    assert commands["r1"]["ladder"] != cmd["ladder"]


def test_a_command_is_sent_again_under_a_higher_number_until_echoed(alone):
    first = joined(alone)["r0"]
    again = [c for _ in range(8) if (c := (alone.tick(), alone.commands())[1].get("r0"))]
    assert again and again[0]["id"] > first["id"]
    assert again[0]["ladder"] == first["ladder"]
    for name in ("r0", "r1"):
        alone.inbox.put_rig(name, "state", small.state("asleep", id=again[-1]["id"] + 9, epoch=9))
    for _ in range(8):
        alone.tick()
        assert alone.commands() == {}


def test_events_go_on_record_and_are_echoed(alone):
    first = joined(alone)
    for name, cmd in first.items():
        alone.inbox.put_rig(name, "state", small.state("asleep", id=cmd["id"], epoch=cmd["epoch"]))
    alone.inbox.put_rig("r0", "event", small.event(1))
    alone.inbox.put_rig("r0", "event", small.event(2, "psu", "no answer"))
    alone.tick()
    commands = alone.commands()
    assert set(commands) == {"r0"} and commands["r0"]["event"] == 2
    assert [(r.source, r.body["code"], r.why) for r in alone.rows("event")] == [
        ("r0", "fan", "fan 2 stands still"),
        ("r0", "psu", "no answer"),
    ]
    alone.inbox.put_rig("r0", "event", small.event(2, "psu", "no answer"))
    alone.tick()
    assert len(alone.rows("event")) == 2


def test_what_was_refused_is_on_record_with_its_reason(alone):
    alone.inbox.put_rig("r0", "state", b"rubbish")
    alone.inbox.refuse("mqtt", "the message is not JSON")
    alone.tick()
    assert {(r.source, r.why.split(":")[0]) for r in alone.rows("refused")} == {
        ("rigs", "r0/state"),
        ("mqtt", "the message is not JSON"),
    }


def test_a_signal_is_obeyed_and_written_down_in_the_same_tick(alone):
    alone.inbox.put_signal(Entry("grid", ((0.0, 1_500),), because="peak"))
    made = alone.tick()
    assert made.limit_w == 1_500
    assert [(r.source, r.why) for r in alone.rows("signal")] == [("grid", "peak")]
    assert alone.rows("decision")[-1].source == "grid"
    assert alone.site.withdraw("grid") and not alone.site.withdraw("grid")
    assert alone.tick().limit_w == 2_000
    assert alone.rows("signal")[-1].why == "withdrawn"


def test_a_meter_reading_is_used_once_and_only_when_fresh(alone):
    alone.inbox.put_meter(900, 0.5)
    assert alone.tick().metered_w == 900
    assert alone.tick().metered_w is None
    alone.now_s = 100.0
    alone.inbox.put_meter(901, 90.0)
    assert alone.tick().metered_w is None, "a reading that is late is none"


def test_a_rig_cut_off_is_given_up_after_the_longest_lease(alone):
    for name, cmd in joined(alone).items():
        alone.inbox.put_rig(name, "state", small.state("running", id=cmd["id"], epoch=cmd["epoch"]))
    alone.inbox.put_rig("r1", "link", b"down")
    for _ in range(13):
        alone.tick()
        assert alone.site.fleet.counted.all()
    alone.tick()
    assert alone.site.fleet.counted.tolist() == [True, False]


# ---- nothing is said that is not on record


def test_a_budget_is_on_the_disk_before_it_is_said(alone):
    joined(alone)
    path, on_record = alone.ledger.path, []

    def publish(topic, payload):
        if topic == BUDGET:  # somebody else looks, at the moment it goes out
            seq = messages.decode("budget", mac.unseal(KEY_OF_ALL, BUDGET, payload))["seq"]
            newest = Ledger(path, readonly=True).last("decision").body
            on_record.append((newest["seq"], seq))
        return True

    for second in range(3):
        alone.site.tick(alone.now_s + second + 1, UNIX_S + alone.now_s + second + 1, publish)
    assert len(on_record) == 3 and all(held == said for held, said in on_record)


FULL = """
import resource, signal, sys
from pathlib import Path
from supervisor.ledger import LedgerError
from protocols import mac, messages
from tests.supervisor.alone import BUDGET, KEY_OF_ALL, Alone, joined

alone, said = Alone(Path(sys.argv[1])), 0
joined(alone)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
used = max(path.stat().st_size for path in Path(sys.argv[1]).iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (used + 60_000, used + 60_000))  # of any one file
try:
    for _ in range(500):
        alone.tick()
        said = alone.budget()["seq"]
except LedgerError as error:
    print(said, len([topic for topic, _ in alone.said if topic == BUDGET]), error)
"""


def test_a_full_disk_ends_the_beat_with_nothing_said_and_the_ledger_whole(tmp_path):
    call = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(call, check=True, capture_output=True, text=True, cwd=ROOT)
    said, after, error = done.stdout.split(maxsplit=2)
    assert int(said) > 3 and int(after) == 0, "something was said that is not on record"
    assert "ledger.db: cannot be written" in error and "the site sleeps" in error
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.last("decision").body["seq"] == int(said)
    ledger.close()


def test_a_clock_that_jumps_hides_no_lease_from_the_next_supervisor(alone):
    """Positions given out in this lease count, whatever the wall clock has done since."""
    for jump_s in (86_400, -86_400):
        rows = [
            {"term": alone.site.term, "seq": seq, "at_s": seq * 1.0, "admit_w": admit_w}
            for seq, admit_w in ((1, 9000), (20, 8000), (25, 7000))
        ]
        for row in rows:
            at_s = UNIX_S + row["at_s"] + (jump_s if row["seq"] == 25 else 0)
            alone.ledger._clock = lambda at_s=at_s: at_s
            alone.ledger.write("decision", row)
        assert [row.body["admit_w"] for row in memory.on_lease(alone.ledger, 10.0)][-2:] == [
            8000,
            7000,
        ]
        alone.ledger._clock = lambda: UNIX_S


def test_a_clock_set_back_lowers_neither_term_nor_command(alone, tmp_path):
    before = joined(alone)
    alone.ledger.commit()
    again = Site(alone.site.config, alone.inbox, alone.ledger, KEY, 500.0, UNIX_S - 86_400.0)
    assert again.term > alone.site.term
    said = []
    alone.site.fleet.sent_s[:] = -1e18
    alone.site.tick(
        alone.now_s + 5, UNIX_S - 86_400.0, lambda *message: said.append(message) or True
    )
    assert not [topic for topic, _ in said if topic == BUDGET][1:]
    alone.said = said
    ids = {rig: command["id"] for rig, command in alone.commands().items()}
    assert ids and all(ids[rig] > before[rig]["id"] for rig in ids)


def test_of_several_meters_one_that_lies_is_not_believed_and_goes_on_record(alone):
    joined(alone)
    for beat in range(8):
        at_s = alone.now_s + 1.0
        for name in small.names(2):
            alone.inbox.put_rig(name, "state", small.state("running", power_w=300_00))
        alone.inbox.put_reading(Reading("auxiliary", 500, at_s))
        turned = -1 if beat >= 4 else 1
        alone.inbox.put_reading(Reading("site", turned * (60_500 + beat), at_s))
        made = alone.tick()
    assert made.metered_w is None
    assert [row.source for row in alone.rows("refused")] == ["meter site"]
    assert "flipped" in alone.rows("refused")[0].why
    assert 60_503 in [row.body["metered_w"] for row in alone.rows("decision")]


def test_a_silent_source_is_excused_for_a_time_and_counts_again_when_heard(alone, tmp_path):
    gone = Loss(after_s=5.0)
    alone.inbox.put_signal(Entry("grid", ((0.0, 1_500),), heard_s=UNIX_S, loss=gone, default_w=0))
    assert alone.tick().limit_w == 1_500
    assert "grid is heard" in alone.site.excuse("grid", UNIX_S + 60, "ann")
    assert "'nobody' has said nothing" in alone.site.excuse("nobody", UNIX_S + 60, "ann")
    alone.now_s = 10.0
    assert alone.tick().limit_w == 0
    assert alone.site.excuse("grid", UNIX_S + 60, "ann") == ""
    assert alone.tick().limit_w == 2_000, "the site's own default"
    assert [(r.source, r.why) for r in alone.rows("excuse")] == [("grid", "its default, by ann")]
    heard = Entry("grid", ((0.0, 700),), heard_s=UNIX_S + alone.now_s, loss=gone, default_w=0)
    alone.inbox.put_signal(heard)
    assert alone.tick().limit_w == 700
    alone.now_s = 59.5
    assert alone.tick().limit_w == 0, "an excuse ends by itself"


def test_an_excuse_outlives_the_supervisor(alone):
    gone = Loss(after_s=5.0)
    alone.inbox.put_signal(Entry("grid", ((0.0, 1_500),), heard_s=UNIX_S, loss=gone, default_w=0))
    alone.now_s = 10.0
    alone.tick()
    alone.site.excuse("grid", UNIX_S + 60, "ann")
    alone.tick()
    inbox = Inbox()
    Site(alone.site.config, inbox, alone.ledger, KEY, 0.0, UNIX_S + 20)
    assert inbox.excused == {"grid": UNIX_S + 60}
