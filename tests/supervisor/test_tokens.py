"""Tokens: shown once, kept as hashes, ended and revoked."""

import json

import pytest

from supervisor.tokens import LOCAL, PREFIX, SHAPE, Caller, TokenError, Tokens

OWN = "5ca1ab1e" * 8


class Clock:
    def __init__(self):
        self.now_s = 1_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(tmp_path, clock):
    return Tokens(tmp_path / "tokens.json", OWN, clock)


def test_this_machines_own_token_is_the_admins(tokens):
    assert tokens.caller(OWN) == Caller(LOCAL, "admin")
    for nobody in ("", OWN[:-1], OWN + "0", "surplus_", "\udcff"):
        assert tokens.caller(nobody) is None


def test_a_token_is_shown_once_and_kept_as_a_hash(tokens, tmp_path, clock):
    token = tokens.add("ann", "technician", 1)
    assert SHAPE.fullmatch(token) and tokens.caller(token) == Caller("ann", "technician")
    file = tmp_path / "tokens.json"
    assert file.stat().st_mode & 0o077 == 0
    assert token not in file.read_text() and token[len(PREFIX) :] not in file.read_text()
    (kept,) = json.loads(file.read_text())
    assert (kept["name"], kept["made_s"], kept["until_s"]) == ("ann", 1_000.0, 1_000.0 + 86_400)
    again = Tokens(file, OWN, clock)
    assert again.caller(token) == Caller("ann", "technician")


def test_no_two_are_alike(tokens):
    assert len({tokens.add(f"n{n}", "viewer", None) for n in range(20)}) == 20


def test_it_ends(tokens, clock):
    token, endless = tokens.add("ann", "viewer", 1), tokens.add("bob", "viewer", None)
    clock.now_s += 86_399
    assert tokens.caller(token)
    clock.now_s += 1
    assert tokens.caller(token) is None and tokens.caller(endless)


def test_it_is_revoked_for_good(tokens, tmp_path, clock):
    token, other = tokens.add("ann", "viewer", 1), tokens.add("bob", "viewer", 1)
    assert tokens.revoke("ann") and not tokens.revoke("ann")
    assert tokens.caller(token) is None and tokens.caller(other)
    assert Tokens(tmp_path / "tokens.json", OWN, clock).caller(token) is None
    assert [kept.name for kept in tokens.all()] == ["bob"]


def test_a_follower_takes_those_of_the_leader_as_hashes(tokens, tmp_path, clock):
    token = tokens.add("ann", "technician", 1)
    other = Tokens(tmp_path / "other.json", OWN[::-1], clock)
    gone = other.add("bob", "viewer", 1)
    other.take(tokens.all())
    assert other.caller(token) == Caller("ann", "technician") and other.caller(gone) is None
    assert Tokens(tmp_path / "other.json", OWN, clock).all() == tokens.all()
    assert other.caller(OWN) is None, "the token of the leader's own machine stays there"


def test_who_must_know_is_told_of_every_change(tokens):
    told = []
    tokens.on_change = lambda: told.append([token.name for token in tokens.all()])
    tokens.add("ann", "viewer", 1)
    tokens.revoke("ann")
    tokens.revoke("ann")
    assert told == [["ann"], []]


@pytest.mark.parametrize(
    "name, role, days, reason",
    [
        ("", "viewer", 1, "1 to 32"),
        ("Ann", "viewer", 1, "1 to 32"),
        ("a" * 33, "viewer", 1, "1 to 32"),
        ("local", "viewer", 1, "not 'local'"),
        ("ann", "boss", 1, "viewer, technician, operator, admin"),
        ("ann", "viewer", 0, "days is above 0"),
        ("ann", "viewer", -1, "days is above 0"),
        ("ann", "viewer", float("nan"), "days is above 0"),
        ("ann", "viewer", 4000, "at most 3660"),
        ("old", "viewer", 1, "revoke it first"),
    ],
)
def test_what_cannot_be_made_has_a_reason(tokens, name, role, days, reason):
    tokens.add("old", "viewer", None)
    with pytest.raises(TokenError, match=reason):
        tokens.add(name, role, days)
    assert [kept.name for kept in tokens.all()] == ["old"]


def test_a_file_that_is_none_is_named_and_nobody_is_let_in(tmp_path):
    file = tmp_path / "tokens.json"
    file.write_text('[{"name": "ann"}]')
    with pytest.raises(TokenError, match=r"tokens\.json: .*; restore it"):
        Tokens(file, OWN)
