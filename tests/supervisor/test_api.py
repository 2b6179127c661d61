"""The API over real sockets, with a made-up site behind it."""

import asyncio
import signal
from contextlib import ExitStack

import fake_site
import httpx
import msgspec
import pytest
from fake_site import FakeSite, door_of, served
from made_up import EVENTS, RIGS, SITE, TOKEN
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from supervisor import api, routes
from supervisor.live import Frame, Wish
from supervisor.routes import stream
from supervisor.routes.desk import Desk
from supervisor.view import EventView, RigView, SiteView

AUTH = {"Authorization": f"Bearer {TOKEN}"}
ORDER = {"mw": 3.2, "for_s": 900, "by": "ada"}
pytestmark = pytest.mark.real_time


@pytest.fixture(scope="module")
def site():
    return FakeSite()


@pytest.fixture(scope="module")
def port(site):
    with served(site) as port:
        yield port


@pytest.fixture(scope="module")
def http(port):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=AUTH, trust_env=False) as http:
        yield http


def live(port, token=TOKEN):
    headers = {"Authorization": f"Bearer {token}"}
    return connect(f"ws://127.0.0.1:{port}/api/live", additional_headers=headers, proxy=None)


def test_the_views_arrive_whole(http):
    assert msgspec.json.decode(http.get("/api/site").content, type=SiteView) == SITE
    events = http.get("/api/events?limit=1").content
    assert msgspec.json.decode(events, type=list[EventView]) == EVENTS[:1]
    assert http.get("/api/rigs/rig-0007/why").json()["lines"][-1] == "it runs"


def test_rigs_are_chosen_where_they_are(http):
    rigs = msgspec.json.decode(http.get("/api/rigs?limit=3").content, type=list[RigView])
    assert [rig.rig for rig in rigs] == ["rig-0007", "rig-0042", "rig-0001"]
    rigs = http.get("/api/rigs", params={"text": "FAN stands", "order": "rig"}).json()
    assert [rig["rig"] for rig in rigs] == ["rig-0042"]


@pytest.mark.parametrize(
    "method, path",
    [("GET", "/api/site"), ("POST", "/api/signal"), ("GET", "/nowhere"), ("DELETE", "/api/signal")],
)
@pytest.mark.parametrize("given", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer ü"])
def test_without_the_token_nothing_is_said(http, site, method, path, given):
    headers = {"Authorization": b"" if given is None else given.encode()}
    orders = len(site.orders)
    answer = http.request(method, path, headers=headers, json=ORDER if method == "POST" else None)
    assert answer.status_code == 401 and "token" in answer.json()["error"]
    assert len(site.orders) == orders and not site.withdrawn


@pytest.mark.parametrize(
    "path, status, reason",
    [
        ("/api/rigs?order=beauty", 400, "there are: sickness"),
        ("/api/rigs?limit=0", 400, "limit is 1 to 2000"),
        ("/api/rigs?limit=many", 400, "limit"),
        ("/api/events?limit=9999", 400, "limit"),
        (f"/api/rigs?text={'x' * 65}", 400, "64 characters"),
        ("/api/rigs/rig-9999/why", 404, "rig-9999"),
        ("/api/nothing", 404, "Not Found"),
    ],
)
def test_a_bad_question_gets_a_reason(http, path, status, reason):
    answer = http.get(path)
    assert answer.status_code == status and reason in answer.json()["error"]


def test_an_order_reaches_the_site(http, site):
    assert http.post("/api/signal", json=ORDER).json() == {"accepted": "ada"}
    assert (site.orders[-1].mw, site.orders[-1].for_s, site.orders[-1].by) == (3.2, 900, "ada")


def test_a_push_may_be_tried_first(http, site):
    orders = len(site.orders)
    tried = http.post("/api/signal/push?preview=1", content=b"{}").json()
    assert tried["sleep"] == 340 and len(site.orders) == orders
    assert http.post("/api/signal/push", content=b"{}").json() == {"accepted": "http"}
    assert len(site.orders) == orders + 1
    site.refusal = "seq is 7, not above the last one"
    try:
        answer = http.post("/api/signal/push?preview=1", content=b"{}")
    finally:
        site.refusal = ""
    assert answer.status_code == 422 and "seq is 7" in answer.json()["error"]


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"mw": -1}, "mw is 0 to 10000"),
        ({"mw": 1e9}, "mw is 0 to 10000"),
        ({"mw": "much"}, "mw"),
        ({"for_s": 0}, "for_s is above 0"),
        ({"for_s": 1e9}, "a week"),
        ({"by": ""}, "1 to 32"),
        ({"by": "a\x1b[2J"}, "1 to 32"),
    ],
)
def test_an_impossible_order_is_refused_with_its_reason(http, site, change, reason):
    orders = len(site.orders)
    answer = http.post("/api/signal", json=ORDER | change)
    assert answer.status_code in (400, 422) and reason in answer.json()["error"]
    assert len(site.orders) == orders


def test_numbers_json_cannot_say_are_refused(http):
    answer = http.post("/api/signal", content=b'{"mw": 1e999, "for_s": 900}')
    assert answer.status_code in (400, 422) and answer.json()["error"]


def test_the_sites_own_refusal_is_passed_on(http, site):
    site.refusal = "two people must agree"
    try:
        answer = http.post("/api/signal", json=ORDER)
    finally:
        site.refusal = ""
    assert answer.status_code == 422 and answer.json() == {"error": "two people must agree"}


def test_a_signal_is_withdrawn_by_its_source(http, site):
    assert http.delete("/api/signal").json() == {"withdrawn": "operator"}
    answer = http.delete("/api/signal?source=nobody")
    assert answer.status_code == 404 and "nobody" in answer.json()["error"]
    site.withdrawn.clear()


def test_a_long_body_is_refused(http):
    answer = http.post("/api/signal", json=ORDER | {"by": "x" * routes.BODY_MAX})
    assert answer.status_code == 413 and answer.json()["error"]


def test_a_failure_inside_is_told_without_its_insides(http, site):
    site.broken = True
    try:
        answer = http.get("/api/site")
    finally:
        site.broken = False
    assert answer.status_code == 500 and "secret" not in answer.text and answer.json()["error"]


def test_frames_come_by_themselves_and_at_once_after_a_wish(port, monkeypatch):
    with live(port) as socket:
        first = msgspec.json.decode(socket.recv(5), type=Frame)
        assert (first.site, first.rigs[0].rig, len(first.rigs)) == (SITE, "rig-0007", 200)
        assert msgspec.json.decode(socket.recv(5), type=Frame).events == EVENTS
        monkeypatch.setattr(stream, "PUSH_S", 60.0)
        socket.send(msgspec.json.encode(Wish(limit=1, order="rig", text="s21")), text=True)
        shown = first.rigs
        while len(shown) > 1:  # one of the old beat may be under way
            shown = msgspec.json.decode(socket.recv(5), type=Frame).rigs
        assert shown == RIGS[:1]


@pytest.mark.parametrize("wish", ['{"order": "beauty"}', "no json", '{"limit": 0}'])
def test_a_bad_wish_closes_the_socket_with_its_reason(port, wish):
    with live(port) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.send(wish)
        while True:
            socket.recv(5)
    assert closed.value.rcvd.code == stream.BAD_WISH and closed.value.rcvd.reason


def test_the_socket_wants_the_token_too(port):
    with pytest.raises(InvalidStatus) as refused, live(port, "wrong"):
        pass
    assert refused.value.response.status_code == 401


def test_it_stops_when_cancelled_even_with_a_screen_open():
    with ExitStack() as screens:
        with served(FakeSite()) as port:
            socket = screens.enter_context(live(port))
            socket.recv(5)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(5)


@pytest.mark.asyncio
async def test_the_programs_signals_stay_its_own(tmp_path):
    before, up = signal.getsignal(signal.SIGTERM), asyncio.Event()
    site = FakeSite()
    door = door_of(site, tmp_path)
    running = asyncio.create_task(
        api.serve(Desk(site), "127.0.0.1", 0, door, lambda port: up.set())
    )
    await asyncio.wait_for(up.wait(), 10)
    assert signal.getsignal(signal.SIGTERM) is before
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(api.ApiError, match="loopback only"):
        api.listen(host, 0)


def test_a_taken_port_is_named(port):
    with pytest.raises(api.ApiError, match=f"port {port}"):
        api.listen("127.0.0.1", port).listen()


def test_the_made_up_site_is_a_provider():
    provider: routes.Provider = fake_site.FakeSite()
    assert provider.events(1) == EVENTS[:1]
