"""The console and the words a rig understands; both runtimes."""

import asyncio
import json

from bench_board import TestBoard

from firmware import settings
from firmware.console import LINE_MAX, PROMPT, Console
from firmware.dispatch import Dispatch
from firmware.rig import SAID_MAX, Rig
from firmware.safety import Change
from firmware.set_up import SetUp

GOOD = {
    "site": "hall-1",
    "rig": "r0001",
    "board": "s21pro",
    "broker_host": "10.0.0.1",
    "budget_key": "62" * 32,
    "rig_key": "72" * 32,
    "wifi_password": "hush",
}
PATH = f"/tmp/surplus-console-{id(GOOD)}.json"


class Place:
    """A rig with settings of its own."""

    def __enter__(self):
        with open(PATH, "w") as file:
            json.dump(GOOD, file)
        rig = Rig(TestBoard(), Dispatch("hall-1", "r0001", b"b" * 32, b"r" * 32, lambda: "0" * 16))
        rig.settings, rig.settings_path = settings.load(PATH), PATH
        return rig

    def __exit__(self, *_):
        settings.erase(PATH)


def test_what_a_rig_says():
    with Place() as rig:
        assert rig.ask("status", False).startswith("joining, level 0 of 8, 25 W")
        assert "started by power on" in rig.ask("status", False)
        rig.changes.append(Change("fan-stopped", "fan 2"))
        rig.recent.take(rig)
        assert rig.ask("faults", False) == "now: none; 0 s ago fan-stopped: fan 2"
        assert rig.ask("counters", False) == "all 0"
        rig.dispatch.hear("x", b"")
        rig.gate.judge_duty(-1)
        assert rig.ask("counters", False) == "gate 1, topic 1"
        for word in ("status", "set", "locate", "restart", "factory-reset"):
            assert word in rig.ask("help", False)


def test_a_setting_is_changed_kept_and_never_told_when_secret():
    with Place() as rig:
        assert rig.ask("set state_ms=20000", False) == "state_ms: holds"
        assert rig.settings["state_ms"] == settings.load(PATH)["state_ms"] == 20_000
        assert rig.ask("get state_ms", False) == "state_ms=20000 ms"
        assert rig.ask("set modbus_unit = 7", False) == "modbus_unit: kept, holds after a restart"
        assert rig.settings["modbus_unit"] == 0 and settings.load(PATH)["modbus_unit"] == 7
        assert "wifi_password" in rig.ask("get", False)
        assert rig.ask("get wifi_password", True) == "wifi_password=(set)"
        assert "hush" not in rig.ask("set wifi_password=hush hush", True)
        assert settings.load(PATH)["wifi_password"] == "hush hush"


def test_what_is_refused_says_why_and_changes_nothing():
    with Place() as rig:
        for line, words in (
            ("set state_ms=5", "state_ms: 5, from 1000 to 60000"),
            ("set state_ms=x", "state_ms: not an integer"),
            ("set stat_ms=5", "stat_ms: no such setting"),
            ("set state_ms", "set NAME=VALUE"),
            ("get nothing", "nothing: no such setting"),
            ("hash!", "hash!: no such word; there are blackbox, counters"),
            ("locate -5", "locate SECONDS"),
        ):
            answer = rig.ask(line, True)
            assert answer.startswith("refused") and words in answer, answer
        assert settings.load(PATH) == settings.parse(GOOD)


def test_what_only_somebody_at_the_rig_may_do():
    with Place() as rig:
        for line in ("set rig=r0002", "set rig_key=" + "00" * 32, "on", "erase"):
            assert rig.ask(line, False).startswith("refused: only at the rig"), line
        assert settings.load(PATH) == settings.parse(GOOD)
        rig.face.set_up_left_ms = 1
        assert rig.ask("set rig=r0002", False) == "rig: kept, holds after a restart"
        assert rig.ask("off", False).startswith("held off") and rig.face.held
        rig.face.set_up_left_ms = 0
        assert rig.ask("on", False).startswith("refused") and rig.face.held
        assert rig.ask("on", True) == "let go" and not rig.face.held
        assert rig.ask("erase", True).startswith("everything")
        assert "missing" in rig.ask("set state_ms=5000", True)


def test_locate_restart_and_a_factory_reset():
    with Place() as rig:
        assert rig.ask("locate", False) == "located for 60 s"
        assert rig.ask("locate 5", False) == "located for 5 s" and rig.face.locate_left_ms == 5_000
        assert rig.ask("locate 0", False) == "located for 0 s"
        rig.ask("set state_ms=20000", False)
        assert "restarting" in rig.ask("factory-reset", False)
        assert settings.load(PATH) == settings.parse(GOOD)
        for _ in range(20):
            rig.face.step(100, False, "asleep")
        assert rig.face.restarts_now


class Asked:
    def __init__(self):
        self.lines = []

    def ask(self, line, at_rig):
        assert at_rig
        self.lines.append(line)
        return "one; two"


def test_a_terminal():
    desk = Asked()
    console, said = Console(None, None, desk), b"\r\none\r\n  two\r\n" + PROMPT
    assert console.take(b"sta") == b"sta" and console.take(b"") == b""
    assert console.take(b"x\x7ftuz\bs\r") == b"x\b \btuz\b \bs" + said
    assert console.take(b"\n\x1b[A\x00\xff\r") == b"\r\n" + PROMPT + b"[A" + said
    assert desk.lines == ["status", "[A"]
    assert b"at most" in console.take(b"x" * (LINE_MAX + 1) + b"\r") and len(desk.lines) == 2
    assert console.take(b"x" * 100_000) and len(console._line) == LINE_MAX


def test_a_console_nobody_can_type_at_ends():
    out = []
    typed = [b"st", b"", b"atus\r", None]
    asyncio.run(Console(lambda: typed.pop(0), out.append, Asked()).loop())
    assert b"".join(out).startswith(b"status\r\none")


def test_a_controller_that_is_nobody_yet_is_set_up_at_its_console():
    desk = SetUp(PATH)
    assert "not set up" in desk.ask("status", True) and "rig_key" in desk.ask("", True)
    assert desk.ask("set state_ms=x", True) == "refused: state_ms: not an integer"
    needed = [name for name in GOOD if settings.TABLE[name].default is settings.NEEDED]
    for name in needed[:-1]:
        assert "noted; not complete" in desk.ask(f"set {name}={GOOD[name]}", True), name
    assert "complete; restart" in desk.ask(f"set {needed[-1]}={GOOD[needed[-1]]}", True)
    assert "complete; restart" in desk.ask("set wifi_password=hush", True)
    assert settings.load(PATH) == settings.parse(GOOD) and not desk.restarts
    assert desk.ask("restart", True) == "restarting" and desk.restarts
    settings.erase(PATH)


def test_no_answer_is_longer_than_a_channel_takes():
    with Place() as rig:
        for _ in range(40):
            rig.changes.append(Change("x" * 30, "y" * 100))
        rig.recent.take(rig)
        assert len(rig.ask("faults", True)) == SAID_MAX and len(rig.ask("x" * 5000, True)) < 200
