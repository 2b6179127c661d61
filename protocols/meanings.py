"""What the members of the messages and the rules of a rig are, in words: for pages and screens.

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
# what each rule of firmware/safety.py is about, by its code; of one that has tripped a rig names
# the part and the number: "fan 2 at 0 rpm of 4000"
RULES = {
    "overheat": "an outlet above 72 C",
    "hot": "an outlet above 65 C",
    "inlet-hot": "air comes in above 45 C",
    "sensor-lost": "a temperature is not known",
    "sensor-dead": "a temperature stays unknown",
    "fan-stopped": "a fan turns at less than half its speed",
    "fan-weak": "a fan turns at less than 80 % of its speed",
    "fan-odd": "a fan tells half again the speed it can have",
    "supply-fault": "the supply reports a fault",
    "supply-missing": "the supply gives less than 90 % of its volts",
    "supply-lost": "the supply does not answer",
    "supply-dead": "the supply stays silent",
    "supply-stays-on": "watts flow although hash power is off",
    "loop-late": "the safety loop was held up for a second",
    "board-lost": "a board does not start, or its chips are silent",
    "board-slow": "a board makes less than half of the hashes its clock makes",
    "board-wrong": "more than 30 % of a board's hashes are wrong",
    "chips-wrong": "more than 5 % of a board's hashes are wrong",
    "board-clock": "a chip's clock is not the one it was given",
    "board-dead": "no hash power, or no board that may run",
    "restarts": "the controller keeps restarting: a pause first",
}
_OPTIONAL = {"do": 'words to obey besides, each once: ["locate 60", ...]; may be missing'}


def of_member(kind: str, name: str) -> str:
    """A member of a message of this kind."""
    return _WHAT[kind].get(name) or _OPTIONAL[name]


def of_register(name: str) -> str:
    """A register that holds one named value."""
    return _REGISTERS.get(name) or _WHAT["hello"].get(name) or _WHAT["state"][name]
