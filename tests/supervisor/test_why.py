"""Why at any past time: what is told now is told of this moment for ever after."""

import asyncio

import numpy as np
import pytest
import small
from test_people import Seen

from protocols.ladder import admit
from supervisor.archive import Archive
from supervisor.envelope import Entry
from supervisor.history import History
from supervisor.history_files import Files
from supervisor.ledger import Ledger
from supervisor.people import People
from supervisor.people.past import view
from tests.scenarios.world import UNIX_S


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Ledgers are dated by the world's clock."""
    made = Seen.__new__(Seen)
    clock = {"clock": lambda: UNIX_S + (made.world.now_s if hasattr(made, "world") else 0.0)}
    monkeypatch.setattr(Ledger.__init__, "__kwdefaults__", Ledger.__init__.__kwdefaults__ | clock)
    made.__init__(tmp_path)
    made.history = remember(made, tmp_path)
    made.tick(5)
    yield made
    made.history.close()
    made.world.site.ledger.close()


def remember(seen, folder):
    """Real history, looked at after every tick."""
    files = Files(folder / "history", {"rigs": 1, "rolled": 1, "site": 1})
    clock = lambda: UNIX_S + seen.world.now_s  # noqa: E731
    seen.people.past.telemetry = history = History(seen.world.site, files, 10.0, clock)
    look = seen.people.look

    def both(now_s):
        look(now_s)
        history.look(now_s)

    seen.people.look = both
    return history


def past(seen, rig, at_s):
    return asyncio.run(seen.people.past.why(rig, at_s))


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
            assert chain(past(seen, rig, at_s + 0.5).lines) == then, (at_s, rig)


def test_the_past_of_rigs_dealt_another_epoch_since(seen):
    seen.tick(60)
    at_s, epoch = UNIX_S + seen.world.now_s, seen.world.site.dispatcher.line.epoch
    before = chain(seen.people.why("r1").lines)
    assert f"(epoch {epoch})" in before[2]
    seen.world.site.ledger.forget_ladders()
    followed(seen)
    seen.tick(60)
    assert seen.world.site.dispatcher.line.epoch > epoch
    assert chain(past(seen, "r1", at_s).lines) == before
    seen.people.past._archive._db.execute("DELETE FROM ladders")
    assert f"ladder: those of epoch {epoch} are no longer kept" in past(seen, "r1", at_s).lines


def test_it_survives_a_kill(seen):
    seen.tick(20)
    at_s, before = UNIX_S + seen.world.now_s, seen.people.why("r0").lines
    followed(seen)
    lines = past(seen, "r0", at_s).lines
    assert chain(lines) == chain(before)
    assert "rig said: nothing that is kept of that time" in lines


def test_what_the_rig_said_and_reported(seen):
    seen.world.inbox.put_rig("r0", "event", small.event(1, "fan", "fan 2 stands still"))
    seen.tick(20)
    lines = past(seen, "r0", UNIX_S + seen.world.now_s).lines
    assert any("fan: fan 2 stands still" in line for line in lines)
    assert any(line.startswith("rig said by ") and line.endswith("30 °C") for line in lines)
    early = past(seen, "r0", UNIX_S + 1.0)
    assert early is None or not any("fan" in line for line in early.lines)


def test_others_who_spoke_then(seen):
    now_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(Entry("csv", ((0.0, 2_000),), heard_s=now_s, because="the plan"))
    seen.tick(3)
    at_s = UNIX_S + seen.world.now_s
    seen.world.inbox.put_signal(Entry("csv", ((0.0, 9_000),), heard_s=at_s, because="changed"))
    seen.tick(3)
    then, later = past(seen, "", at_s).lines, past(seen, "", at_s + 3).lines
    assert "signal: csv allows 2.00 kW (the plan)" in then
    assert "also said: test allows 7.00 kW (its schedule)" in then
    assert "also said: csv allows 9.00 kW (changed)" in later


def test_a_time_without_a_decision_is_told_as_one(seen):
    (line,) = past(seen, "", UNIX_S - 9e6).lines
    assert "no decision is on record, nothing before it" in line
    seen.world.now_s += 3600
    (line,) = past(seen, "", UNIX_S + seen.world.now_s).lines
    assert "no decision is on record, the last 1 h 00 m before" in line


def test_a_rig_nobody_heard_of_then(seen):
    assert past(seen, "nobody", UNIX_S + seen.world.now_s) is None


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
    archive.put(1, b"x")
    assert archive.get(1) == b"x" and archive.get(2) is None
    archive.close()


def test_the_oldest_goes(tmp_path):
    archive = Archive(tmp_path / "archive.db", bytes_max=10_000)
    for epoch in range(1, 101):
        archive.put(epoch, bytes(1000))
    assert archive.get(100) is not None and archive.get(95) is not None and archive.get(50) is None
    assert archive._one("SELECT SUM(size) FROM ladders") <= 11_000
    archive.close()


def test_an_archive_that_cannot_be_written_costs_the_past_only(tmp_path):
    archive = Archive(tmp_path / "archive.db")
    archive._db.execute("PRAGMA query_only = 1")
    archive.put(1, b"x")
    assert archive.get(1) is None
    archive.close()


def test_admitted_as_told_is_admitted_as_held(seen):
    held = admit(seen.world.site.dispatcher.line.ladder(0), seen.world.site.decision.admit_w)
    told = past(seen, "r0", UNIX_S + seen.world.now_s).lines
    assert any(line.startswith(f"admitted: level {held.level}") for line in told)


# ---- telemetry


def test_telemetry_of_a_rig_and_of_the_site(seen):
    seen.tick(30)
    now_s = UNIX_S + seen.world.now_s
    rig = asyncio.run(seen.people.past.rig("r0", now_s - 25, now_s + 1, False)).columns
    assert len(rig["at_s"]) == 3 and set(rig["power_w"]) == {10.0} and "rig" not in rig
    site = asyncio.run(seen.people.past.site(now_s - 9, now_s + 1)).columns
    assert len(site["at_s"]) == 10 and set(site["metered_w"]) == {None}
    assert set(site["limit_w"]) == {7_000.0}


def test_a_long_time_is_thinned():
    columns = {"at_s": np.arange(12_000.0), "rig": np.array(["r"] * 12_000)}
    told = view(columns).columns["at_s"]
    assert len(told) == 4_000 and told[:2] == [0.0, 3.0]


def test_nobody_keeps_any(seen):
    seen.people.past.telemetry = None
    assert asyncio.run(seen.people.past.rig("r0", 0, 1, False)).columns == {}
    assert asyncio.run(seen.people.past.site(0, 1)).columns == {}
