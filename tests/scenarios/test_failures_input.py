"""A whole site of real processes that is lied to: by its meter, by a signal, by a stranger.

Whatever it hears, the site is never above what was asked; what it does not take, it says.
"""

import json
import time
from collections.abc import Iterator

import pytest

from hil.demo import SITE, TOPIC
from protocols import mac, topics
from tests.scenarios.live import PATIENCE_S, Live

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("site")) as live:
        yield live


@pytest.fixture
def site(shared: Live) -> Iterator[Live]:
    """Low, so that there is somewhere to go that it must not go."""
    shared.settle(0.35)
    shared.until(lambda: shared.rig.hash_ghs > 0, PATIENCE_S, "the firmware rig hashes")
    since_s = time.monotonic()
    yield shared
    shared.check(since_s)


def has_fallen(site: Live, known: int) -> bool:
    """Whether the position is below one it had since, though the same is asked."""
    admits_w = [row.body["admit_w"] for row in site.rows("decision", known)]
    return bool(admits_w) and admits_w[-1] < max(admits_w)


@pytest.mark.parametrize("how", ["silent", "frozen", "gone"])
def test_without_its_meter_the_site_goes_on_with_a_margin(site: Live, how: str) -> None:
    site.end_meter() if how == "gone" else site.demo.meter.faults.add(how)
    try:
        site.ask(0.7)
        stale_s = site.until(lambda: "meter" in site.wrong(), PATIENCE_S, "status says so")
        site.until(lambda: site.drawn_w > 0.85 * site.limit_w, PATIENCE_S, "it goes on")
        known = site.rows()[-1].id
        margin_s = site.until(lambda: has_fallen(site, known), PATIENCE_S, "a margin grows")
    finally:
        site.start_meter() if how == "gone" else site.demo.meter.faults.clear()
    healed_s = site.until(lambda: "meter" not in site.wrong(), PATIENCE_S, "it reads again")
    print(f"{how}: stale {stale_s:.1f} s, margin {margin_s:.1f} s later, healed {healed_s:.1f} s")
    site.settle(0.6)


def bad_words(site: Live) -> list[bytes]:
    """Nothing of this is a signal; all of it would be more than is asked."""
    now_s, high_mw = time.time(), site.demo.capacity_w / 1e6
    good = {"mw": high_mw, "valid_until": now_s + 60, "seq": 1 << 40}
    values: list[object] = [
        {"target": 100, "timestamp": now_s - 3600},
        {"target": 100, "timestamp": now_s * 1000},
        {"target": 101, "timestamp": now_s},
        {"target": "100", "timestamp": now_s},
        {"target": 100},
        [100],
        100,
        good | {"seq": 1},
        good | {"seq": -1},
        good | {"valid_until": now_s - 1},
        good | {"valid_until": (now_s + 60) * 1000},
        good | {"mw": None},
        good | {"mw": True},
        good | {"unit": "kW"},
    ]
    raw = [b"", b"\0\xff\xfe", b"{", b'{"mw": NaN}', b"[" * 5000, b'{"mw":1e999,"seq":1}']
    return [*(json.dumps(value).encode() for value in values), *raw]


def test_what_is_no_signal_changes_nothing_and_is_on_record(site: Live) -> None:
    known, words = site.rows()[-1].id, bad_words(site)
    for word in words:
        site.publish(TOPIC, word)
    site.until(
        lambda: len(site.rows("refused", known)) >= len(words), PATIENCE_S, "every one refused"
    )
    refused = site.rows("refused", known)
    assert {row.source for row in refused} == {"mqtt"} and all(row.why for row in refused)
    assert len({row.why for row in refused}) > 8, "their reasons do not tell them apart"
    view = site.view()
    assert view and view.envelope_w == site.limit_w


def forged(site: Live) -> list[tuple[str, bytes]]:
    """Budgets and commands by somebody who has listened for long."""
    topic, here = topics.budget(SITE), site.rig.name
    now = json.loads(site.last(topic))
    del now["mac"]
    more = now | {"admit_w": 9_000_000, "budget_w": 9_000_000}
    later, key = more | {"seq": now["seq"] + 10_000}, mac.budget_key(site.key)
    budgets = [
        json.dumps(later).encode(),
        site.seal(later, topic, bytes(32)),
        site.seal(later, topic, mac.rig_key(site.key, here)),
        site.seal(later, topic + "/", key),
        site.seal(more | {"term": now["term"] - 1, "seq": 1 << 31}, topic, key),
        site.seal(more | {"seq": now["seq"] - 1}, topic, key),
        site.last(topic).replace(b'"admit_w":', b'"admit_w":9'),
        b"{}" * 3000,
    ]
    played = [message for message in site.heard if message[0] == topic][:200]
    return [*((topic, budget) for budget in budgets), *played, *commands(site, here)]


def commands(site: Live, rig: str) -> list[tuple[str, bytes]]:
    topic, wide = topics.rig(SITE, rig, "cmd"), [[8, 0, 1]]
    now = json.loads(site.last(topic))
    del now["mac"]
    later = now | {"id": now["id"] + 10_000, "ladder": wide}
    key, other = mac.rig_key(site.key, rig), topics.rig(SITE, "rig-00001", "cmd")
    made = [
        json.dumps(later).encode(),
        site.seal(later, topic, bytes(32)),
        site.seal(later, other, mac.rig_key(site.key, "rig-00001")),
        site.seal(later | {"nonce": "0" * 16}, topic, key),
        site.seal(later | {"id": now["id"] - 1}, topic, key),
        site.seal(later | {"term": now["term"] - 1}, topic, key),
        site.last(topic).replace(b'"ladder":[', b'"ladder":[[8,0,1],'),
    ]
    played = [message for message in site.heard if message[0].endswith("/cmd")]
    return [*((topic, command) for command in made), *played]


def test_a_stranger_raises_nobody(site: Live) -> None:
    site.settle(0.8)  # so that there is something worth playing again
    site.settle(0.3)
    messages, before_w = forged(site), site.rig.power_w
    refused, heard = site.demo.modelled.refused, site.demo.modelled.heard
    for topic, payload in messages:
        site.publish(topic, payload, retain=payload.startswith(b"{}"))
    site.until(
        lambda: site.demo.modelled.heard > heard + 3, PATIENCE_S, "three true budgets after them"
    )
    assert site.demo.modelled.refused - refused >= len(messages) // 2, "who took the others?"
    assert site.rig.power_w < before_w + 0.02 * 3500 and site.rig.resets == [1]
    view = site.view()
    assert view and view.by_state.get("running", 0) > 3, "the stranger put the site to sleep"


def test_a_sealed_budget_of_no_epoch_known_only_puts_to_sleep(site: Live) -> None:
    """Who holds the key can stop the site for a moment; more he cannot do with this."""
    topic = topics.budget(SITE)
    now = json.loads(site.last(topic))
    del now["mac"]
    strange = now | {"epoch": now["epoch"] + 7, "seq": now["seq"] + 1, "admit_w": 9_000_000}
    site.publish(topic, site.seal(strange, topic, mac.budget_key(site.key)))
    site.until(
        lambda: site.drawn_w < 0.5 * site.limit_w, PATIENCE_S, "rigs without that ladder sleep"
    )
    site.until(lambda: site.near, PATIENCE_S, "the next true ones are followed again")
