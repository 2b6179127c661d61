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


def hello(nonce: str, facts, plant, chips: int, version: str) -> bytes:
    """Who we are and what we can; nonce asks to be joined."""
    points = plant.points
    climb_ms = (points[-1].khz - points[0].khz) * 100 // facts.UP_KHZ
    rise_w = points[-1].watts - points[0].watts
    return messages.encode(
        "hello",
        {
            "nonce": nonce,
            "model": facts.MODEL,
            "firmware": version,
            "boards": len(facts.BOARDS),
            "chips": chips,
            "floor_w": facts.FLOOR_W,
            "points": [[point.watts, point.ghs] for point in points],
            "wake_ms": facts.WAKE_MS,
            "up_w_per_s": max(1, rise_w * 1000 // climb_ms),
        },
    )


def state(values: dict) -> bytes:
    """values as in the contract; what is out of range is shown at the end of its range."""
    clamped = {}
    for name, field in messages.STATE.items():
        if name in values:
            value = values[name]
            if field.kind == messages.INT:
                value = max(field.low, min(field.high, int(value)))
            clamped[name] = value
    clamped["why"] = ascii_only(clamped["why"])[:WHY_MAX]
    return messages.encode("state", clamped)


def ascii_only(text: str) -> str:
    """What every terminal can show."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)
