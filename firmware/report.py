"""What a rig says of itself, as plain values: the same over MQTT, Modbus and at the console."""

from firmware import VERSION
from firmware.face import HELD


def identity(facts, points: list, chips: int) -> dict:
    """Who it is and what it can: hello without its nonce."""
    climb_ms = (points[-1].khz - points[0].khz) * 100 // facts.UP_KHZ
    rise_w = points[-1].watts - points[0].watts
    return {
        "model": facts.MODEL,
        "firmware": VERSION,
        "boards": len(facts.BOARDS),
        "chips": chips,
        "floor_w": facts.FLOOR_W,
        "points": [[point.watts, point.ghs] for point in points],
        "wake_ms": facts.WAKE_MS,
        "up_w_per_s": max(1, rise_w * 1000 // climb_ms),
    }


def chips(rig) -> int:
    """Found on all boards; of a board that was never awake, as many as it should have."""
    return sum(hashboard.found or hashboard.chips for hashboard in rig.board.hashboards)


def state(rig, event: int) -> dict:
    """How it is.  event: the number of its newest one."""
    dispatch = rig.dispatch
    return {
        "up_ms": rig.up_ms,
        "state": rig.state(),
        "level": rig.level(),
        "power_w": rig.power_w(),
        "hash_ghs": rig.hash_ghs(),
        "hot_dc": rig.hot_dc(),
        "inlet_dc": rig.inlet_dc(),
        "fan_rpm": min(fan.rpm for fan in rig.fans),
        "fan_pm": rig.board.fans.duty_pm,
        "cap_level": rig.cap_level(),
        "term": dispatch.term,
        "seq": dispatch.seq,
        "epoch": dispatch.epoch,
        "lease_ms": dispatch.lease_ms,
        "id": dispatch.id,
        "event": event,
        "why": why(rig),
    }


def why(rig) -> str:
    """What limits the rig, most important first."""
    if rig.face.held:
        return HELD
    if rig.verdict is not None and rig.verdict.because:
        return rig.verdict.because
    if rig.hashing.refusal:
        return f"the gate: {rig.hashing.refusal}"
    if rig.derate.cap < len(rig.promised):
        return f"coming back from a derating, up to level {rig.derate.cap}"
    return rig.dispatch.because
