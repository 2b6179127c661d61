"""Tokens of the API: a name, a role and an end; kept only as hashes, shown only when made.

A token is 32 random bytes, so one round of SHA-256 hides it for good, and each request
can be checked without a pause (docs/decisions/, "tokens are kept as SHA-256").  The file is
replaced whole: a crash leaves the old one or the new one.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from supervisor.roles import ADMIN, ROLES

PREFIX = "surplus_"  # what a token begins with, so that it is known when it is found somewhere
SHAPE = re.compile(rf"{PREFIX}[\w-]{{43}}")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
LOCAL = "local"  # whoever can read the token file of this machine
TOKENS_MAX = 1000
DAY_S = 86_400.0
DAYS_MAX = 3660.0


class TokenError(ValueError):
    """Such a token cannot be made, or the file of all of them cannot be read: why."""


class Caller(NamedTuple):
    """Who asks."""

    name: str
    role: str


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of one.  until_s: Unix seconds; None: until it is revoked."""

    name: str
    role: str
    digest: str
    made_s: float
    until_s: float | None


class Tokens:
    """All tokens of a site.  local: the token of this machine's own admin."""

    def __init__(self, path: Path, local: str, clock: Callable[[], float] = time.time) -> None:
        assert local, "an empty token lets everybody in"
        self._path, self._clock = path, clock
        self._local = digest(local)
        self._by_digest = {token.digest: token for token in _read(path)}
        self.on_change: Callable[[], None] = lambda: None

    def caller(self, token: str) -> Caller | None:
        """Whose token this is; None when nobody's, or when its end has passed."""
        shown = digest(token)
        if secrets.compare_digest(shown, self._local):
            return Caller(LOCAL, ADMIN)
        found = self._by_digest.get(shown)
        if found is None or (found.until_s is not None and found.until_s <= self._clock()):
            return None
        return Caller(found.name, found.role)

    def add(self, name: str, role: str, days: float | None) -> str:
        """Make one; the token itself, which nobody can see again.  Raises TokenError."""
        if wrong := self._wrong(name, role, days):
            raise TokenError(wrong)
        token, now_s = PREFIX + secrets.token_urlsafe(32), self._clock()
        until_s = None if days is None else now_s + days * DAY_S
        kept = Token(name=name, role=role, digest=digest(token), made_s=now_s, until_s=until_s)
        self._keep([*self._by_digest.values(), kept])
        self.on_change()
        return token

    def revoke(self, name: str) -> bool:
        """It opens nothing from now on; whether there was one."""
        rest = [token for token in self._by_digest.values() if token.name != name]
        found = len(rest) < len(self._by_digest)
        if found:
            self._keep(rest)
            self.on_change()
        return found

    def take(self, tokens: list[Token]) -> None:
        """Those of the supervisor that leads, in place of our own."""
        if tokens != self.all():
            self._keep(tokens)

    def all(self) -> list[Token]:
        return sorted(self._by_digest.values(), key=lambda token: token.name)

    def _wrong(self, name: str, role: str, days: float | None) -> str:
        if not NAME.fullmatch(name) or name == LOCAL:
            return f"a name is 1 to 32 of a-z, 0-9, dot, _ and -, and not {LOCAL!r}: {name!r}"
        if role not in ROLES:
            return f"role {role!r} is none of {', '.join(ROLES)}"
        if days is not None and not 0 < days <= DAYS_MAX:
            return f"days is above 0 and at most {DAYS_MAX:.0f}, not {days:g}"
        if any(token.name == name for token in self._by_digest.values()):
            return f"there is a token {name!r}: revoke it first"
        if len(self._by_digest) >= TOKENS_MAX:
            return f"there are {TOKENS_MAX} tokens: revoke some first"
        return ""

    def _keep(self, tokens: list[Token]) -> None:
        part = self._path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(tokens), indent=1))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        self._by_digest = {token.digest: token for token in tokens}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> list[Token]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Token])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise TokenError(
            f"{path}: {error}; restore it, or remove it: then all tokens must be made again"
        ) from None
