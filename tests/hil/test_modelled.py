"""The modelled rigs on the wire: the contract's rules, the same as the firmware's."""

from types import SimpleNamespace

import numpy as np
import pytest

from hil import fleet as fleets
from hil.fleet import FAULT, ModelFleet
from hil.load import mqtt
from hil.modelled import ModelledRigs
from protocols import mac, messages, topics

SITE, KEY = "tiny", bytes(range(32))
BUDGET = topics.budget(SITE)
LADDER = [[1, 0, 3000], [2, 3000, 3500]]


class Wire:
    """Some rigs, a broker that is none, and a clock; says what a supervisor would."""

    def __init__(self, monkeypatch, rigs=2):
        monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 0.0)
        monkeypatch.setattr("hil.modelled.time", SimpleNamespace(monotonic=lambda: self.now_s))
        self.now_s, self.told = 100.0, []
        self.fleet = ModelFleet(rigs)
        self.rigs = ModelledRigs(self.fleet, SITE, KEY)
        self.up = True
        client = self.rigs._client_of(0, [*range(rigs)])
        self.topics = client._topics
        self.rigs._clients, self.rigs._rows = [self], [[*range(rigs)]]
        self.rigs._on_up(client)
        self.id = 0

    # what the client of a broker does

    def publish(self, topic, payload, retain=False):
        self.told.append((topic, payload, retain))

    # what a supervisor does

    def hear(self, topic, payload):
        before = self.rigs.refused
        ((_, body),) = mqtt.Reader().feed(mqtt.publish(topic, payload))
        self.rigs._on_message(None, body)
        return self.rigs.refused == before

    def cmd(self, row=0, key=KEY, **changes):
        """A command to a rig that fits; whether it was obeyed."""
        self.id += 1
        values = {
            "nonce": self.nonce(row),
            "id": self.id,
            "term": 5,
            "seq": 10,
            "epoch": 1,
            "ladder": LADDER,
            "event": 0,
        } | changes
        name = self.fleet.names[row]
        topic = topics.rig(SITE, name, "cmd")
        body = messages.encode("cmd", values)
        return self.hear(topic, mac.seal(mac.rig_key(key, name), topic, body))

    def budget(self, seq, admit_w=3500, key=KEY, **changes):
        values = {
            "term": 5,
            "seq": seq,
            "epoch": 1,
            "admit_w": admit_w,
            "budget_w": admit_w,
            "ttl_ms": 10_000,
            "sent_ms": 1,
        } | changes
        body = messages.encode("budget", values)
        return self.hear(BUDGET, mac.seal(mac.budget_key(key), BUDGET, body))

    def pass_s(self, seconds):
        for _ in range(round(seconds)):
            self.now_s += 1.0
            self.fleet.step(1.0)
            self.rigs.step(1.0)

    # what was said

    def newest(self, kind, row=0):
        topic = topics.rig(SITE, self.fleet.names[row], kind)
        return [messages.decode(kind, p) for t, p, _ in self.told if t == topic][-1]

    def nonce(self, row=0):
        return self.newest("hello", row)["nonce"]

    def level(self, row=0):
        return int(self.fleet.level[row])


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


def test_on_connecting_everybody_is_up_and_says_hello(wire):
    assert wire.topics == [BUDGET, topics.rig(SITE, "+", "cmd")]
    for row, name in enumerate(wire.fleet.names):
        assert (topics.rig(SITE, name, "link"), b"up", True) in wire.told
        hello = wire.newest("hello", row)
        model = wire.fleet.models[wire.fleet.group[row]]
        assert hello["model"] == model.name
        assert hello["points"] == [list(point) for point in model.points]
    assert wire.nonce(0) != wire.nonce(1)


def test_until_it_is_answered_a_rig_goes_on_saying_hello(wire):
    before = len([t for t, _, _ in wire.told if t.endswith("hello")])
    wire.pass_s(25)
    after = len([t for t, _, _ in wire.told if t.endswith("hello")])
    assert 2 * 2 <= after - before <= 2 * 3
    assert wire.newest("state")["state"] == "joining"


def test_a_command_joins_and_is_echoed_but_raises_nothing(wire):
    assert wire.cmd()
    wire.pass_s(1)
    assert wire.newest("state")["id"] == wire.id
    assert wire.newest("state")["state"] == "asleep" and wire.newest("state")["epoch"] == 1
    assert wire.level() == 0


def test_a_fresh_budget_runs_it(wire):
    wire.cmd()
    assert wire.budget(11)
    assert wire.level() == 2 and wire.level(1) == 0, "the other has not joined"
    wire.pass_s(1)
    assert wire.newest("state")["state"] == "waking"
    for seq in range(12, 30):
        wire.budget(seq)
        wire.pass_s(1)
    said = wire.newest("state")
    assert said["state"] == "running" and said["level"] == 2 and said["hash_ghs"] > 0
    assert said["term"] == 5 and said["seq"] >= 20


def test_budgets_up_to_the_one_it_joined_at_are_not_for_it(wire):
    wire.cmd(seq=20)
    wire.cmd(row=1)
    assert wire.budget(20)
    assert (wire.level(0), wire.level(1)) == (0, 2)
    wire.budget(21)
    assert wire.level(0) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "0" * 16},
        {"key": bytes(32)},
        {"ladder": [[1, 5, 5]]},
        {"ladder": [[2, 0, 5], [1, 5, 9]]},
    ],
)
def test_a_command_that_is_not_right_is_refused(wire, changes):
    assert not wire.cmd(**changes)
    wire.budget(11)
    assert wire.level() == 0


def test_an_older_command_is_refused_and_the_same_one_only_echoed(wire):
    wire.cmd(id=7)
    assert not wire.cmd(id=6, ladder=[])
    assert wire.cmd(id=7, ladder=[])
    wire.budget(11)
    assert wire.level() == 2, "its ladder is still the first"


def test_a_budget_passed_already_forged_or_from_an_older_term_is_refused(wire):
    wire.cmd()
    wire.budget(12, admit_w=0)
    assert not wire.budget(12) and not wire.budget(11) and not wire.budget(99, term=4)
    assert not wire.budget(13, key=bytes(32))
    assert not wire.hear(BUDGET, b"rubbish")
    assert wire.level() == 0
    assert wire.budget(1, term=6) and wire.level() == 2


def test_lost_budgets_are_counted(wire):
    wire.cmd()
    for seq in (11, 12, 15, 16):
        wire.budget(seq)
    assert wire.rigs.missed == 2
    wire.budget(3, term=6)
    assert wire.rigs.missed == 2, "another term counts from anywhere"


def test_an_epoch_it_does_not_hold_is_sleep(wire):
    wire.cmd()
    wire.budget(11)
    wire.budget(12, epoch=2)
    assert wire.level() == 0
    wire.cmd(epoch=2)
    assert wire.level() == 0
    wire.budget(13, epoch=2)
    assert wire.level() == 2


def test_the_newest_two_epochs_are_held(wire):
    for epoch in (7, 8, 9):
        wire.cmd(epoch=epoch)
    assert wire.cmd(epoch=7), "obeyed and echoed, but not held"
    wire.budget(11, epoch=7)
    assert wire.level() == 0
    wire.budget(12, epoch=8)
    assert wire.level() == 2


def test_when_the_lease_runs_out_it_sleeps_and_joins_anew(wire):
    nonce = wire.nonce()
    wire.cmd()
    wire.budget(11)
    wire.pass_s(9)
    assert wire.level() == 2
    wire.pass_s(2)
    assert wire.level() == 0 and wire.nonce() != nonce
    wire.budget(12)
    assert wire.level() == 0, "it must be joined first"
    assert wire.cmd()
    wire.budget(13)
    assert wire.level() == 2


def test_without_any_budget_a_joining_ends_too(wire):
    nonce = wire.nonce()
    wire.cmd()
    wire.pass_s(11)
    assert wire.nonce() != nonce


def test_nothing_is_kept_from_before_a_new_joining(wire):
    wire.cmd(epoch=1)
    wire.budget(11)
    wire.pass_s(11)
    wire.cmd(epoch=2)
    wire.budget(12, epoch=1)
    assert wire.level() == 0, "the ladder of epoch 1 was its former self's"


def test_a_fault_is_told_and_it_joins_anew(wire, monkeypatch):
    monkeypatch.setattr(fleets, "FAILS_TO_WAKE", 1.0)
    nonce = wire.nonce()
    wire.cmd()
    for seq in range(11, 19):
        wire.budget(seq)
        wire.pass_s(1)
    assert wire.fleet.state[0] == FAULT
    said = wire.newest("state")
    assert said["state"] == "fault" and said["cap_level"] == 0 and "wake" in said["why"]
    assert wire.nonce() != nonce
    assert not wire.cmd(), "not while in fault"
    wire.pass_s(200)
    assert wire.newest("state")["state"] == "joining"
    assert wire.cmd()


def test_everybody_tells_its_state_every_ten_seconds(monkeypatch):
    wire = Wire(monkeypatch, rigs=50)
    for row in range(50):
        wire.cmd(row)
    wire.told.clear()
    for seq in range(11, 41):
        wire.budget(seq, admit_w=0)
        wire.pass_s(1)
    told = [t for t, _, _ in wire.told if t.endswith("state")]
    counts = np.unique(told, return_counts=True)[1]
    assert len(counts) == 50 and counts.min() >= 3 and counts.max() <= 5


def test_a_topic_that_is_nobodys_is_let_pass(wire):
    for topic in ("surplus/tiny/rig/stranger/cmd", "other", "surplus/tiny/rig/rig-00000/what"):
        assert wire.hear(topic, b"x")
