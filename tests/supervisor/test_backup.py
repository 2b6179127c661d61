"""A site's state in a file and back again: whole, or refused with nothing changed."""

import io
import json
import sqlite3
import tarfile

import pytest
from typer.testing import CliRunner

from supervisor import backup, cli
from supervisor.backup import BackupError, restore, save
from supervisor.ledger import Ledger

KEY = bytes(range(32))


@pytest.fixture
def state(tmp_path):
    """A state directory with a supervisor on it."""
    state = tmp_path / "state"
    state.mkdir()
    ledger = Ledger(state / "ledger.db")
    ledger.write("decision", {"seq": 1})
    ledger.put_ladders(3, b"dealt")
    ledger.commit()
    (state / "site.key").write_bytes(KEY)
    (state / "tokens.json").write_text("{}")
    (state / "lock").touch()
    (state / "api.json").write_text("{}")
    for name in ("broker", "broker-2", "history/rigs/2026-11-25"):
        (state / name).mkdir(parents=True)
    (state / "broker" / "place.json").write_text('{"port": 1883}')
    (state / "broker-2" / "place.json").write_text('{"port": 1884}')
    (state / "broker" / "nats.log").write_text("long")
    (state / "history/rigs/2026-11-25/0000.parquet").write_bytes(b"columns")
    yield state
    ledger.close()


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_was_saved_while_the_site_ran_is_put_back(state, tmp_path):
    save(state, tmp_path / "site.tar")
    assert (tmp_path / "site.tar").stat().st_mode & 0o077 == 0
    restore(tmp_path / "site.tar", tmp_path / "again")
    assert names(tmp_path / "again") == {
        "ledger.db",
        "site.key",
        "tokens.json",
        "broker/place.json",
        "broker-2/place.json",
    }
    assert (tmp_path / "again" / "site.key").read_bytes() == KEY
    assert all(
        (tmp_path / "again" / name).stat().st_mode & 0o077 == 0
        for name in names(tmp_path / "again")
    )
    ledger = Ledger(tmp_path / "again" / "ledger.db")
    assert [row.kind for row in ledger.read()] == ["decision", "restored"]
    assert ledger.ladders() is None, "rigs may run on newer ones"
    ledger.close()


def test_history_comes_along_when_asked_for(state, tmp_path):
    save(state, tmp_path / "site.tar", history=True)
    restore(tmp_path / "site.tar", tmp_path / "again")
    kept = tmp_path / "again" / "history/rigs/2026-11-25/0000.parquet"
    assert kept.read_bytes() == b"columns"


def test_a_state_that_is_there_is_not_overwritten(state, tmp_path):
    save(state, tmp_path / "site.tar")
    before = names(state)
    with pytest.raises(BackupError, match="is not empty"):
        restore(tmp_path / "site.tar", state)
    assert names(state) == before


def test_no_state_no_backup(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackupError, match="no ledger"):
        save(tmp_path / "empty", tmp_path / "site.tar")
    assert not (tmp_path / "site.tar").exists()


def test_a_damaged_ledger_makes_no_backup(state, tmp_path):
    sqlite3.connect(state / "ledger.db").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = (state / "ledger.db").read_bytes()
    (state / "ledger.db").write_bytes(b"x" * 50 + raw[50:])
    with pytest.raises(BackupError, match="was not made"):
        save(state, tmp_path / "site.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize("at", [600, 3000, 20_000, -2000])
def test_a_backup_that_has_changed_is_refused_and_nothing_is_made(state, tmp_path, at):
    save(state, tmp_path / "site.tar")
    raw = bytearray((tmp_path / "site.tar").read_bytes())
    raw[at] ^= 0xFF
    (tmp_path / "site.tar").write_bytes(raw)
    try:
        restore(tmp_path / "site.tar", tmp_path / "again")
    except BackupError:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["site.tar", "state"]
    else:  # padding, which says nothing
        ledger = Ledger(tmp_path / "again" / "ledger.db")
        assert ledger.last("decision").body == {"seq": 1}
        ledger.close()


def test_a_key_with_one_bit_turned_is_no_key(state, tmp_path):
    save(state, tmp_path / "site.tar")
    raw = bytearray((tmp_path / "site.tar").read_bytes())
    raw[raw.index(KEY) + 5] ^= 1
    (tmp_path / "site.tar").write_bytes(raw)
    with pytest.raises(BackupError, match="key is not as it was saved"):
        restore(tmp_path / "site.tar", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def made_by_hand(path, files, manifest):
    with tarfile.open(path, "w") as tar:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("name", ["../site.key", "/etc/site.key", "history/../../x"])
def test_nothing_is_written_outside(tmp_path, name):
    manifest = {"version": 1, "made_s": 1.0, "files": {name: "0" * 64}}
    made_by_hand(tmp_path / "evil.tar", {name: b"x"}, manifest)
    with pytest.raises(BackupError, match="outside"):
        restore(tmp_path / "evil.tar", tmp_path / "a" / "again")
    assert names(tmp_path) == {"evil.tar"}


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"version": 2, "made_s": 1.0, "files": {}}, "newer"),
        ({"version": 1, "made_s": 1.0, "files": {}}, "no ledger"),
        ({"version": 1, "made_s": 1.0, "files": {"ledger.db": "0" * 64}}, "is missing"),
        ({"what": 1}, "cannot be restored"),
    ],
)
def test_other_tars_are_refused(tmp_path, manifest, said):
    made_by_hand(tmp_path / "other.tar", {}, manifest)
    with pytest.raises(BackupError, match=said):
        restore(tmp_path / "other.tar", tmp_path / "again")


def test_the_commands(state, tmp_path):
    run = CliRunner().invoke
    file, again = str(tmp_path / "site.tar"), str(tmp_path / "again")
    done = run(cli.build("backup"), ["backup", file, "--state", str(state), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["files"] == 5
    done = run(cli.build("restore"), ["restore", file, "--state", again])
    assert done.exit_code == 0 and "5 files" in done.stdout
    done = run(cli.build("restore"), ["restore", file, "--state", again])
    assert done.exit_code == 1 and "is not empty" in done.stderr
    assert backup.VERSION == 1
