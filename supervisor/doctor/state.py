"""Checks of the state directory: whose it is, who can read what is secret, the ledger."""

import os
from pathlib import Path

from supervisor import keys
from supervisor.config import Config
from supervisor.doctor.finding import Finding, good, unsure, wrong
from supervisor.doctor.machine import since
from supervisor.ledger import Ledger, LedgerError

SECRETS = ("site.key", "api.token", "tokens.json")


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
    if (config.state_dir / "site.key").exists():
        try:
            keys.site_key(config.state_dir)
        except keys.SecretError as error:
            return wrong(str(error), "restore it from a backup: without it no rig obeys")
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
