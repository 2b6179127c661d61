"""Runs under pytest, and under MicroPython by tests/on_micropython.py."""

from protocols import topics


def test_the_topics_of_a_site():
    assert topics.budget("north-1") == "surplus/north-1/budget"
    assert topics.rig("north-1", "r7", "cmd") == "surplus/north-1/rig/r7/cmd"
    assert topics.rig("north-1", "+", "state") == "surplus/north-1/rig/+/state"


def test_every_rig_topic_comes_back():
    for kind in topics.KINDS:
        assert topics.parse(topics.rig("a", "r-2", kind)) == ("a", "r-2", kind)


def test_foreign_topics_are_none():
    for topic in (
        "",
        "surplus",
        "surplus/a/budget",
        "surplus/a/rig/b",
        "surplus/a/rig/b/",
        "surplus/a/rig/b/power",
        "surplus/a/rig/b/cmd/x",
        "surplus/a/rack/b/cmd",
        "Surplus/a/rig/b/cmd",
        "/surplus/a/rig/b/cmd",
        "surplus/a/rig/+/cmd",
        "surplus//rig/b/cmd",
        "surplus/a/rig//cmd",
        "surplus/a/rig/B/cmd",
        "surplus/a/rig/" + "b" * 33 + "/cmd",
    ):
        assert topics.parse(topic) is None, topic


def test_names():
    for name in ("a", "0", "s21-pro-000123", "x" * 32):
        assert topics.name_error(name) == ""
    for name in ("", "x" * 33):
        assert "1 to 32" in topics.name_error(name)
    for name, letter in (("A", "A"), ("a/b", "/"), ("a b", " "), ("a#", "#"), ("é", "é")):
        assert repr(letter) in topics.name_error(name)


def test_a_kind_nobody_knows_is_our_own_mistake():
    try:
        topics.rig("a", "b", "power")
    except AssertionError:
        return
    raise ValueError("a topic that is not in the contract was built")
