"""What a leader tells its standby over the broker, so that it could go on at any moment.

Every beat the rows it has put on record; when asked, all that the next leader must know,
the ladders too.  Sealed with a key only supervisors hold, numbered, in parts that fit any
broker.  Bytes and values only, no I/O.
"""

import base64
import hashlib
import zlib
from typing import Any

import msgspec

from protocols import mac
from supervisor.ledger import Draft
from supervisor.tokens import Token

PART = 30_000  # bytes of a part before base64; the embedded broker passes 65,536
SIZE_MAX = 64 << 20  # of a whole piece of news, unpacked
LAG = 5  # seq: news this much older than the last budget is old; a newcomer's ladder waits longer


class ReplicaError(ValueError):
    """Not news of a leader, or not all of it."""


class News(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """seq: of the last budget.  ladders_id: of the ladders in force; they come when asked for.
    tokens: of the API, as they are kept; when asked for, and when they have changed."""

    term: int
    seq: int
    ladders_id: str
    rows: list[Draft]
    answer: str = ""  # to whose question; then rows are all that must be known
    ladders: tuple[int, bytes] | None = None
    tokens: list[Token] | None = None


class _Frame(msgspec.Struct, frozen=True, kw_only=True):
    term: int
    number: int
    part: int
    parts: int
    data: str
    said_s: float = 0.0  # by the clock of who speaks


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """What a follower says again and again.  at_s: Unix seconds.  ready: its record is whole.
    nonce: it asks for all that must be known, and the answer will carry this; "": it does not."""

    rank: int
    at_s: float
    ready: bool
    nonce: str = ""


def key_of(site_key: bytes) -> bytes:
    """Rigs do not hold it."""
    return mac.hmac_sha256(site_key, b"standby")


def id_of(ladders: tuple[int, bytes] | None) -> str:
    """Tells ladders apart; "" for none."""
    return hashlib.sha256(ladders[1]).hexdigest()[:16] if ladders else ""


def seal(key: bytes, topic: str, value: msgspec.Struct) -> bytes:
    return mac.seal(key, topic, msgspec.json.encode(value))


def here(key: bytes, topic: str, payload: bytes) -> Here:
    """A follower's word.  Raises ReplicaError."""
    said: Here = _opened(key, topic, payload, Here)
    return said


def _opened(key: bytes, topic: str, payload: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(mac.unseal(key, topic, payload), type=kind)
    except (mac.SealError, msgspec.MsgspecError) as error:
        raise ReplicaError(str(error)) from None


class Teller:
    """The leader's end."""

    def __init__(self, key: bytes, topic: str, term: int) -> None:
        self._key, self._topic, self._term, self._number = key, topic, term, 0

    def skip(self) -> None:
        """Something is not told: whoever listens must notice."""
        self._number += 1

    def tell(self, news: News, now_s: float) -> list[bytes]:
        """Sealed parts, to be published now and in this order."""
        packed = zlib.compress(msgspec.json.encode(news), 1)
        self._number += 1
        cuts = range(0, len(packed), PART)
        return [
            seal(
                self._key,
                self._topic,
                _Frame(
                    term=self._term,
                    number=self._number,
                    part=part,
                    parts=len(cuts),
                    data=base64.b64encode(packed[at : at + PART]).decode(),
                    said_s=now_s,
                ),
            )
            for part, at in enumerate(cuts)
        ]


class Listener:
    """The standby's end.  whole: nothing was missed since a question was last answered.
    said_s: when the last part was said, by the clock of who spoke."""

    def __init__(self, key: bytes, topic: str) -> None:
        self._key, self._topic = key, topic
        self._place, self._parts, self._done = (0, 0), list[str](), True
        self.whole, self.said_s = False, 0.0

    @property
    def term(self) -> int:
        """Of who spoke last."""
        return self._place[0]

    def hear(self, payload: bytes) -> News | None:
        """News that is complete now.  Raises ReplicaError for what is no leader's, or a replay."""
        frame: _Frame = _opened(self._key, self._topic, payload, _Frame)
        place = (frame.term, frame.number)
        if frame.part == 0:
            if place <= self._place:
                raise ReplicaError("passed already")
            self.whole &= self._done and place == (self._place[0], self._place[1] + 1)
            self._place, self._parts = place, []
        elif place != self._place or frame.part != len(self._parts):
            self.whole = False
            raise ReplicaError("a part is missing")
        self._parts.append(frame.data)
        self.said_s = frame.said_s
        self._done = len(self._parts) == frame.parts
        return _news(self._parts) if self._done else None


def _news(parts: list[str]) -> News:
    try:
        packed = b"".join(base64.b64decode(part) for part in parts)
        unpacking = zlib.decompressobj()
        return msgspec.json.decode(unpacking.decompress(packed, SIZE_MAX), type=News)
    except (ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise ReplicaError(str(error)) from None
