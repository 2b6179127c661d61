"""Everybody's word, settled into one limit and its reason."""

from hypothesis import assume, given
from hypothesis import strategies as st

from supervisor.envelope import FOREVER, Entry, Envelope, settle
from supervisor.loss import Loss

OWN_W, DEFAULT_W, NOW_S = 5_000, 200, 1_000.0


def says(source, w, **more):
    """An entry heard just now."""
    return Entry(source, ((NOW_S - 10, w),), **({"heard_s": NOW_S} | more))


def settled(*entries, now_s=NOW_S):
    return settle(entries, OWN_W, DEFAULT_W, now_s)


def test_with_nobody_speaking_boot_is_failsafe():
    assert settled() == Envelope(DEFAULT_W, "site", "no signal: the site's default")
    assert settle([], 100, 200, NOW_S).limit_w == 100, "the breaker is above the default"


def test_the_smallest_word_wins_and_gives_its_reason():
    assert settled(says("grid", 900), says("market", 700, because="evening peak")) == Envelope(
        700, "market", "evening peak"
    )


def test_an_entry_without_a_reason_has_its_schedule():
    assert settled(says("csv", 900)).because == "its schedule"


def test_the_sites_own_limit_holds_above_all():
    assert settled(says("grid", 9_000)) == Envelope(OWN_W, "site", "the site's own limit")
    assert settled(says("grid", OWN_W)).source == "grid"


def test_on_equal_words_the_first_wins():
    assert settled(says("one", 800), says("two", 800)).source == "one"


def test_zero_is_a_word_and_not_silence():
    assert settled(says("grid", 0)).limit_w == 0


def test_past_its_end_an_entry_says_its_default():
    ends = says("grid", 900, until_s=NOW_S + 5, default_w=300, because="peak")
    assert settled(ends, now_s=NOW_S + 4.9).limit_w == 900
    assert settled(ends, now_s=NOW_S + 5) == Envelope(
        300, "grid", "its default, since its word is over"
    )


def test_a_silent_source_says_its_default():
    beats = says("grid", 900, loss=Loss(after_s=60.0), default_w=0)
    assert settled(beats, now_s=NOW_S + 59.9).limit_w == 900
    assert settled(beats, now_s=NOW_S + 60).limit_w == 0


def test_without_a_default_it_says_nothing_and_the_rest_decide():
    over = says("wish", 100, until_s=NOW_S)
    assert settled(over, says("grid", 900)).limit_w == 900
    assert settled(over).because == "no signal: the site's default"


def test_before_its_first_row_an_entry_says_its_default():
    ahead = Entry("csv", ((NOW_S + 60, 900),), heard_s=NOW_S, default_w=50, because="a file")
    assert settled(ahead) == Envelope(50, "csv", "a file")
    assert settled(ahead, now_s=NOW_S + 60).limit_w == 900
    assert Entry("mute", (), default_w=None).limit_w(NOW_S) is None


def test_an_entry_without_an_end_is_for_ever_and_was_heard_long_ago():
    entry = Entry("plain", ((0.0, 1),))
    assert not entry.over(1e12)
    assert (entry.heard_s, entry.seq, entry.default_w) == (0.0, 0, None)


def test_a_row_holds_until_the_next_one():
    entry = Entry("csv", ((10.0, 1), (20.0, 2), (30.0, 3)), until_s=40.0)
    assert [entry.limit_w(t) for t in (9.9, 10.0, 19.9, 20.0, 39.9, 40.0)] == [
        None,
        1,
        1,
        2,
        3,
        None,
    ]
    assert entry.changes(10.0) == [(20.0, 2), (30.0, 3)]
    assert entry.changes(30.0) == []
    assert Entry("csv", ((10.0, 1), (40.0, 2)), until_s=40.0).changes(0.0) == [(10.0, 1)]


def test_a_rise_may_be_slow_and_a_fall_is_at_once():
    entry = Entry("x", ((0.0, 100), (10.0, 40), (20.0, 100), (30.0, 50)), 40.0, up_w_per_s=2.0)
    said = [entry.limit_w(t) for t in (0, 9.9, 10, 19, 20, 25, 29.9, 30, 39)]
    assert said == [100, 100, 40, 40, 40, 50, 59, 50, 50]
    assert Entry("x", ((0.0, 0), (1.0, 10)), up_w_per_s=2.0).limit_w(1e9) == 10


def test_what_was_said_as_an_emergency_is_one():
    assert Entry("x", (), kind="emergency").emergency and not Entry("x", ()).emergency


times = st.floats(0, 100)
losses = st.builds(
    Loss,
    policy=st.sampled_from(["default", "follow-schedule", "hold-last"]),
    after_s=times | st.just(FOREVER),
    hold_s=times,
    delay_s=times,
    fall_w_per_s=st.none() | st.floats(1, 1000),
)
entries = st.builds(
    Entry,
    source=st.sampled_from("abc"),
    schedule=st.lists(st.tuples(times, st.integers(0, 9_000)), max_size=4).map(
        lambda rows: tuple(sorted(rows))
    ),
    until_s=times | st.just(FOREVER),
    heard_s=times,
    loss=losses,
    default_w=st.none() | st.integers(0, 9_000),
    up_w_per_s=st.none() | st.floats(0, 1000),
)


@given(st.lists(entries, max_size=5), times)
def test_never_above_any_word_nor_the_sites_own_limit(said, now_s):
    envelope = settle(said, OWN_W, DEFAULT_W, now_s)
    words = [w for entry in said if (w := entry.limit_w(now_s)) is not None]
    assert envelope.limit_w == min([OWN_W, *words] if words else [OWN_W, DEFAULT_W])
    assert envelope.because


@given(st.lists(entries, max_size=4), entries, times)
def test_one_more_word_never_lifts_a_limit_somebody_set(said, more, now_s):
    if any(entry.limit_w(now_s) is not None for entry in said):
        before = settle(said, OWN_W, DEFAULT_W, now_s)
        assert settle([*said, more], OWN_W, DEFAULT_W, now_s).limit_w <= before.limit_w


@given(entries, times)
def test_what_is_over_only_ever_comes_nearer_to_its_default(entry, now_s):
    if entry.over(now_s) and entry.default_w is not None and entry.schedule:
        assume(entry.schedule[0][0] <= now_s)
        later = [entry.limit_w(now_s + more_s) for more_s in (0, 1, 10, 100, 10_000)]
        away_w = [abs(w - entry.default_w) for w in later]
        assert away_w == sorted(away_w, reverse=True) and away_w[-1] == 0


def test_a_person_may_excuse_the_default_of_who_is_gone_and_nothing_else():
    gone = says("mqtt", 900, loss=Loss(after_s=60.0), default_w=0)
    excused = {"mqtt": NOW_S + 3600}

    def limit_w(entry, now_s):
        return settle([entry, says("grid", 800)], OWN_W, DEFAULT_W, now_s, excused).limit_w

    assert limit_w(gone, NOW_S + 10) == 800, "while it is heard its word counts"
    assert limit_w(says("mqtt", 70, default_w=0), NOW_S + 10) == 70
    assert limit_w(gone, NOW_S + 70) == 800
    assert limit_w(gone, NOW_S + 3600) == 0, "an excuse ends by itself"
    alarm = says("mqtt", 0, loss=Loss(after_s=60.0), default_w=0, kind="emergency")
    assert limit_w(alarm, NOW_S + 70) == 0
    assert settle([gone], OWN_W, DEFAULT_W, NOW_S + 70, excused).limit_w == DEFAULT_W
