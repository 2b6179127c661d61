"""The pages of docs/grid say what the adapters do: points, events, registers, topics, settings."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from supervisor.grid import (
    dnp3,
    iec104,
    openadr2_events,
    openadr3_events,
    openadr3_reports,
    plain_map,
    price,
)
from supervisor.grid import sunspec_control as control
from supervisor.grid.calendar import SIZE_MAX as ICS_MAX
from supervisor.grid.scada import FLAGS, MEASURED
from supervisor.grid.sunspec_map import Image
from supervisor.inbox import Inbox
from supervisor.sections.signal import SignalConfig
from supervisor.sources import signal_csv, signal_mqtt
from tests.supervisor.test_sunspec import told

PAGES = Path(__file__).parents[2] / "docs" / "grid"
SECTIONS = {field.name: field.type for field in msgspec.structs.fields(SignalConfig)}
NOW_S = 1_796_079_700.0  # within what the pages' examples say


def page(name):
    return (PAGES / f"{name}.md").read_text()


def rows(text, head):
    """The cells of every table with this head in its first column."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        lines = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
        found += lines[2:] if lines[0][0] == head else []
    return found


def codes(text):
    return set(re.findall(r"`([^`\n]+)`", text))


def pages():
    return sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README")


# ---- every page


def sections_of(name):
    """[signal.NAME] of each block of settings on a page."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", page(name), re.M)
    settings = ["\n".join(line[4:] for line in block.splitlines()) for block in blocks]
    tables = [text[text.index("[signal.") :] for text in settings if "[signal." in text]
    found = [tomllib.loads(text) for text in tables]
    return {kind: keys for one in found for kind, keys in one["signal"].items()}


def section(kind):
    (found,) = [one for one in SECTIONS[kind].__args__ if one is not type(None)]
    return found


def fields(kind):
    return msgspec.structs.fields(section(kind))


def test_every_source_of_the_settings_has_its_page():
    shown = [kind for name in pages() for kind in sections_of(name)]
    assert sorted(shown) == sorted(SECTIONS)


@pytest.mark.parametrize("name", pages())
def test_the_settings_of_a_page_are_settings(name):
    for kind, keys in sections_of(name).items():
        msgspec.convert(keys, section(kind))
    known = {field.name for kind in sections_of(name) for field in fields(kind)}
    named = {word for word in codes(page(name)) if re.fullmatch(r"[a-z]+_(s|mw|pct)", word)}
    assert named <= known, named - known


@pytest.mark.parametrize("name", pages())
def test_every_page_says_what_happens_when_they_stop_and_after_a_restart(name):
    text = page(name).lower()
    assert "when you stop" in text
    assert re.search(r"^\| the supervisor starts", text, re.M) or name == "openadr2"


def test_every_page_is_in_the_list():
    assert set(pages()) == set(re.findall(r"\]\((\w+)\.md\)", page("README")))


# ---- SCADA


def told_names():
    """The measured values as the pages call them."""
    return [name.replace("down", "can give back").replace("up", "can take up") for name in MEASURED]


def full(cells):
    """Short rows ("in 60 s") with what they go on from."""
    found, begins = [], ""
    for cell in cells:
        name = cell.partition(" (")[0]
        begins = name.partition(" in ")[0] if " in 5 s" in name else begins
        found.append(f"{begins} {name}" if name.startswith("in ") else name)
    return found


@pytest.mark.parametrize("name, head, first", [("dnp3", "index", 0), ("iec104", "address", 2001)])
def test_measured_values_and_flags_by_their_addresses(name, head, first):
    table = [row for row in rows(page(name), head) if len(row) == 2]
    values, flags = table[: len(MEASURED)], table[len(MEASURED) :]
    assert [int(row[0]) for row in values] == list(range(first, first + len(MEASURED)))
    assert full(row[1] for row in values) == told_names()
    flag = 0 if name == "dnp3" else iec104.POINTS
    assert [int(row[0]) for row in flags] == list(range(flag, flag + len(FLAGS)))
    assert all(row[1].startswith(of) for row, of in zip(flags, FLAGS, strict=True))
    assert name != "iec104" or first == iec104.VALUES


def test_iec104_orders():
    table = [(int(row[0]), row[1]) for row in rows(page("iec104"), "address") if len(row) == 3]
    assert table == [
        (iec104.SETPOINT, "C_SE_NC_1"),
        (iec104.TAGGED, "C_SE_TC_1"),
        (iec104.SELECTED, "C_SE_NC_1"),
        (iec104.EMERGENCY, "C_SC_NA_1"),
        (iec104.WATCHDOG, "C_SC_NA_1"),
    ]


def test_dnp3_orders():
    table = {row[0].partition(" (")[0]: row[1] for row in rows(page("dnp3"), "point")}
    assert list(table) == [
        f"analog output {dnp3.SETPOINT}",
        f"binary output {dnp3.EMERGENCY}",
        f"binary output {dnp3.WATCHDOG}",
    ]
    assert f"beyond {dnp3.DEADBAND_MW:g} MW" in page("dnp3")


# ---- Modbus


def points(cells):
    found = [re.fullmatch(r"(\d{3})\.([\w.]+)", word) for cell in cells for word in codes(cell)]
    return {(int(match[1]), match[2]) for match in found if match}


def test_sunspec_points_that_are_written_are_those_that_are_followed():
    text, image = page("modbus"), Image(control.FOLLOWED)
    assert points(row[0] for row in rows(text, "write")) == control.FOLLOWED
    read = points(row[0] for row in rows(text, "read"))
    assert len(read) > 8 and read <= image.points.keys() - control.FOLLOWED


def test_plain_registers_and_what_they_show():
    table = rows(page("modbus"), "register")
    spans = [re.findall(r"\d+", row[0]) for row in table]
    covered = [n for span in spans for n in range(int(span[0]), int(span[-1]) + 1)]
    assert covered == [*range(plain_map.WRITABLE), *range(10, plain_map.SIZE)]
    assert [row[2] for row in table] == ["read, write"] * 3 + ["read"] * (len(table) - 3)
    board = SimpleNamespace(told=told())
    shown = plain_map.Plain(10**8, 0, 60, Inbox(), board, lambda: None).shown()
    kw = {row[1].partition(",")[0]: span for row, span in zip(table, spans, strict=True)}
    for name, w in (
        ("the limit in force", told().limit_w),
        ("metered import", told().metered_w),
        ("the most the site can draw", told().capacity_w),
        ("the worst all rigs may draw now", told().committed_w),
    ):
        high = int(kw[name][0])
        assert shown[high] << 16 | shown[high + 1] == w // 1000, name


# ---- OpenADR


def test_openadr3_payloads_and_reports():
    text = page("openadr3")
    sent = text.partition("## What to send")[2].partition("##")[0]
    named = {word.split()[0] for row in rows(sent, "payload") for word in codes(row[0])}
    assert named == set(openadr3_events.KINDS)
    told_back = text.partition("## What you are told")[2].partition("##")[0]
    capitals = {word for word in codes(told_back) if re.fullmatch(r"[A-Z_]{5,}", word)}
    assert capitals - {"FORECAST"} == set(openadr3_reports.VALUES)
    levels = ", ".join(str(pct) for pct in openadr3_events.LEVELS_PCT)
    assert f"{levels} % of the site's limit" in sent


def test_openadr2_signals():
    """Each row of the page is followed, and its neighbours are not."""
    means = openadr2_events.Means("a", 10**8, openadr3_events.LEVELS_PCT, lambda name: 10**7)
    kinds = {(row[0].strip("`"), row[1].strip("`")) for row in rows(page("openadr2"), "signal")}
    assert len(kinds) == 4
    for name, kind in kinds:
        assert openadr2_events.words(event2(name, kind), means)
    with pytest.raises(openadr2_events.EventError):
        openadr2_events.words(event2("LOAD_DISPATCH", "price"), means)
    assert not openadr2_events.words(event2("ELECTRICITY_PRICE", "price"), means)


def event2(name, kind):
    from tests.supervisor.test_openadr2 import event

    return event(1, name=name, kind=kind)


# ---- words in JSON, files


@pytest.mark.parametrize("name", ["mqtt", "http"])
def test_the_shapes_of_a_limit_are_taken(name):
    rules = signal_mqtt.Rules(10**8, silence_s=240)
    words = {word for word in codes(page(name)) if word.startswith('{"')}
    assert len(words) == 2
    for word in words:
        entry, _ = signal_mqtt.decode(word.encode(), signal_mqtt.Heard(), NOW_S, rules)
        assert entry.limit_w(NOW_S) in (60_000_000, 55_000_000)
    assert f"{signal_mqtt.SIZE_MAX} bytes" in page("mqtt")


def test_a_price_is_taken():
    (word,) = [word for word in codes(page("price")) if word.startswith('{"')]
    assert price.decode(word.encode(), 0.0, NOW_S, 900).price == 31.5


def test_headers_and_bounds_of_files():
    text = page("files")
    heads = [row[0].strip("`") for row in rows(text, "header")]
    assert [tuple(head.lower().split(",")) for head in heads] == [signal_csv.PLAIN, signal_csv.AEMO]
    assert f"{signal_csv.SIZE_MAX // 10**6} MB and {signal_csv.ROWS_MAX:,} rows" in text
    assert f"{ICS_MAX // 10**6} MB at most" in text
    assert f"every {signal_csv.LOOK_S:g} s" in text
