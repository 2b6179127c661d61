import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from supervisor import ledger as ledgers
from supervisor.ledger import EPOCHS_KEPT, Ledger, LedgerError


def test_what_is_written_is_read_back_in_order(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: 12.5)
    ledger.write("signal", {"w": 4_000_000}, source="mqtt", why="target 40 %")
    ledger.write("budget", {"seq": 1})
    ledger.write("signal", {"w": 0})
    ledger.commit()
    first, second, third = ledger.read()
    assert (first.id, first.at_s, first.kind, first.source, first.why, first.body) == (
        1,
        12.5,
        "signal",
        "mqtt",
        "target 40 %",
        {"w": 4_000_000},
    )
    assert ledger.read(after_id=1) == [second, third]
    assert ledger.read("signal") == [first, third] == ledger.newest(9, "signal")
    assert ledger.read(limit=2) == [first, second]
    assert ledger.newest(2) == [second, third]
    assert ledger.last("signal") == third and ledger.last("none") is None


def test_it_opens_again_with_all_it_had(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.write("a", {})
    ledger.close()
    again = Ledger(tmp_path / "ledger.db")
    again.write("b", {})
    again.commit()
    assert [(row.id, row.kind) for row in again.read()] == [(1, "a"), (2, "b")]


def test_a_reader_beside_the_writer_sees_committed_rows_only(tmp_path):
    writer = Ledger(tmp_path / "ledger.db")
    reader = Ledger(tmp_path / "ledger.db", readonly=True)
    writer.write("a", {})
    assert reader.read() == []
    writer.commit()
    assert [row.kind for row in reader.read()] == ["a"]
    with pytest.raises(LedgerError, match="readonly"):
        reader.write("b", {})


@pytest.mark.parametrize("change", ["UPDATE ledger SET why = 'x'", "DELETE FROM ledger"])
def test_no_row_can_be_changed(tmp_path, change):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.write("a", {})
    ledger.commit()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        sqlite3.connect(tmp_path / "ledger.db").execute(change)


def test_the_newest_ladders_are_kept(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.ladders() is None
    for epoch in range(1, 9):
        ledger.put_ladders(epoch, b"%d" % epoch)
    ledger.put_ladders(8, b"again")
    ledger.commit()
    again = Ledger(tmp_path / "ledger.db")
    assert again.ladders() == (8, b"again")
    kept = sqlite3.connect(tmp_path / "ledger.db").execute("SELECT epoch FROM ladders").fetchall()
    assert [row[0] for row in kept] == list(range(9 - EPOCHS_KEPT, 9))


WRITER = """
import sys
from supervisor import ledger as ledgers
from supervisor.ledger import Ledger
ledger = Ledger(sys.argv[1])
for tick in range(1_000_000):
    for part in range(5):
        ledger.write("tick", {"tick": tick, "part": part})
    ledger.put_ladders(tick, b"%d" % tick)
    ledger.commit()
    print(tick, flush=True)
"""


@pytest.mark.real_time
def test_a_killed_writer_leaves_every_committed_tick_whole(tmp_path):
    path = tmp_path / "ledger.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
    told = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    ledger = Ledger(path)
    rows = [(row.body["tick"], row.body["part"]) for row in ledger.read(limit=10**6)]
    ticks = len(rows) // 5
    assert rows == [(tick, part) for tick in range(ticks) for part in range(5)]
    assert ticks > told[-1], "a tick that was told as committed is gone"
    assert ledger.ladders() == (ticks - 1, b"%d" % (ticks - 1))


def damage_the_header(path):
    path.write_bytes(b"not a ledger at all" * 100)


def damage_a_page(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(2 * 4096))


@pytest.mark.parametrize("damage", [damage_the_header, damage_a_page])
def test_a_damaged_ledger_is_kept_aside_and_named(tmp_path, damage):
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    for number in range(100):
        ledger.write("a", {"number": number})
    ledger.close()
    damage(path)
    broken = path.read_bytes()
    with pytest.raises(LedgerError, match=r"ledger.db: the ledger is damaged .*kept as ledger"):
        Ledger(path)
    (kept,) = tmp_path.glob("ledger.db.damaged-*[0-9]")
    assert kept.read_bytes() == broken
    assert Ledger(path).read() == []


def test_a_newer_ledger_is_left_alone(tmp_path):
    Ledger(tmp_path / "ledger.db").close()
    sqlite3.connect(tmp_path / "ledger.db").execute("PRAGMA user_version = 9")
    with pytest.raises(LedgerError, match=r"made by a newer surplus \(version 9\)"):
        Ledger(tmp_path / "ledger.db")
    assert (tmp_path / "ledger.db").exists()


def test_a_path_that_cannot_be_is_named(tmp_path):
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(LedgerError, match=r"ledger.db: unable to open"):
        Ledger(tmp_path / "ledger.db")
    with pytest.raises(LedgerError, match=r"none.db: unable to open"):
        Ledger(tmp_path / "none.db", readonly=True)


def test_old_beats_go_and_what_matters_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "NEWEST_KEPT", 5)
    clock = iter(range(1, 10_000))
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: float(next(clock)))
    ledger.write("audit", {"who": "operator"})
    ledger.write("signal", {"same": False, "schedule": []}, "grid")
    for _ in range(20):
        ledger.write("decision", {})
        ledger.write("signal", {"same": True, "schedule": []}, "grid")
    ledger.write("signal", {"same": True, "schedule": []}, "silent since")
    ledger.commit()
    for _ in range(9):
        ledger.write("learned", {})
    assert ledger.prune(10.0) == 8, "four of each by then"
    assert ledger.prune(10.0) == 0
    assert ledger.prune(1e9) == 16 + 4 + 15
    kinds = [row.kind for row in ledger.read()]
    assert kinds.count("decision") == 0 and kinds.count("learned") == 5
    assert kinds.count("audit") == 1
    standing = [(row.source, row.body["same"]) for row in ledger.read("signal")]
    assert standing == [("grid", False), ("grid", True), ("silent since", True)]
    with pytest.raises(sqlite3.IntegrityError):
        ledger._db.execute("DELETE FROM ledger")


def test_pruning_is_a_little_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "NEWEST_KEPT", 0)
    monkeypatch.setattr(ledgers, "PRUNE_MAX", 7)
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: 1.0)
    for _ in range(20):
        ledger.write("decision", {})
    assert [ledger.prune(2.0) for _ in range(4)] == [7, 7, 6, 0]
