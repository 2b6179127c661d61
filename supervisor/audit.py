"""What people did through the API, as rows of the ledger: who, what, when, with what result.

A request that changes something is on the disk, with its answer, before it is answered.
"""

from typing import Any

import msgspec

from supervisor.ledger import Ledger, Row
from supervisor.view import AuditView

KIND = "audit"
SECRET = ("token", "password", "secret", "key")  # fields whose value nobody may read later
RESULT_MAX = 200


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One request.  said: its body as sent; result: what it was told."""

    who: str
    role: str
    address: str
    what: str  # "POST /api/signal"
    said: Any
    status: int
    result: str


def record(ledger: Ledger, deed: Deed) -> None:
    """On the disk when this returns."""
    body = msgspec.to_builtins(deed) | {"said": without_secrets(deed.said)}
    ledger.write(KIND, body, deed.who, f"{deed.what}: {deed.status} {deed.result}")
    ledger.commit()


def newest(ledger: Ledger, limit: int, who: str = "") -> list[AuditView]:
    """The last deeds, newest first; of one person, when named."""
    rows = ledger.newest(limit if not who else 10 * limit, KIND)
    found = [_view(row) for row in rows[::-1] if not who or row.source == who]
    return found[:limit]


def without_secrets(said: Any) -> Any:
    if isinstance(said, dict):
        return {
            str(name): "***" if str(name).lower() in SECRET else without_secrets(value)
            for name, value in said.items()
        }
    if isinstance(said, list):
        return [without_secrets(each) for each in said]
    return said


def _view(row: Row) -> AuditView:
    return AuditView(
        at_s=row.at_s,
        who=row.source,
        role=str(row.body.get("role", "")),
        what=str(row.body.get("what", "")),
        said=row.body.get("said"),
        status=int(row.body.get("status", 0)),
        result=str(row.body.get("result", "")),
    )
