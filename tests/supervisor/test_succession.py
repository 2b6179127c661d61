"""One supervisor after the other on the same ledger."""

import json

import pytest

from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.site import Site
from tests.scenarios.world import KEY, LEASE_S, UNIX_S, World

TABLES = [[[1000, 50_000], [2000, 90_000], [3000, 120_000]]] * 5


@pytest.fixture
def world(tmp_path):
    """Five rigs running at 9 kW, with the ledger of the supervisor that runs them."""
    warm = World(tmp_path, TABLES, 9_000)
    for _ in range(40):
        warm.tick()
    assert warm.admitted_w > 7_500
    yield warm
    warm.site.ledger.close()


def test_the_next_supervisor_has_a_higher_term_and_the_same_ladders(world):
    term, ladders = world.site.term, world.site.dispatcher.line.ladders()
    world.kill()
    assert world.site.term > term
    assert world.site.dispatcher.line.ladders() == ladders
    assert world.site.fleet.names == list(world.rigs)
    assert world.site.fleet.counted.all(), "they may all be running"
    world.kill()
    assert world.site.term > term + 1, "also within one second"


def test_the_next_supervisor_goes_on_from_where_the_last_one_was(world):
    before_w, asked_w = world.admitted_w, world.site.decision.asked_w
    world.kill()
    world.tick()
    assert world.site.decision.asked_w == asked_w, "not from the floor"
    assert world.admitted_w > 0.8 * before_w
    assert all(rig.dispatch.term == world.site.term for rig in world.rigs.values())
    for _ in range(10):
        world.tick()
        world.check()
    assert world.admitted_w > 0.95 * before_w


def test_signals_stand_after_a_restart(world):
    wish = Entry("operator", ((0.0, 4_000),), until_s=UNIX_S + 10_000.0, because="a visit")
    world.inbox.put_signal(wish)
    world.tick()
    assert world.admitted_w <= 4_000
    world.kill()
    assert world.inbox.entries["operator"] == wish
    world.tick()
    assert world.site.envelope.source == "operator" and world.admitted_w <= 4_000
    assert world.site.withdraw("operator")
    world.kill()
    assert "operator" not in world.inbox.entries


def test_what_a_source_says_now_goes_before_what_it_said_once(world, tmp_path):
    world.tick()
    inbox, news = Inbox(), Entry("test", ((0.0, 1),))
    inbox.put_signal(news)
    config = world.site.config
    Site(config, inbox, ledger := Ledger(tmp_path / "ledger.db"), KEY, 0.0, UNIX_S)
    assert inbox.entries["test"] == news
    ledger.close()


def test_what_was_learned_stands_too(world):
    """World gives no meter, so learn by hand."""
    learner = world.site.dispatcher.learner
    learner.state = learner.state * 1.01
    for _ in range(31):
        world.tick()
    world.kill()
    assert world.site.dispatcher.learner.factors.tolist() == learner.factors.tolist()


def test_decisions_of_many_ticks_in_a_lease_are_all_remembered(world):
    """Signals come thick and fast: more ticks than beats; the high position is still on lease."""
    high_w = world.site.dispatcher.admit_w
    for _ in range(60):
        world.now_s += 0.05
        world.inbox.put_signal(Entry("test", ((0.0, 3_000),), heard_s=UNIX_S + world.now_s))
        world.site.tick(world.now_s, UNIX_S + world.now_s, lambda *_: True)
    assert world.site.dispatcher.admit_w < high_w
    committed_w = world.site.decision.committed_w
    world.kill()
    world.ask(3_000)
    world.tick()
    assert world.site.decision.committed_w >= committed_w - 50


def test_a_lost_ledger_costs_some_leases_and_no_more(world, tmp_path, monkeypatch):
    """Nobody knows the ladders any more: those who hold some must be found and dealt new ones."""
    later_s = world.site.term + 60.0
    world.site.ledger.close()
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    monkeypatch.setattr("time.time", lambda: later_s)
    world.start()
    for _ in range(4 * LEASE_S):
        world.tick()
        world.check()
    assert world.admitted_w > 7_500
    assert world.site.fleet.counted.all()


def test_the_ledger_reads_like_the_story(world):
    world.kill()
    world.tick()
    kinds = [row.kind for row in world.site.ledger.read(limit=10_000)]
    assert kinds[0] == "term" and kinds.count("term") == 2
    assert kinds.count("decision") == len(world.budgets)
    assert kinds.index("deal") > kinds.index("decision")
    for row in world.site.ledger.read("decision", limit=10_000):
        json.dumps(row.body)


def test_a_supervisor_that_was_cut_off_for_a_while_leads_again_and_no_rig_joins_anew(world):
    """It was silent for longer than its own lease and shorter than the rigs': nobody else led."""
    term, nonces = world.site.term, [rig.dispatch.nonce for rig in world.rigs.values()]
    before_w, asked_w = world.admitted_w, world.site.decision.asked_w
    for _ in range(5):
        world.tick(silent=True)
    assert world.admitted_w == before_w
    world.inbox.wake.clear()
    world.site.lead_again(UNIX_S + world.now_s)
    assert world.site.term > term and world.inbox.wake.is_set()
    for _ in range(3):
        world.tick()
        world.check()
    assert [rig.dispatch.nonce for rig in world.rigs.values()] == nonces
    assert {rig.dispatch.term for rig in world.rigs.values()} == {world.site.term}
    assert world.site.seq == 3 and world.site.decision.asked_w >= asked_w
    assert world.admitted_w >= 0.95 * before_w
