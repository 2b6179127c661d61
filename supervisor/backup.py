"""A site's state in one file, taken while the site runs, and put back.

A tar with a manifest: every file's SHA-256.  The ledger is copied by SQLite itself, so it is
of one moment.  It holds the site's key: whoever has the file commands the site.
"""

import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing
from pathlib import Path, PurePosixPath

import msgspec

from supervisor.ledger import Ledger, LedgerError

VERSION = 1
MANIFEST = "manifest.json"
LEDGER = "ledger.db"
# of the running supervisor, or not worth a copy; of folders only what is named below comes along
LEFT_OUT = ("lock", "api.json", "archive.db")
BROKER = "broker*/place.json"  # of each server, the port in its rigs' settings
MANIFEST_MAX = 64 << 20
PIECE = 1 << 20


class BackupError(Exception):
    """It cannot be made or put back; the text says why, and that nothing was changed."""


class Manifest(msgspec.Struct, frozen=True):
    version: int
    made_s: float  # Unix seconds
    files: dict[str, str]  # by name, SHA-256 in hex


def save(state_dir: Path, path: Path, history: bool = False) -> Manifest:
    """Copy a state directory into a new file.  Raises BackupError."""
    if not (state_dir / LEDGER).is_file():
        raise BackupError(f"{state_dir}: no ledger.db there; --state names the site's state")
    part = path.with_name(path.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=path.absolute().parent) as folder:
            copy = Path(folder) / LEDGER
            _copy_ledger(state_dir / LEDGER, copy)
            sources = {LEDGER: copy} | _sources(state_dir, history)
            made = Manifest(VERSION, time.time(), {n: _sum(p) for n, p in sources.items()})
            part.touch(mode=0o600)
            with tarfile.open(part, "w") as tar:
                _add(tar, MANIFEST, msgspec.json.encode(made))
                for name, source in sources.items():
                    tar.add(source, name, recursive=False)
        _sync(part)
        part.replace(path)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        part.unlink(missing_ok=True)
        raise BackupError(f"{path}: the backup was not made: {error}") from None
    return made


def _copy_ledger(source: Path, copy: Path) -> None:
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=10)) as live,
        closing(sqlite3.connect(copy)) as ours,
    ):
        live.backup(ours)
        ours.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        if ours.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the ledger is damaged; an older backup may not be")


def _sources(state_dir: Path, history: bool) -> dict[str, Path]:
    """Every other file that belongs in a backup, by its name there."""
    found = {
        path.name: path
        for path in sorted(state_dir.iterdir())
        if path.is_file()
        and path.name not in LEFT_OUT
        and not path.name.startswith(LEDGER)
        and path.suffix not in (".part", ".new")
        and not path.name.endswith(("-wal", "-shm"))
    }
    places = sorted(state_dir.glob(BROKER))
    found |= {path.relative_to(state_dir).as_posix(): path for path in places}
    if history:
        files = sorted((state_dir / "history").rglob("*.parquet"))
        found |= {path.relative_to(state_dir).as_posix(): path for path in files}
    return found


def restore(path: Path, state_dir: Path) -> Manifest:
    """Make a state directory of a backup; only where there is none.  Raises BackupError.

    The ladders are left out: rigs may run on newer ones, so they are dealt anew, and rigs
    sleep one lease.
    """
    if state_dir.exists() and any(state_dir.iterdir()):
        raise BackupError(f"{state_dir}: is not empty; move it away, or name another with --state")
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{state_dir.name}-", dir=state_dir.absolute().parent))
    try:
        made = _unpack(path, draft)
        ledger = Ledger(draft / LEDGER)
        ledger.forget_ladders()
        ledger.write("restored", {"made_s": made.made_s}, why=f"from the backup {path.name}")
        ledger.close()
        if state_dir.exists():
            state_dir.rmdir()
        draft.rename(state_dir)
    except (OSError, ValueError, tarfile.TarError, msgspec.MsgspecError, LedgerError) as error:
        raise BackupError(f"{path}: cannot be restored: {error}; nothing was changed") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _unpack(path: Path, draft: Path) -> Manifest:
    """Every file of the manifest, its sum compared.  Raises BackupError for any other tar."""
    with tarfile.open(path, "r:") as tar:
        first = tar.next()
        head = tar.extractfile(first) if first and first.name == MANIFEST else None
        if head is None:
            raise BackupError(f"{path}: no backup of a site; {MANIFEST} should come first")
        made = msgspec.json.decode(head.read(MANIFEST_MAX), type=Manifest)
        if made.version != VERSION:
            raise BackupError(f"{path}: made by a newer surplus (version {made.version})")
        if wrong := [name for name in made.files if not _inside(name)]:
            raise BackupError(f"{path}: names a file outside the state directory: {wrong[0]}")
        for name, expected in made.files.items():
            _extract(tar, name, draft / name)
            if _sum(draft / name) != expected:
                raise BackupError(f"{path}: {name} is not as it was saved; use another backup")
    if LEDGER not in made.files:
        raise BackupError(f"{path}: holds no ledger")
    return made


def _extract(tar: tarfile.TarFile, name: str, target: Path) -> None:
    try:
        source = tar.extractfile(name)
    except KeyError:
        source = None
    if source is None:
        raise BackupError(f"{name} is missing; use another backup")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(source, out)


def _inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts


def _sum(path: Path) -> str:
    summed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            summed.update(piece)
    return summed.hexdigest()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
    tar.addfile(member, io.BytesIO(data))


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
