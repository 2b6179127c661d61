"""What the next supervisor must know to take over: ladders dealt, term, signals, position.

The ladders go as one compressed blob beside the ledger; the rest are ledger rows.
"""

import io
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from protocols.ladder import Step
from supervisor.envelope import EMERGENCY, Entry
from supervisor.fleet import Facts, Fleet
from supervisor.leases import OFF_SLACK_S
from supervisor.ledger import Draft, Ledger, Row
from supervisor.line import Line
from supervisor.loss import FOREVER, Loss

DECISIONS = 30  # more than a lease of them, unless signals come in a flood
DECISIONS_MAX = 20_000  # looked at for positions still on lease when a supervisor is followed

_COLUMNS = ("rig", "from_level", "level", "start_w", "end_w", "wakes")
_FACTS = ("floor_w", "top_level", "wake_s", "up_w_per_s", "group")


def pack(fleet: Fleet, line: Line) -> bytes:
    """All rigs with their facts, and whose each step is.

    Narrow columns and the quickest compression: the beat waits for this.
    """
    out = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(line, name) for name in _COLUMNS}
    arrays |= {"of_" + name: getattr(fleet, name) for name in _FACTS}
    arrays |= {"watts": fleet.points.watts, "ghs": fleet.points.ghs}
    arrays = {name: narrow(column) for name, column in arrays.items()}
    np.savez(out, **arrays, names=np.array(fleet.names), models=np.array(fleet.models))
    return zlib.compress(out.getvalue(), 1)


def narrow(column: Any) -> Any:
    """The same whole numbers in as few bytes as hold them."""
    if column.dtype != np.int64 or not column.size:
        return column
    return column.astype(np.promote_types(*map(np.min_scalar_type, (column.min(), column.max()))))


def _opened(blob: bytes) -> dict[str, Any]:
    """All columns; each look into the file itself would unpack it anew."""
    raw = blob if blob.startswith(b"PK") else zlib.decompress(blob)  # PK: written before 0.2
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def unpack(epoch: int, blob: bytes) -> tuple[Fleet, Line]:
    """The fleet and line of a blob.  Every rig on the line is counted: it may be running."""
    kept = _opened(blob)
    wide = {name: kept[name].astype(np.int64) for name in _COLUMNS if name != "wakes"}
    line = Line(epoch, *(wide.get(name, kept[name]) for name in _COLUMNS))
    fleet, levels = Fleet(), kept["watts"].shape[1] - 1
    fleet.put_many(kept["names"].tolist(), Facts("", 0, ((0, 0),) * levels, 0.0, 1.0))
    fleet.models[:] = kept["models"].tolist()
    for name in _FACTS:
        getattr(fleet, name)[:] = kept["of_" + name]
    fleet.cap_level[:] = fleet.top_level
    fleet.points.watts[:], fleet.points.ghs[:] = kept["watts"], kept["ghs"]
    return fleet, line


def ladder_of(blob: bytes, rig: str) -> tuple[Step, ...] | None:
    """One rig's steps in a blob; None when it was not there."""
    kept = _opened(blob)
    rows = np.flatnonzero(kept["names"] == rig)
    if not len(rows):
        return None
    mine = kept["rig"] == rows[0]
    columns = (kept[name][mine].tolist() for name in ("level", "start_w", "end_w"))
    return tuple(Step(*step) for step in zip(*columns, strict=True))


def entry_body(entry: Entry) -> dict[str, Any]:
    """A signal as a ledger row's body; no end is None."""
    loss = {name: _finite(value) for name, value in asdict(entry.loss).items()}
    return {
        "schedule": [list(row) for row in entry.schedule],
        "until_s": _finite(entry.until_s),
        "heard_s": entry.heard_s,
        "loss": loss,
        "default_w": entry.default_w,
        "seq": entry.seq,
        "kind": entry.kind,
        "bound": entry.bound,
        "up_w_per_s": entry.up_w_per_s,
    }


def entry_of(row: Row) -> Entry:
    """The signal of a ledger row."""
    body = row.body
    return Entry(
        row.source,
        tuple((float(at_s), int(w)) for at_s, w in body["schedule"]),
        _or_forever(body["until_s"]),
        body["heard_s"],
        _loss(body),
        body["default_w"],
        body["seq"],
        row.why,
        body.get("kind") or (EMERGENCY if body.get("emergency") else "limit"),  # 0.1 had no kinds
        body.get("bound", False),
        body.get("up_w_per_s"),
    )


def _loss(body: dict[str, Any]) -> Loss:
    kept = body.get("loss")
    if kept is None:  # a row of version 0.1
        return Loss(after_s=_or_forever(body["silence_s"]))
    return Loss(**(kept | {"after_s": _or_forever(kept["after_s"])}))


def _finite(value: Any) -> Any:
    return None if value == FOREVER else value


def _or_forever(value: float | None) -> float:
    return FOREVER if value is None else value


def standing_excuses(ledger: Ledger) -> dict[str, float]:
    """Whose default does not count, and until when in Unix seconds."""
    return {row.source: float(row.body["until_s"]) for row in ledger.last_by_source("excuse")}


def standing_entries(ledger: Ledger) -> dict[str, Entry]:
    """The newest word of every source, unless it was withdrawn."""
    rows = ledger.last_by_source("signal")
    return {row.source: entry_of(row) for row in rows if row.body.get("schedule") is not None}


def standing_rows(ledger: Ledger) -> list[Draft]:
    """All rows the next supervisor reads when it takes over."""
    signals = [row for row in ledger.last_by_source("signal") if row.body.get("schedule")]
    last = [row for kind in ("term", "learned") if (row := ledger.last(kind))]
    people = [row for kind in ("hold", "alarm", "silence") for row in ledger.last_by_source(kind)]
    rows = [*last, *signals, *people, *ledger.newest(DECISIONS, "decision")]
    return [Draft(row.kind, row.source, row.why, row.body) for row in rows]


def next_term(ledger: Ledger, site: str, unix_s: float) -> int:
    """A new leadership, on the disk before its first word.

    Never below the clock, so that rigs go on obeying when a ledger was lost.
    """
    last = ledger.last("term")
    term = max(1 + (last.body["term"] if last else 0), int(unix_s))
    ledger.write("term", {"term": term, "site": site}, why="this supervisor took over")
    ledger.commit()
    return term


def on_lease(ledger: Ledger, lease_s: float) -> list[Row]:
    """The last decision, and all before it that a rig may still run on."""
    rows = ledger.newest(min(DECISIONS_MAX, int(lease_s * 25)), "decision")

    def may_hold(row: Row) -> bool:
        last = rows[-1]
        if row.body["term"] == last.body["term"]:  # by its own clock: the wall's may have jumped
            return bool(last.body["at_s"] - row.body["at_s"] <= lease_s + OFF_SLACK_S)
        return last.at_s - row.at_s <= lease_s + OFF_SLACK_S

    return [row for row in rows if may_hold(row)]
