"""What the members of the messages are, in words: for pages and screens.

Apart from messages.py because no rig needs them, and each is heap there.
"""

_WHAT = {
    "budget": {
        "v": "version of this contract",
        "term": "leadership generation of the supervisor",
        "seq": "budget counter within the term",
        "epoch": "generation of the ladders",
        "admit_w": "position on the merit order",
        "budget_w": "watts all rigs together may draw above asleep",
        "ttl_ms": "how long this holds unless renewed: the lease",
        "sent_ms": "the supervisor's clock, Unix time",
    },
    "cmd": {
        "v": "version of this contract",
        "nonce": "hex; fresh for every joining",
        "id": "command counter of this joining; an older one is refused",
        "term": "leadership generation of the supervisor",
        "seq": "budgets up to this one are not for this rig",
        "epoch": "generation of the ladders",
        "ladder": "[[level, start_w, end_w], ...] for this epoch",
        "event": "events up to this number are on record: forget them",
    },
    "hello": {
        "v": "version of this contract",
        "nonce": "hex; fresh for every joining",
        "model": "what the rig is, as its maker calls it",
        "firmware": "version running",
        "boards": "hash boards fitted",
        "chips": "chips found on all boards",
        "floor_w": "drawn while asleep",
        "points": "[[watts, ghs], ...] by level from 1, watts rising",
        "wake_ms": "from being admitted to the first watt of level 1",
        "up_w_per_s": "how fast it climbs once awake",
    },
    "state": {
        "v": "version of this contract",
        "up_ms": "since the controller started",
        "state": "joining, asleep, waking, running, fault",
        "level": "operating point held or passed",
        "power_w": "drawn by the whole rig, as it measures",
        "hash_ghs": "hash rate",
        "hot_dc": "hottest part",
        "inlet_dc": "air coming in",
        "fan_rpm": "slowest fan",
        "fan_pm": "fan duty",
        "cap_level": "highest level this rig can hold now",
        "term": "leadership generation of the supervisor",
        "seq": "last budget obeyed",
        "epoch": "newest ladder held",
        "lease_ms": "left of the lease",
        "id": "last command obeyed: its echo",
        "event": "number of the newest event",
        "why": "what limits it, in words for a person",
    },
    "event": {
        "v": "version of this contract",
        "event": "number, rising; by one but over a start",
        "up_ms": "when, on the rig's own clock",
        "code": "fault or action, one word",
        "text": "the same for a person",
    },
    "box": {
        "v": "version of this contract",
        "box": "number of a black box",
        "part": "of it, from 0",
        "data": "600 bytes of it in base64; the last part has fewer",
    },
}
_REGISTERS = {
    "map": "version of this map",
    "ask": "a line of words to obey, as at the console",
    "told": "the answer to the last one",
    "limit_w": "watts the whole rig may draw",
    "ttl_ms": "how long this holds unless renewed: the lease",
}


_OPTIONAL = {"do": 'words to obey besides, each once: ["locate 60", ...]; may be missing'}


def of_member(kind: str, name: str) -> str:
    """A member of a message of this kind."""
    return _WHAT[kind].get(name) or _OPTIONAL[name]


def of_register(name: str) -> str:
    """A register that holds one named value."""
    return _REGISTERS.get(name) or _WHAT["hello"].get(name) or _WHAT["state"][name]
