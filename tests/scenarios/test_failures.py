"""A whole site of real processes while its parts are killed: broker, supervisor, rig.

Nothing above what a lease allows, ever; asleep when nobody renews it; back with no help.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from hil.demo import SITE, TOPIC
from protocols import topics
from supervisor.ledger import Row
from tests.scenarios.live import FALL_S, LEASE_S, PATIENCE_S, Live

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(240)]

ASLEEP_S = LEASE_S + FALL_S


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("site")) as live:
        yield live


@pytest.fixture
def site(shared: Live) -> Iterator[Live]:
    """At seven tenths, firmware rig and all, before anything happens to it."""
    shared.settle(0.7)
    shared.until(lambda: shared.rig.hash_ghs > 0, PATIENCE_S, "the firmware rig hashes")
    since_s = time.monotonic()
    yield shared
    shared.check(since_s)


def test_a_killed_broker_is_back_in_seconds_and_the_site_with_it(site: Live) -> None:
    dead = site.broker_pid
    os.kill(dead, signal.SIGKILL)
    killed_s = time.monotonic()
    site.ask(0.3)  # which nobody can say to the site yet
    site.until(lambda: site.broker_pid != dead, PATIENCE_S, "another broker")
    site.until(lambda: site.near, PATIENCE_S, "the word said meanwhile is followed")
    print(f"followed {time.monotonic() - killed_s:.1f} s after the kill")
    site.settle(0.6)
    assert site.rig.alive and site.rig.resets == [1], "it rebooted"


def test_a_broker_away_for_longer_than_the_lease_leaves_nobody_running(site: Live) -> None:
    with site.stopped_supervisor():
        os.kill(site.broker_pid, signal.SIGKILL)
        slept_s = site.until(lambda: site.asleep, ASLEEP_S, "asleep with nobody's help")
    back_s = site.settle(0.7)
    print(f"asleep after {slept_s:.1f} s, back on its signal {back_s:.1f} s later")


def test_a_killed_supervisor_is_followed_by_one_that_goes_on(site: Live) -> None:
    before, first, broker = site.rows(), site.view(), site.broker_pid
    site.kill_supervisor()
    killed_s = time.monotonic()
    site.demo.start_supervisor()
    site.ask(0.3)
    site.until(lambda: site.near, PATIENCE_S, "the new one controls")
    print(f"in control {time.monotonic() - killed_s:.1f} s after the kill")
    lowest_w = min(s.drawn_w for s in site.samples if s.at_s >= killed_s)
    assert lowest_w > 0.7 * site.limit_w, "it slept though its leases were renewed"
    site.until(site.view, PATIENCE_S, "its API")
    second = site.view()
    assert first and second and second.term > first.term and second.epoch == first.epoch
    assert site.broker_pid == broker, "the broker was not adopted"
    assert_whole(site, before)


def test_a_new_supervisor_does_not_take_an_old_word_again(site: Live) -> None:
    old = site.told[-1]
    limit_w = site.ask(0.3)
    site.until(lambda: site.near, PATIENCE_S, "the newer word is followed")
    site.muted = True
    site.kill_supervisor()
    site.demo.start_supervisor()
    site.until(site.view, PATIENCE_S, "its API")
    known = site.rows()[-1].id

    def refused() -> bool:
        site.publish(TOPIC, old)
        return any("not above the last one" in row.why for row in site.rows("refused", known))

    site.until(refused, PATIENCE_S, "the old word is refused")
    view = site.view()
    site.muted = False
    assert view and view.envelope_w == limit_w


def test_nobody_takes_over_and_a_rig_that_reboots_is_told_old_things(site: Live) -> None:
    before, nonce = site.rows(), site.nonce()
    site.kill_supervisor()
    slept_s = site.until(lambda: site.asleep, ASLEEP_S, "asleep with nobody's help")
    site.rig.kill()
    site.rig.restart()
    site.until(lambda: site.nonce() != nonce, PATIENCE_S, "a fresh nonce")
    budgets = [m for m in site.heard if m[0] == topics.budget(SITE)][-30:]
    commands = [m for m in site.heard if m[0].endswith("/cmd")]
    for topic, payload in [*commands, *budgets, *commands[-5:], *budgets[-5:]]:
        site.publish(topic, payload)
    site.holds(lambda: site.asleep, 2.0, "asleep, whatever is played to it again")
    site.demo.start_supervisor()
    back_s = site.settle(0.7)
    print(f"asleep after {slept_s:.1f} s, back {back_s:.1f} s after another was started")
    assert_whole(site, before)


def test_a_killed_rig_is_counted_until_it_is_surely_off_and_comes_back(site: Live) -> None:
    name, nonce, resets = site.rig.name, site.nonce(), len(site.rig.resets)
    gap_w = site.limit_w - site.drawn_w
    site.rig.kill()
    counted_s = site.until(
        lambda: "holds no ladder" in site.why(name), PATIENCE_S, "no longer counted"
    )
    assert counted_s >= LEASE_S, "it was given up while it could still hold a lease"
    filled_s = site.until(
        lambda: site.limit_w - site.drawn_w < gap_w + 500, PATIENCE_S, "others run in its place"
    )
    site.rig.restart()
    site.ask(1.0)  # ladders may have been dealt anew without it: then it is the last to run
    again_s = site.until(lambda: site.rig.hash_ghs > 0, PATIENCE_S, "it runs again")
    print(f"counted {counted_s:.1f} s, filled {filled_s:.1f} s, hashing after {again_s:.1f} s")
    assert site.nonce() != nonce and len(site.rig.resets) == resets + 1
    assert "down" not in site.wrong()


def assert_whole(site: Live, before: list[Row]) -> None:
    """Every row is there, can be read, and those of before are what they were."""
    rows = site.rows()
    assert rows[: len(before)] == before, "the ledger has lost or changed a row"
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    decisions = [row for row in rows if row.kind == "decision"]
    places = [(row.body["term"], row.body["seq"]) for row in decisions]
    assert places == sorted(places), "a decision out of its place"
