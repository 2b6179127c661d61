"""What a rig understands, at its console, over Modbus and in a sealed command.

    status    faults    counters    blackbox [NUMBER [FROM]]
    get [NAME]    set NAME=VALUE    locate [SECONDS]    off    on
    restart    factory-reset    erase    help

Every answer is text; one that begins with "refused" changed nothing.
"""

import binascii

from firmware import report
from firmware.face import AT_RIG, LOCATE_MS
from firmware.rig import OF_SETTINGS

BOX_PART = 84  # bytes; 112 in base64, which every channel takes


def obey(rig, word: str, rest: str, at_rig: bool) -> str:
    """The answer."""
    if word not in WORDS:
        there = ", ".join(sorted(list(WORDS) + list(OF_SETTINGS)))
        return f"refused: {word[:20]}: no such word; there are {there}"
    return WORDS[word](rig, rest, at_rig)


def _help(rig, rest: str, at_rig: bool) -> str:
    return (
        "status, faults, counters, blackbox [NUMBER [FROM]]; get [NAME], set NAME=VALUE; "
        "locate [SECONDS], 0 ends it; "
        "off, on: hash power, here; restart; factory-reset; erase: everything, here"
    )


def _status(rig, rest: str, at_rig: bool) -> str:
    now = report.state(rig, rig.recent.newest)
    return (
        f"{now['state']}, level {now['level']} of {len(rig.promised)}, {now['power_w']} W, "
        f"{now['hash_ghs']} GH/s; hottest {now['hot_dc'] // 10} C, "
        f"inlet {now['inlet_dc'] // 10} C, fans {now['fan_rpm']} rpm; {now['why']}; "
        f"up {now['up_ms'] // 1000} s, started by {rig.board.reset_cause()}"
    )


def _faults(rig, rest: str, at_rig: bool) -> str:
    """The newest first, for as long as the answer lasts."""
    told = [
        f"{(rig.up_ms - up_ms) // 1000} s ago {code}: {text}"
        for up_ms, code, text in rig.recent.last
    ]
    now = rig.verdict.because if rig.verdict is not None and rig.verdict.because else "none"
    return f"now: {now}; " + "; ".join(reversed(told))


def _counters(rig, rest: str, at_rig: bool) -> str:
    return ", ".join(f"{name} {count}" for name, count in _counts(rig)) or "all 0"


def _counts(rig) -> list:
    """(name, count) of all that was refused, dropped or done again, where there is any."""
    counts = [("gate", rig.gate.refused), ("lease ended", rig.fallbacks), ("restarts", rig.starts)]
    counts += rig.dispatch.refused.items()
    counts += [(name, getattr(of, attribute)) for name, of, attribute in rig.counted]
    return [each for each in counts if each[1]]


def _blackbox(rig, rest: str, at_rig: bool) -> str:
    """Which there are; or one in parts over MQTT; or a part of one, in base64."""
    from firmware import boxes

    number, _, at = rest.partition(" ")
    if not number:
        told = [f"{number} {why}" for number, _, why in boxes.kept()]
        now = f"missed {rig.boxes[0].missed}" if rig.boxes else "no memory for one"
        return f"kept: {', '.join(told) or 'none'}; {now}"
    if not number.isdigit() or not (at.isdigit() or not at):
        return "refused: blackbox [NUMBER [FROM]]"
    data = boxes.part(int(number), int(at or 0), BOX_PART)
    if not at:
        rig.box_asked = int(number)
        return "its parts follow, over MQTT; elsewhere blackbox NUMBER FROM"
    return binascii.b2a_base64(data).decode().strip()


def _locate(rig, rest: str, at_rig: bool) -> str:
    if rest and not rest.isdigit():
        return "refused: locate SECONDS"
    rig.face.locate(int(rest[:5]) * 1000 if rest else LOCATE_MS)
    return f"located for {rig.face.locate_left_ms // 1000} s"


def _off(rig, rest: str, at_rig: bool) -> str:
    rig.face.hold(True)
    return "held off until somebody at the rig says on, or holds its button"


def _on(rig, rest: str, at_rig: bool) -> str:
    if not at_rig:
        return AT_RIG
    rig.face.hold(False)
    return "let go"


def _restart(rig, rest: str, at_rig: bool) -> str:
    rig.face.restart()
    return "restarting"


WORDS = {
    "help": _help,
    "status": _status,
    "faults": _faults,
    "counters": _counters,
    "locate": _locate,
    "blackbox": _blackbox,
    "off": _off,
    "on": _on,
    "restart": _restart,
}
