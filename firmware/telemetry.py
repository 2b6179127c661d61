"""What the rig says of itself: hello and state.

Builds messages from plain values; sends nothing.
"""

from protocols import messages

WHY_MAX = messages.STATE["why"].high


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
