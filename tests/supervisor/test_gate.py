"""Who gets in and who may do what: every route with every role, the record, the limits."""

import socket

import fake_site
import httpx
import pytest
from fake_site import FakeSite, door_of, served
from made_up import TOKEN
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from supervisor import listening, roles
from supervisor.limits import Limit
from supervisor.routes import HANDLERS, stream
from supervisor.view import SignalOrder

pytestmark = pytest.mark.real_time
ORDER = {"mw": 3.2, "for_s": 900, "by": "somebody-else"}
# what is sent to a route that wants something
SENT = {
    ("POST", "/api/signal"): {"json": ORDER},
    ("POST", "/api/alarms/ack"): {"json": {"key": "rig-silent c07"}},
    ("POST", "/api/silences"): {"json": {"rule": "rig-hot", "for_s": 60}},
    ("GET", "/api/history"): {"params": {"from_s": 1, "to_s": 2}},
    ("GET", "/api/rigs/{rig}/history"): {"params": {"from_s": 1, "to_s": 2}},
    ("POST", "/api/signal/excuse"): {"json": {"source": "dispatch", "for_s": 60}},
    ("POST", "/api/signal/preview"): {"json": {"mw": 2.0}},
    ("POST", "/api/holds"): {"json": {"rigs": ["rig-0001"], "for_s": 60, "level": 0}},
    ("POST", "/api/holds/preview"): {"json": {"rigs": ["rig-0001"], "for_s": 60, "level": 0}},
    ("POST", "/api/holds/release"): {"json": {"rigs": ["rig-0001"]}},
    ("POST", "/api/tokens"): {"json": {"name": "eve", "role": "viewer", "days": 1}},
}


class Site:
    """A served site, its door, and a client for each role."""

    def __init__(self, folder, **limits):
        self.fake = FakeSite()
        self.door = door_of(self.fake, folder, **limits)
        self.tokens = {role: self.door.tokens.add(role, role, 1) for role in roles.ROLES}

    def ask(self, method, path, token, **more):
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.request(method, path, headers=headers, **more)


@pytest.fixture
def site(tmp_path, request):
    site = Site(tmp_path, **getattr(request, "param", {}))
    with served(site.fake, door=site.door) as site.port, httpx.Client(trust_env=False) as site.http:
        site.http.base_url = f"http://127.0.0.1:{site.port}"
        yield site


# ---- roles


def test_every_route_is_in_the_table_and_no_other():
    served = {
        (method, path.replace(":str", ""))
        for handler in HANDLERS
        for path in handler.paths
        for method in (getattr(handler, "http_methods", None) or {"WS"}) - {"HEAD", "OPTIONS"}
    }
    assert served | {("GET", "/api/schema")} == set(roles.NEEDS)
    assert set(roles.NEEDS.values()) <= set(roles.ROLES)


@pytest.mark.parametrize("path", ["/api/schema/openapi.json", "/api/schema/x", "/schema", "/"])
def test_what_is_not_in_the_table_is_not_there(site, path):
    assert site.ask("GET", path, TOKEN).status_code == 404


@pytest.mark.parametrize("role", roles.ROLES)
def test_every_route_with_every_role(site, role):
    for (method, path), needed in roles.NEEDS.items():
        if method == "WS":
            continue
        place = path.replace("{rig}", "rig-0001").replace("{name}", "nobody")
        answer = site.ask(method, place, site.tokens[role], **SENT.get((method, path), {}))
        if roles.may(role, needed):
            refused = () if (method, path) in SENT or method == "GET" else (400, 422)
            assert answer.status_code in (200, 404, *refused), (method, path, answer.text)
            assert answer.status_code != 404 or "nobody" in place or method == "DELETE"
        else:
            assert answer.status_code == 403, (method, path)
            assert answer.json() == {"error": f"this needs the role {needed}; {role} is {role}"}
    said = [order for order in site.fake.orders if isinstance(order, SignalOrder)]
    assert len(said) == roles.may(role, roles.OPERATOR)
    assert ("eve" in [t.name for t in site.door.tokens.all()]) == (role == roles.ADMIN)


def test_the_live_socket_is_for_viewers_too(site):
    with connect(
        f"ws://127.0.0.1:{site.port}/api/live",
        additional_headers={"Authorization": f"Bearer {site.tokens['viewer']}"},
        proxy=None,
    ) as live:
        assert live.recv(5)


def test_an_open_socket_ends_with_its_token(site, monkeypatch):
    monkeypatch.setattr(stream, "PUSH_S", 0.1)
    headers = {"Authorization": f"Bearer {site.tokens['viewer']}"}
    with connect(
        f"ws://127.0.0.1:{site.port}/api/live", additional_headers=headers, proxy=None
    ) as live:
        live.recv(5)
        site.door.tokens.revoke("viewer")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                live.recv(5)
    assert closed.value.rcvd.code == stream.NO_TOKEN


def test_a_technician_holds_a_few_rigs_and_an_operator_many(site):
    few = {"rigs": [f"rig-{n:04}" for n in range(1, 51)], "for_s": 60, "level": 0, "by": "x"}
    many = few | {"rigs": [*few["rigs"], "rig-0051"]}
    technician, operator = site.tokens["technician"], site.tokens["operator"]
    assert site.ask("POST", "/api/holds", technician, json=few).status_code == 200
    refused = site.ask("POST", "/api/holds", technician, json=many)
    assert refused.status_code == 403 and "more than 50 rigs" in refused.json()["error"]
    assert site.ask("POST", "/api/holds", operator, json=many).status_code == 200
    refused = site.ask("POST", "/api/holds/release", technician, json={"rigs": many["rigs"]})
    assert refused.status_code == 403
    assert [(order.by, len(order.rigs)) for order in site.fake.holding.orders] == [
        ("technician", 50),
        ("operator", 51),
    ]


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"for_s": 0}, "for_s is above 0"),
        ({"for_s": 1e9}, "30 days"),
        ({"level": None}, "one of level, watts and maintenance"),
        ({"watts": 500}, "one of level, watts and maintenance"),
        ({"level": -1}, "level is 0 to 255"),
        ({"rigs": []}, "rigs are 1 to 2000"),
        ({"why": "x" * 201}, "200 characters"),
    ],
)
def test_a_hold_that_cannot_be_has_a_reason(site, change, reason):
    order = {"rigs": ["rig-0001"], "for_s": 60, "level": 0} | change
    for path in ("/api/holds", "/api/holds/preview"):
        answer = site.ask("POST", path, TOKEN, json=order)
        assert answer.status_code == 422 and reason in answer.json()["error"]
    assert not site.fake.holding.orders


def test_a_token_has_its_own_name_and_only_this_machine_says_others(site):
    site.ask("POST", "/api/signal", site.tokens["operator"], json=ORDER)
    site.ask("POST", "/api/signal", TOKEN, json=ORDER)
    assert [order.by for order in site.fake.orders] == ["operator", "somebody-else"]


def test_one_is_told_who_one_is(site):
    told = site.ask("GET", "/api/me", site.tokens["technician"]).json()
    assert told == {"name": "technician", "role": "technician"}


# ---- tokens over the API


def test_a_token_made_over_the_api_works_until_it_is_revoked(site):
    order = {"name": "eve", "role": "viewer", "days": 1}
    made = site.ask("POST", "/api/tokens", TOKEN, json=order).json()
    assert site.ask("GET", "/api/site", made["token"]).status_code == 200
    listed = site.ask("GET", "/api/tokens", TOKEN).json()
    assert [t["name"] for t in listed] == ["admin", "eve", "operator", "technician", "viewer"]
    assert "digest" not in str(listed) and made["token"] not in str(listed)
    again = site.ask("POST", "/api/tokens", TOKEN, json=order)
    assert again.status_code == 422 and "revoke it first" in again.json()["error"]
    assert site.ask("DELETE", "/api/tokens/eve", TOKEN).json() == {"revoked": "eve"}
    assert site.ask("GET", "/api/site", made["token"]).status_code == 401
    assert site.ask("DELETE", "/api/tokens/eve", TOKEN).status_code == 404


# ---- the record


def test_every_write_is_recorded_with_its_result_and_nothing_else_is(site):
    site.ask("GET", "/api/site", TOKEN)
    site.ask("POST", "/api/signal", site.tokens["viewer"], json=ORDER)
    site.ask("POST", "/api/signal", site.tokens["operator"], json=ORDER)
    site.ask("DELETE", "/api/signal?source=nobody", TOKEN)
    site.ask("POST", "/api/signal", TOKEN, content=b"\xff{")
    site.ask("POST", "/nowhere", TOKEN)
    site.ask("POST", "/api/signal", "wrong", json=ORDER)
    deeds = site.fake.deeds
    assert [(d.who, d.role, d.what, d.status) for d in deeds] == [
        ("viewer", "viewer", "POST /api/signal", 403),
        ("operator", "operator", "POST /api/signal", 200),
        ("local", "admin", "DELETE /api/signal?source=nobody", 404),
        ("local", "admin", "POST /api/signal", 400),
        ("local", "admin", "POST /nowhere", 404),
    ]
    assert deeds[1].said == ORDER and deeds[1].result == '{"accepted":"operator"}'
    assert "needs the role operator" in deeds[0].result and deeds[0].address == "127.0.0.1"
    assert deeds[3].said == "�{"


def test_no_token_gets_into_the_record(site):
    order = {"name": "eve", "role": "viewer", "days": 1}
    made = site.ask("POST", "/api/tokens", TOKEN, json=order).json()
    (deed,) = site.fake.deeds
    assert deed.said == order and made["token"] not in deed.result and "***" in deed.result


def test_what_cannot_be_recorded_is_not_answered_as_done(site, monkeypatch):
    monkeypatch.setattr(site.door, "record", lambda deed: 1 / 0)
    answer = site.ask("POST", "/api/signal", TOKEN, json=ORDER)
    assert answer.status_code == 500


def test_a_long_body_is_refused_and_not_kept(site):
    answer = site.ask("POST", "/api/signal", TOKEN, json=ORDER | {"by": "x" * 10_000})
    assert answer.status_code == 413
    assert [d.status for d in site.fake.deeds] == [413]
    assert len(str(site.fake.deeds[0].said)) < 5000


# ---- limits


@pytest.mark.parametrize("site", [{"asks": Limit(0.001, 3)}], indirect=True)
def test_one_who_asks_too_often_waits_and_others_do_not(site):
    answers = [site.ask("GET", "/api/me", site.tokens["viewer"]) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert (
        int(answers[-1].headers["retry-after"]) > 0 and "too often" in answers[-1].json()["error"]
    )
    assert site.ask("GET", "/api/me", site.tokens["admin"]).status_code == 200
    assert site.door.refused[429] == 1


@pytest.mark.parametrize("site", [{"writes": Limit(0.001, 2)}], indirect=True)
def test_writes_have_their_own_limit(site):
    sent = [site.ask("POST", "/api/signal", TOKEN, json=ORDER).status_code for _ in range(3)]
    assert sent == [200, 200, 429] and len(site.fake.orders) == 2
    assert site.ask("GET", "/api/me", TOKEN).status_code == 200


@pytest.mark.parametrize("site", [{"wrong": Limit(0.001, 3)}], indirect=True)
def test_wrong_tokens_are_soon_not_looked_at_and_a_right_one_always_is(site):
    tried = [site.ask("GET", "/api/me", f"guess{n}").status_code for n in range(5)]
    assert tried == [401, 401, 401, 429, 429]
    assert site.ask("GET", "/api/me", site.tokens["viewer"]).status_code == 200
    assert site.door.refused == {401: 3, 429: 2}


# ---- connections


@pytest.mark.parametrize(
    "said", [b"", b"GET /api/me HTTP/1.1\r\nHost: x\r\n", b"POST /a HTTP/1.1\r\nHost: x\r\n"
    b"Authorization: Bearer " + TOKEN.encode() + b"\r\nContent-Length: 9\r\n\r\nab"]
)  # fmt: skip
def test_a_connection_that_does_not_get_on_is_closed(tmp_path, monkeypatch, said):
    monkeypatch.setattr(listening, "REQUEST_S", 0.3)
    fake = FakeSite()
    with (
        served(fake, door=door_of(fake, tmp_path)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as slow,
    ):
        slow.sendall(said)
        while slow.recv(4096):
            pass  # an answer may come first; the end must


def test_idle_connections_do_not_shut_out_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "REQUEST_S", 0.3)
    fake = FakeSite()
    with served(fake, door=door_of(fake, tmp_path)) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        for connection in slow:
            connection.settimeout(5)
            assert connection.recv(10) == b""
            connection.close()
        assert fake_site.get(port, "/api/me").status_code == 200


def test_endless_headers_are_refused(site):
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as wordy:
        wordy.sendall(b"GET /api/me HTTP/1.1\r\nx: " + b"y" * 100_000)
        assert b" 400 " in wordy.recv(4096)
