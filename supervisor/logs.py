"""How the supervisor writes its log: one line an event, key=value or JSON, and never a secret."""

import json
import logging
import re
import time

from supervisor.tokens import SHAPE

# tokens of the API, keys in hex, passwords in an address
_SECRETS = re.compile(
    rf"{SHAPE.pattern}|\b[0-9a-f]{{64}}\b|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)", re.ASCII
)
HIDDEN = "***"


def set_up(level: int, as_json: bool) -> None:
    """For the whole process, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json))
    logging.basicConfig(level=level, handlers=[handler], force=True)


class Lines(logging.Formatter):
    """at=2026-12-01T14:03:20.123Z level=warning from=supervisor.link text="..." """

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        values = {
            "at": _stamp(record.created),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            values["trace"] = without_secrets(self.formatException(record.exc_info))
        if self._as_json:
            return json.dumps(values, ensure_ascii=False)
        return " ".join(f"{key}={_quoted(value)}" for key, value in values.items())


def without_secrets(text: str) -> str:
    return _SECRETS.sub(HIDDEN, text)


def _stamp(at_s: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s))
    return f"{whole}.{int(at_s * 1000) % 1000:03d}Z"


def _quoted(value: str) -> str:
    """One line, whatever is in it."""
    if re.fullmatch(r"[\w.:/+-]+", value):
        return value
    return json.dumps(value, ensure_ascii=False)
