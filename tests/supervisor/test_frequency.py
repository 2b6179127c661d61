"""The grid's frequency: a droop with a dead band, down at once, back in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import Config
from supervisor.frequency import Droop, Response, frequency_of
from supervisor.inbox import Inbox, Sample
from supervisor.ledger import Ledger
from supervisor.sections.frequency import FrequencyConfig
from supervisor.sections.site import SiteConfig
from supervisor.site import Site

DROOP = Droop(50.0, 0.05, 0.9, recovery_s=60.0, restore_pct_per_min=20.0, stale_s=5.0)


@pytest.mark.parametrize(
    "hz, share", [(50.2, 1), (49.95, 1), (49.94, 0.978), (49.725, 0.5), (49.5, 0), (47.0, 0)]
)
def test_the_line(hz, share):
    assert DROOP.share(hz) == pytest.approx(share, abs=1e-3)
    if 0 < share < 1:
        assert DROOP.share(DROOP.hz(share)) == pytest.approx(share)


def test_sixty_hertz_has_its_own_line():
    droop = Droop(60.0, 0.017, 5.0)
    assert droop.share(59.983) == 1.0 and droop.share(58.483) == pytest.approx(0.5)


def play(response, *rows):
    """(hz, seconds) after each other, a sample a second; the share after each row."""
    shares, now_s = [], getattr(response, "at_s", 0.0)
    for hz, seconds in rows:
        for _ in range(seconds):
            now_s += 1.0
            response.step(Sample(hz, now_s), now_s)
        shares.append(round(response.share, 4))
    response.at_s = now_s
    return shares


def test_down_at_once_and_never_up_with_the_line():
    shares = play(Response(DROOP), (50, 3), (49.725, 1), (49.6, 1), (49.725, 300), (49.94, 300))
    assert shares == [1.0, 0.5, 0.2222, 0.2222, 0.2222]


def test_back_after_a_while_in_the_dead_band_at_a_ramp():
    shares = play(Response(DROOP), (49.5, 1), (49.95, 60), (50.0, 1), (50, 59), (50, 60), (50, 240))
    assert shares == [0.0, 0.0, 0.0033, 0.2, 0.4, 1.0]


def test_a_relapse_stops_it_where_it_is_and_begins_the_wait_anew():
    response = Response(DROOP)
    assert play(response, (49.5, 1), (50.0, 90), (49.94, 1)) == [0.0, 0.1, 0.1]
    assert play(response, (50.0, 60), (50.0, 30)) == [0.1, 0.2]
    assert play(response, (49.94, 1), (49.51, 1)) == [0.2, pytest.approx(0.0222)]


def test_a_frequency_nobody_reads_gives_nothing_back():
    response = Response(DROOP)
    play(response, (49.725, 1), (50.0, 59))
    old = Sample(50.0, response.at_s)
    assert response.step(old, response.at_s + 5.0) > 0.5 - 1e-9
    share = response.step(old, response.at_s + 5.1)
    assert all(response.step(old, response.at_s + 6 + n) == share for n in range(500))
    response.at_s += 600
    assert play(response, (50.0, 60)) == [round(share, 4)], "and the wait begins anew"


def test_what_is_left_when_it_is_lost_is_the_sites_choice():
    response = Response(Droop(silent_share=0.3))
    response.step(Sample(50.0, 0.0), 0.0)
    assert response.step(Sample(50.0, 0.0), 5.0) == 1.0
    assert response.step(Sample(50.0, 0.0), 5.1) == 0.3
    assert Response(Droop(silent_share=0.3)).step(None, 100.0) == 1.0, "it was never there"


def test_shares_are_of_what_was_drawn_when_it_began():
    response = Response(DROOP)
    assert response.entry(Sample(50.0, 0.0), 0.0, 100, 1100) is None
    first = response.entry(Sample(49.725, 1.0), 1.0, 100, 1100)
    assert first.limit_w(1.0) == pytest.approx(600, abs=1) and first.emergency
    assert "49.73 Hz" in first.because or "49.72 Hz" in first.because
    later = response.entry(Sample(49.725, 2.0), 2.0, 100, 600)
    assert later.limit_w(2.0) == first.limit_w(1.0), "not of what is left"


def test_all_of_it_is_over_when_all_is_given_back():
    response = Response(DROOP)
    response.entry(Sample(49.86, 0.0), 0.0, 100, 1100)
    now_s = 1.0
    while response.entry(Sample(50.0, now_s), now_s, 100, 900) is not None:
        now_s += 1.0
    assert 1 + 60 + 60 <= now_s <= 1 + 60 + 62, "20 % at 20 % a minute, after a minute"


def test_what_the_next_supervisor_takes_up():
    response, heir = Response(DROOP), Response(DROOP)
    response.entry(Sample(49.725, 1.0), 1.0, 100, 1100)
    heir.recall(response.keep())
    assert heir.entry(Sample(50.0, 2.0), 2.0, 100, 100).limit_w(2.0) == pytest.approx(600, abs=1)
    assert heir.entry(Sample(50.0, 61.0), 61.0, 100, 600).limit_w(2.0) == pytest.approx(600, abs=1)


def test_what_has_to_be_decided_at_once():
    response = Response(DROOP)
    low_hz, high_hz = response.quiet_hz
    assert (low_hz, high_hz) == (pytest.approx(49.95), float("inf"))
    response.step(Sample(49.725, 1.0), 1.0)
    assert 49.70 < response.quiet_hz[0] < 49.725


@given(st.lists(st.tuples(st.floats(40, 60), st.integers(1, 90)), max_size=8))
def test_whatever_the_frequency_does_nothing_above_the_line_is_left(rows):
    response = Response(DROOP)
    now_s, before = 0.0, 1.0
    for hz, seconds in rows:
        for _ in range(seconds):
            now_s += 1.0
            share = response.step(Sample(hz, now_s), now_s)
            assert 0.0 <= share <= DROOP.share(hz)
            assert share <= before + 20 / 6000 + 1e-9, "down at once, up at the ramp"
            before = share


def test_settings_left_out_are_those_of_the_line():
    assert Droop() == Droop(50.0, 0.05, 0.9, 60.0, 20.0, 5.0, 1.0)
    config = Config(site=SiteConfig(name="s", limit_mw=1.0), frequency=FrequencyConfig())
    assert frequency_of(config).droop == Droop()
    assert frequency_of(Config(site=SiteConfig(name="s", limit_mw=1.0))) is None


def test_a_clock_that_stands_gives_nothing_back():
    response = Response(DROOP)
    play(response, (49.725, 1), (50.0, 61))
    share = response.share
    response.step(Sample(50.0, response.at_s), response.at_s)
    response.step(Sample(50.0, response.at_s), response.at_s - 5.0)
    assert response.share == share


def test_the_sites_beat_answers_to_it_and_the_next_supervisor_goes_on(tmp_path):
    """From the inbox to the envelope, with its reason, and through the ledger."""
    config = Config(
        site=SiteConfig(name="s", limit_mw=1.0, default_mw=1.0), frequency=FrequencyConfig()
    )
    inbox, told = Inbox(), []

    def beat(site, hz, now_s):
        inbox.put_frequency(hz, now_s)
        site.tick(now_s, 1e9 + now_s, lambda *words: told.append(words) or True)
        return site.envelope

    ledger = Ledger(tmp_path / "ledger.db")
    site = Site(config, inbox, ledger, bytes(32), 0.0, 1e9)
    assert beat(site, 50.0, 1.0).source == "site"
    assert inbox.quiet_hz[0] == pytest.approx(49.95)
    inbox.wake.clear()
    fallen = beat(site, 49.6, 2.0)
    assert inbox.wake.is_set(), "it is not left to the next beat"
    assert fallen.source == "frequency" and "49.60 Hz: 22% of what was drawn" in fallen.because
    ledger.close()
    ledger = Ledger(tmp_path / "ledger.db")
    heir = Site(config, inbox, ledger, bytes(32), 3.0, 1e9 + 3.0)
    assert beat(heir, 50.0, 4.0).source == "frequency", "what was given is not forgotten"
    ledger.close()
