"""One finding: what was looked at, how it is, and how to mend it."""

from collections.abc import Callable

import msgspec

GOOD, UNSURE, WRONG = "good", "unsure", "wrong"


class Finding(msgspec.Struct, frozen=True):
    """name is put in by whoever asked for the check."""

    verdict: str
    found: str
    mend: str = ""
    name: str = ""


def good(found: str) -> Finding:
    return Finding(GOOD, found)


def unsure(found: str, mend: str = "") -> Finding:
    return Finding(UNSURE, found, mend)


def wrong(found: str, mend: str) -> Finding:
    return Finding(WRONG, found, mend)


def judged(name: str, check: Callable[[], Finding]) -> Finding:
    """A check that fails is a finding of its own and ends no other."""
    try:
        finding = check()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        finding = unsure(f"could not be looked at: {reason}", "run it as the supervisor's user")
    return msgspec.structs.replace(finding, name=name)
