"""Checks of the state directory: whose it is, its secrets, the ledger, what is damaged."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from supervisor import keys
from supervisor.config import Config
from supervisor.doctor.finding import Finding, good, unsure, wrong
from supervisor.doctor.machine import since
from supervisor.ledger import Ledger, LedgerError
from supervisor.tokens import TokenError, Tokens

STALE_S = 1800.0  # three files of telemetry
WHOLE: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("site.key", keys.site_key, "restore it from a backup: without it no rig obeys"),
    ("report.key", keys.report_key, "restore it: a new one signs what nobody can compare"),
    ("api.token", keys.api_token, "remove it: the next start makes a new one"),
    (
        "tokens.json",
        lambda state_dir: Tokens(state_dir / "tokens.json", "-"),
        "restore it from a backup, or remove it and make everybody's tokens anew",
    ),
)
SECRETS = tuple(name for name, _, _ in WHOLE)


def folder(state_dir: Path) -> Finding:
    if not state_dir.exists():
        return unsure(f"{state_dir} is not there yet", "the first start makes it")
    mode = state_dir.stat().st_mode & 0o777
    if mode & 0o077:
        return wrong(f"others may look into {state_dir} ({mode:o})", f"chmod 700 {state_dir}")
    if not os.access(state_dir, os.W_OK):
        return wrong(f"{state_dir} cannot be written by this user", "run it as the supervisor's")
    return good(f"{state_dir}, nobody else's")


def secrets(config: Config) -> Finding:
    """Every file with a secret in it: there, whole, and nobody else's."""
    paths = [config.state_dir / name for name in SECRETS]
    paths += [Path(path) for path in named(config)]
    there = [path for path in paths if path.exists()]
    for path in there:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            return wrong(f"others may read {path} ({mode:o})", f"chmod 600 {path}")
    for name, read, mend in WHOLE:
        if (config.state_dir / name).exists():
            try:
                read(config.state_dir)
            except (keys.SecretError, TokenError) as error:
                return wrong(str(error), mend)
    return good(f"{len(there)} files with secrets, nobody else may read them")


def named(config: Config) -> list[str]:
    """Files with secrets that the settings name."""
    mqtt = config.signal.mqtt
    files = [
        config.broker.password_file,
        mqtt.password_file if mqtt else None,
        config.alarms.webhook_token_file,
        config.alarms.smtp_password_file,
    ]
    return [file for file in files if file]


def ledger(state_dir: Path) -> Finding:
    path = state_dir / "ledger.db"
    if not path.exists():
        return unsure("there is no ledger yet", "the first start makes it")
    try:
        book = Ledger(path, readonly=True)
    except LedgerError as error:
        return wrong(str(error), "the next start begins a new one, or restore a backup")
    try:
        last = book.last("decision")
    finally:
        book.close()
    size_mb = sum(part.stat().st_size for part in state_dir.glob("ledger.db*")) / 1e6
    when = f"last decision {since(last.at_s)}" if last else "no decision yet"
    return good(f"reads well, {size_mb:.1f} MB, {when}")


def aside(state_dir: Path) -> Finding:
    """Files found damaged while the site ran, and kept under another name."""
    ledgers = sorted(state_dir.glob("ledger.db.damaged-*"))
    telemetry = sorted((state_dir / "history").rglob("*.damaged"))
    if ledgers:
        return unsure(
            f"a ledger was damaged and a new one begun: {ledgers[-1].name}",
            "look at the disk; sqlite3 FILE .recover may read it; move it away when that is done",
        )
    if telemetry:
        found = f"{len(telemetry)} files of telemetry were damaged, last {telemetry[-1].name}"
        return unsure(f"{found}: their ten minutes are missing", "look at the disk; remove them")
    return good("nothing was found damaged")


def history(state_dir: Path) -> Finding:
    """Telemetry: how much there is, and whether it still grows."""
    days = sorted((state_dir / "history").glob("site/????-??-??"))
    if not days:
        return unsure("no telemetry yet", "the first file is written within ten minutes")
    newest = max(path.stat().st_mtime for day in days[-2:] for path in (day, *day.iterdir()))
    size = sum(path.stat().st_size for path in (state_dir / "history").rglob("*.parquet"))
    found = f"{size / 1e9:.1f} GB since {days[0].name}, last written {since(newest)}"
    if time.time() - newest > STALE_S:
        return unsure(found, "if the supervisor runs: its log says why; a full or slow disk")
    return good(found)
