"""Why at any past time: what is told now is told of this moment for ever after."""

import re

import numpy as np
import pytest
import small
from test_people import Seen

from protocols.ladder import admit
from supervisor import archive as archives
from supervisor.archive import Archive
from supervisor.envelope import Entry
from supervisor.ledger import Ledger
from supervisor.people import People
from tests.scenarios.world import UNIX_S


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Ledgers are dated by the world's clock."""
    made = Seen.__new__(Seen)
    clock = {"clock": lambda: UNIX_S + (made.world.now_s if hasattr(made, "world") else 0.0)}
    monkeypatch.setattr(Ledger.__init__, "__kwdefaults__", Ledger.__init__.__kwdefaults__ | clock)
    made.__init__(tmp_path)
    made.tick(5)
    yield made
    made.world.site.ledger.close()


def followed(seen):
    """The supervisor is killed; another takes over."""
    seen.world.kill()
    seen.people = People(seen.world.site)
    seen.tick(2)


def chain(lines):
    """Without what is said of the present only."""
    return [line for line in lines if line.split(":")[0] in ("signal", "asked", "budget", "ladder",
                                                             "admitted")]  # fmt: skip


def test_what_was_told_then_is_told_of_then(seen):
    told = {}
    for limit_w in (7_000, 3_000, 9_500, 0, 5_000):
        seen.world.ask(limit_w)
        seen.tick(7)
        at_s = UNIX_S + seen.world.now_s
        told[at_s] = {rig: chain(seen.people.why(rig).lines) for rig in ("", "r0", "r3")}
    assert len({str(lines) for lines in told.values()}) == 5
    for at_s, lines in told.items():
        for rig, then in lines.items():
            assert chain(seen.people.why(rig, at_s + 0.5).lines) == then, (at_s, rig)


def test_the_past_of_rigs_dealt_another_epoch_since(seen):
    seen.tick(60)
    at_s, epoch = UNIX_S + seen.world.now_s, seen.world.site.dispatcher.line.epoch
    before = chain(seen.people.why("r1").lines)
    assert f"(epoch {epoch})" in before[2]
    seen.world.site.ledger.forget_ladders()
    followed(seen)
    seen.tick(60)
    assert seen.world.site.dispatcher.line.epoch > epoch
    assert chain(seen.people.why("r1", at_s).lines) == before
    seen.people._archive._db.execute("DELETE FROM ladders")
    assert f"ladder: those of epoch {epoch} are no longer kept" in seen.people.why("r1", at_s).lines


def test_it_survives_a_kill(seen):
    seen.tick(70)
    at_s, before = UNIX_S + seen.world.now_s, seen.people.why("r0").lines
    followed(seen)
    then = seen.people.why("r0", at_s).lines
    assert chain(then) == chain(before)
    assert any(re.match(r"rig said by [\d: -]+: (running|asleep), level \d", line) for line in then)


def test_what_the_rig_said_and_reported(seen):
    seen.world.inbox.put_rig("r0", "event", small.event(1, "fan", "fan 2 stands still"))
    seen.tick(70)
    lines = seen.people.why("r0", UNIX_S + seen.world.now_s).lines
    assert any("fan: fan 2 stands still" in line for line in lines)
    assert any(line.startswith("rig said by ") and line.endswith("30 °C") for line in lines)
    early = seen.people.why("r0", UNIX_S + 1.0)
    assert early is None or not any("fan" in line for line in early.lines)


def test_others_who_spoke_then(seen):
    now_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(Entry("csv", ((0.0, 2_000),), heard_s=now_s, because="the plan"))
    seen.tick(3)
    at_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(Entry("csv", ((0.0, 9_000),), heard_s=at_s, because="changed"))
    seen.tick(3)
    then, later = seen.people.why("", at_s).lines, seen.people.why("", at_s + 3).lines
    assert "signal: csv allows 2.00 kW (the plan)" in then
    assert "also said: test allows 7.00 kW (its schedule)" in then
    assert "also said: csv allows 9.00 kW (changed)" in later


def test_a_time_without_a_decision_is_told_as_one(seen):
    (line,) = seen.people.why("", UNIX_S - 9e6).lines
    assert "no decision is on record, nothing before it" in line
    seen.world.now_s += 3600
    (line,) = seen.people.why("", UNIX_S + seen.world.now_s).lines
    assert "no decision is on record, the last 1 h 00 m before" in line


def test_a_rig_nobody_heard_of_then(seen):
    assert seen.people.why("nobody", UNIX_S + seen.world.now_s) is None


def test_the_ledger_finds_a_time_as_by_looking_at_every_row(seen):
    ledger, end_s = seen.world.site.ledger, UNIX_S + seen.world.now_s
    rows = ledger.read("decision", limit=10_000)
    for at_s in (rows[0].at_s - 1, rows[0].at_s, rows[7].at_s + 0.5, end_s, end_s + 1e6):
        by_hand = [row for row in rows if row.at_s <= at_s]
        assert ledger.at("decision", at_s) == (by_hand[-1] if by_hand else None)


# ---- the archive


def test_an_archive_that_is_damaged_is_begun_anew(tmp_path):
    path = tmp_path / "archive.db"
    path.write_bytes(b"no database at all" * 100)
    archive = Archive(path)
    archive.put_ladders(1, b"x")
    assert archive.ladders(1) == b"x" and archive.ladders(2) is None
    archive.close()


def test_the_oldest_goes(tmp_path):
    archive = Archive(tmp_path / "archive.db", bytes_max=100_000)
    rng = np.random.default_rng(1)
    names = [f"r{n}" for n in range(500)]
    for minute in range(200):
        column = rng.integers(0, 4000, 500)
        archive.put_look(60.0 * minute, names, {"power_w": column})
    last = archive.look("r499", 60.0 * 199 + 59)
    assert last.at_s == 60.0 * 199 and last.said == {"power_w": int(column[499])}
    assert archive.look("r0", 60.0) is None and archive.look("r0", 60.0 * 190) is not None
    assert archive.look("r500", 60.0 * 199) is None
    assert archive._one("SELECT SUM(size) FROM looks") <= 60_000
    archive.close()


def test_an_archive_that_cannot_be_written_costs_the_past_only(tmp_path):
    archive = Archive(tmp_path / "archive.db")
    archive._db.execute("PRAGMA query_only = 1")
    archive.put_ladders(1, b"x")
    assert archive.ladders(1) is None
    archive.close()


def test_admitted_as_told_is_admitted_as_held(seen):
    held = admit(seen.world.site.dispatcher.line.ladder(0), seen.world.site.decision.admit_w)
    told = seen.people.why("r0", UNIX_S + seen.world.now_s).lines
    assert any(line.startswith(f"admitted: level {held.level}") for line in told)
    assert archives.LOOK_S < archives.FAR_S
