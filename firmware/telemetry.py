"""What the rig says of itself: hello, state, and events kept until they are on record.

Builds messages from plain values; sends nothing.
"""

from protocols import messages

EVENTS_KEPT = 32
TEXT_MAX, WHY_MAX = messages.EVENT["text"].high, messages.STATE["why"].high


class Events:
    """The last events, numbered from 1; forgotten once the supervisor has them on record."""

    def __init__(self) -> None:
        self.newest = 0
        self._kept: list[tuple[int, bytes]] = []  # (number, message body)

    def add(self, code: str, text: str, up_ms: int) -> bytes:
        """The body to publish now, and again until record() covers it."""
        self.newest += 1
        values = {"event": self.newest, "up_ms": up_ms, "code": code, "text": text[:TEXT_MAX]}
        body = messages.encode("event", values)
        self._kept = (self._kept + [(self.newest, body)])[-EVENTS_KEPT:]
        return body

    def record(self, number: int) -> None:
        """Events up to this number are on record."""
        self._kept = [kept for kept in self._kept if kept[0] > number]

    def kept(self) -> list[bytes]:
        return [body for _, body in self._kept]


def hello(nonce: str, identity: dict) -> bytes:
    """Who we are and what we can, as report.identity() says it; nonce asks to be joined."""
    values = dict(identity)
    values["nonce"] = nonce
    return messages.encode("hello", values)


def state(values: dict) -> bytes:
    """values as report.state() says them."""
    return messages.encode("state", clamped(values))


def clamped(values: dict) -> dict:
    """values as in the contract; what is out of range is shown at the end of its range."""
    shown = {}
    for name, field in messages.STATE.items():
        if name in values:
            value = values[name]
            if field.kind == messages.INT:
                value = max(field.low, min(field.high, int(value)))
            shown[name] = value
    shown["why"] = ascii_only(shown["why"])[:WHY_MAX]
    return shown


def ascii_only(text: str) -> str:
    """What every terminal can show."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)
