"""firmware/README.md says what the code does: rules, settings, states, tasks, pins."""

from pathlib import Path

from firmware import rig, settings
from firmware.boards import s21pro
from firmware.safety import EVER, RULES
from protocols import messages
from protocols.meanings import RULES as WORDS

README = (Path(rig.__file__).parent / "README.md").read_text()


def row(rule):
    returns = "ever" if rule.retries >= EVER else rule.retries
    cells = (rule.limit, rule.clear, rule.delay_ms, rule.action, rule.hold_ms // 1000, returns)
    return f"| `{rule.code}` | {' | '.join(str(cell) for cell in cells)} | {WORDS[rule.code]} |"


def test_every_rule_is_in_the_table_and_nothing_else():
    start = README.index("## Safety rules")
    table = README[start : README.index("\nOther events", start)]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [row(rule) for rule in RULES]
    assert list(WORDS) == [rule.code for rule in RULES]


def setting_row(name):
    setting = settings.TABLE[name]
    low, high = setting.low, setting.high
    if setting.kind == settings.CHOICE:
        low, high = ", ".join(low), ""
    default = "needed" if setting.default is settings.NEEDED else setting.default
    if setting.default == "":
        default = "empty"
    marks = ((settings.RESTART, "restart"), (settings.IDENTITY, "at the rig"))
    change = [words for mark, words in marks if mark in setting.marks]
    if settings.SECRET in setting.marks:
        change.append("secret")
    cells = (setting.kind, low, high, f"{default} {setting.unit}".strip(), ", ".join(change))
    return f"| `{name}` | {' | '.join(str(cell) for cell in cells)} | {setting.what} |"


def test_every_setting_is_in_the_table():
    start = README.index("### Settings")
    table = README[start : README.index("\nRanges of a text", start)]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [setting_row(name) for name in settings.TABLE]


def test_every_state_is_named():
    for state in messages.STATES:
        assert f"| `{state}` |" in README, state


def test_the_periods_of_the_tasks():
    for task, period in (
        ("safety", f"{rig.SAFETY_MS} ms"),
        ("power", f"{rig.STEP_MS} ms"),
        ("thermal", f"{rig.THERMAL_MS} ms"),
        ("sensors", f"{rig.SENSORS_MS} ms"),
        ("supply", f"{rig.SUPPLY_MS} ms"),
        ("chains", f"{rig.CHAINS_MS // 1000} s"),
    ):
        assert f"| {task} | {period} |" in README, task


def test_the_pins():
    for pins in (*zip(*s21pro.BOARDS), s21pro.FAN_TACH_PINS):
        assert ", ".join(str(pin) for pin in pins) in README, pins
    assert f"| {s21pro.HASH_POWER_PIN}: the supply's enable" in README
    assert f"PWM {s21pro.FAN_PWM_PIN} " in README
    assert f"scl {s21pro.SENSOR_BUS[1]}, sda {s21pro.SENSOR_BUS[2]}" in README
    assert f"scl {s21pro.SUPPLY_BUS[1]}, sda {s21pro.SUPPLY_BUS[2]}" in README
