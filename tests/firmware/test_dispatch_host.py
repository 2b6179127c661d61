"""Whatever is said to a rig, in whatever order: its power never rises but by a fresh budget.

The oracle knows every honest message by its bytes and keeps its own account of what the
freshest accepted budget and the ladders obeyed allow, written apart from the firmware's.
"""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.dispatch import BUDGET, ECHO, JOINED, OBEYED, Dispatch
from protocols import ladder, mac, messages, topics

SITE, RIG = "here", "rig-7"
BUDGET_KEY, RIG_KEY, WRONG_KEY = b"b" * 32, b"r" * 32, b"w" * 32
BUDGET_TOPIC, CMD_TOPIC = topics.budget(SITE), topics.rig(SITE, RIG, "cmd")
LADDERS = (
    [],
    [[1, 0, 1000], [2, 2000, 2500], [3, 3000, 3600]],
    [[1, 500, 900], [3, 900, 1000]],
    [[4, 0, 50]],
    [[2, 3000, 4000]],
)
WATTS = (0, 100, 800, 3300, 3900)  # of the levels

small = st.integers(0, 4)
actions = st.one_of(
    st.tuples(st.just("budget"), small, small, small, st.integers(0, 4500), st.booleans()),
    st.tuples(st.just("cmd"), small, small, small, small, st.sampled_from(LADDERS), st.booleans()),
    st.tuples(st.just("replay"), st.integers(0, 1000)),
    st.tuples(st.just("elapse"), st.integers(0, 9000)),
    st.tuples(st.just("reboot")),
    st.tuples(st.just("noise"), st.binary(max_size=60)),
)


class World:
    def __init__(self):
        self.sent = []  # every message ever made, forged ones too
        self.nonces = 0
        self.boot()

    def boot(self):
        self.rig = Dispatch(SITE, RIG, BUDGET_KEY, RIG_KEY, self.fresh)
        self.forget()

    def fresh(self):
        self.nonces += 1
        return f"{self.nonces:016x}"

    def forget(self):
        """The oracle's account: nothing is allowed."""
        self.freshest = None  # (term, seq, epoch, admit_w) of the last accepted budget
        self.floor = None  # (term, seq) below which nothing counts
        self.ladders = {}

    def budget(self, term, seq, epoch, admit_w, honest):
        values = {
            "term": term,
            "seq": seq,
            "epoch": epoch,
            "admit_w": admit_w,
            "budget_w": admit_w,
            "ttl_ms": 3000,
            "sent_ms": 0,
        }
        key = BUDGET_KEY if honest else WRONG_KEY
        body = messages.encode("budget", values)
        return BUDGET_TOPIC, mac.seal(key, BUDGET_TOPIC, body), honest

    def cmd(self, id, term, seq, epoch, steps, honest):
        values = {
            "nonce": self.rig.nonce,
            "id": id + 1,
            "term": term,
            "seq": seq,
            "epoch": epoch,
            "ladder": steps,
            "event": 0,
        }
        key = RIG_KEY if honest else WRONG_KEY
        body = messages.encode("cmd", values)
        return CMD_TOPIC, mac.seal(key, CMD_TOPIC, body), honest

    def say(self, topic, payload, honest):
        before_w, nonce = watts(self.rig.admitted), self.rig.nonce
        heard = self.rig.hear(topic, payload)
        after_w = watts(self.rig.admitted)
        if not honest:
            assert heard == "", "a forged message was obeyed"
        if heard != BUDGET:
            assert after_w <= before_w, f"{heard or 'a refused message'} raised the power"
        self.account(heard, json.loads(payload) if heard else {}, nonce)
        assert after_w <= self.allowed_w()

    def account(self, heard, values, nonce):
        if heard == BUDGET:
            new = (values["term"], values["seq"])
            assert self.floor is not None and new > self.floor
            self.floor = new
            self.freshest = (values["epoch"], values["admit_w"])
        elif heard in (JOINED, OBEYED):
            assert values["nonce"] == nonce
            self.floor = max(self.floor or (-1, -1), (values["term"], values["seq"]))
            self.ladders[values["epoch"]] = ladder.parse(values["ladder"])
        else:
            assert heard in ("", ECHO)

    def allowed_w(self):
        """The most the freshest budget allows on any ladder of its epoch ever obeyed."""
        if self.freshest is None:
            return 0
        epoch, admit_w = self.freshest
        if epoch not in self.ladders:
            return 0
        return watts(ladder.admit(self.ladders[epoch], admit_w))

    def elapse(self, elapsed_ms):
        before_w = watts(self.rig.admitted)
        if self.rig.elapse(elapsed_ms):
            self.forget()
        assert watts(self.rig.admitted) <= min(before_w, self.allowed_w())


def watts(admitted):
    low_w, high_w = WATTS[admitted.level], WATTS[admitted.next_level]
    return low_w + (high_w - low_w) * admitted.part_pm / 1000


def play(world, action):
    kind, *values = action
    if kind in ("budget", "cmd"):
        message = getattr(world, kind)(*values)
        world.sent.append(message)
        world.say(*message)
    elif kind == "replay" and world.sent:
        world.say(*world.sent[values[0] % len(world.sent)])
    elif kind == "elapse":
        world.elapse(values[0])
    elif kind == "reboot":
        world.boot()
    elif kind == "noise":
        world.say(BUDGET_TOPIC, values[0], False)
        world.say(CMD_TOPIC, values[0], False)


@settings(max_examples=400, deadline=None)
@given(st.lists(actions, max_size=60))
def test_only_a_fresh_budget_raises_power_and_never_above_what_it_allows(story):
    world = World()
    for action in story:
        play(world, action)


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=40), st.lists(st.integers(0, 1000), max_size=40))
def test_an_old_session_replayed_after_a_reboot_raises_nothing(story, order):
    world = World()
    for action in story:
        play(world, action)
    world.boot()
    for number in order:
        if world.sent:
            topic, payload, _ = world.sent[number % len(world.sent)]
            assert world.rig.hear(topic, payload) == ""
            assert world.rig.admitted == ladder.ASLEEP
            assert not world.rig.joined


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_an_error(payload):
    rig = World().rig
    for topic in (BUDGET_TOPIC, CMD_TOPIC, ""):
        assert rig.hear(topic, payload) == ""
