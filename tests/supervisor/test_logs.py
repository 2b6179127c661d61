"""The log: one line an event, and never a secret."""

import json
import logging
import re

import pytest

from supervisor.logs import HIDDEN, Lines, without_secrets
from supervisor.tokens import PREFIX


def line(text, *values, as_json=False, error=None, level=logging.WARNING):
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("supervisor.link", level, "x.py", 1, text, values, info)
    return Lines(as_json).format(record)


def test_a_line_is_keys_and_values():
    told = line("connected to %s", "127.0.0.1:1883", level=logging.INFO)
    assert re.fullmatch(
        r"at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info from=supervisor\.link"
        r' text="connected to 127\.0\.0\.1:1883"',
        told,
    )
    assert line("stopped").endswith(" text=stopped")


def test_a_line_is_one_line_whatever_is_in_it():
    try:
        raise ValueError('two\nlines and a "quote"')
    except ValueError as error:
        for as_json in (False, True):
            told = line("odd\x1b[2J\nthing", as_json=as_json, error=error)
            assert "\n" not in told and "\x1b" not in told
    values = json.loads(told)
    assert values["level"] == "warning" and "ValueError" in values["trace"]
    assert values["text"] == "odd\x1b[2J\nthing"


@pytest.mark.parametrize(
    "secret",
    [
        PREFIX + "a-_Z" * 10 + "abc",
        "5ca1ab1e" * 8,
        "ann:hunter2",
    ],
)
def test_no_secret_is_written(secret):
    text = f"refused http://{secret}@host/ and {secret}" if ":" in secret else f"given {secret}, no"
    told = without_secrets(text)
    assert HIDDEN in told and (secret not in told.split(" and ")[0])


def test_what_is_no_secret_stays():
    for text in ("epoch 1796133600", "mqtt://127.0.0.1:1883", "sha 5ca1ab1e", "surplus_site"):
        assert without_secrets(text) == text
