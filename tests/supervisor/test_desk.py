"""Two supervisors as people see them: the leader answers, the follower says who leads."""

import asyncio
import socket
from contextlib import closing

import pytest
from fake_site import FakeSeat, FakeSite, door_of, get, served
from made_up import SITE, STANDBY, TOKEN
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from supervisor import cli
from supervisor.client import Client, ClientError, FollowingError, RefusedError, connected
from supervisor.live import Frame
from supervisor.routes.desk import Desk
from supervisor.tui.feed import LiveFeed, Lost
from supervisor.view import SignalOrder

pytestmark = pytest.mark.real_time
FOLLOWS = {"rank": 1, "leads": False}
ORDER = SignalOrder(mw=3.2, for_s=900.0, by="ada")


class Pair:
    """A follower and a leader, as a state directory each; desk is the follower's."""

    def __init__(self, folder):
        self.site, self.seat = FakeSite(), FakeSeat(**FOLLOWS)
        self.desk = Desk(None, self.seat)
        self.folders = {name: folder / name for name in ("follower", "leader")}
        for path in self.folders.values():
            path.mkdir()
        self.ports = {}

    def surplus(self, name, *words, **env):
        env = {"SURPLUS_STATE": str(self.folders[name])} | env
        return CliRunner().invoke(cli.build(words[0]), words, env=env)

    @property
    def both(self):
        return ",".join(f"127.0.0.1:{self.ports[name]}" for name in ("follower", "leader"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("pair"))
    with (
        served(pair.site, pair.folders["follower"], desk=pair.desk) as follower,
        served(pair.site, pair.folders["leader"]) as leader,
    ):
        pair.ports = {"follower": follower, "leader": leader}
        yield pair


@pytest.fixture
def pair(shared):
    shared.seat.now, shared.desk.provider = FakeSeat(**FOLLOWS).now, None
    shared.site.orders, shared.site.refusal = [], ""
    return shared


def test_a_follower_says_who_leads_and_answers_nothing_else(pair):
    port = pair.ports["follower"]
    for path in ("/api/site", "/api/rigs", "/metrics", "/nowhere"):
        answer = get(port, path)
        assert answer.status_code == 503
        said = "following the leader of term 3, heard 0.4 s ago: ask the other supervisor"
        assert answer.json() == {"error": said}
    assert get(port, "/api/me").json()["role"] == "admin"
    assert get(port, "/api/standby").json()["leads"] is False
    assert get(port, "/api/site", token="x").status_code == 401, "only to who has a token"


def test_nothing_can_be_ordered_from_a_follower_and_nothing_is_recorded_as_done(pair):
    with connected(pair.folders["follower"]) as client, pytest.raises(FollowingError):
        client.order_signal(ORDER)
    assert not pair.site.orders and not pair.site.deeds


@pytest.mark.parametrize(
    ("shown", "wrong", "code"),
    [
        ({}, [], 0),
        ({"ready": False}, ["it could not take over"], 1),
        ({"heard_s": 9.0}, ["no leader has been heard for 9.0 s"], 1),
        ({"connected": False, "heard_s": 9.0}, ["no connection to the broker"], 1),
    ],
)
def test_status_of_a_follower(pair, shown, wrong, code):
    pair.seat.now = FakeSeat(**FOLLOWS, **shown).now
    result = pair.surplus("follower", "status")
    assert result.exit_code == code, result.output
    assert "karoo, supervisor 1 of 0 and 1" in result.stdout
    assert f"following term 3, last heard {'9' if 'heard_s' in shown else '0'}" in result.stdout
    said = [line for line in result.stdout.splitlines() if line.startswith("wrong")]
    assert len(said) == len(wrong) and all(w in line for w, line in zip(wrong, said, strict=True))
    as_json = pair.surplus("follower", "status", "--json")
    assert '"standby": {' in as_json.stdout and as_json.exit_code == code


def test_of_two_addresses_the_one_that_leads_is_asked(pair, tmp_path, monkeypatch):
    token = tmp_path / "mine"
    token.write_text(TOKEN)
    monkeypatch.setenv("SURPLUS_API", pair.both)
    monkeypatch.setenv("SURPLUS_TOKEN_FILE", str(token))
    with closing(Client.from_state_dir(tmp_path)) as client:
        assert client.site() == SITE
        client.order_signal(ORDER)
        assert pair.site.orders == [ORDER]
        pair.site.refusal = "no"
        with pytest.raises(RefusedError, match=r"^no$"):
            client.order_signal(ORDER)
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))  # bound but not listening: refused for certain
        gone = f"127.0.0.1:{dead.getsockname()[1]}"
        monkeypatch.setenv("SURPLUS_API", f"{gone}, 127.0.0.1:{pair.ports['leader']}")
        with closing(Client.from_state_dir(tmp_path)) as client:
            assert client.site() == SITE
        monkeypatch.setenv("SURPLUS_API", f"{gone},127.0.0.1:{pair.ports['follower']}")
        with closing(Client.from_state_dir(tmp_path)) as client, pytest.raises(FollowingError):
            client.site()
        monkeypatch.setenv("SURPLUS_API", gone)
        with (
            closing(Client.from_state_dir(tmp_path)) as client,
            pytest.raises(ClientError, match=f"{gone} does not answer"),
        ):
            client.site()


def test_the_dashboard_goes_on_at_the_other_address(pair, tmp_path, monkeypatch):
    (tmp_path / "mine").write_text(TOKEN)
    monkeypatch.setenv("SURPLUS_API", pair.both)
    monkeypatch.setenv("SURPLUS_TOKEN_FILE", str(tmp_path / "mine"))

    async def seen():
        said = []
        async for item in LiveFeed(tmp_path):
            said.append(item)
            if isinstance(item, Frame):
                return said

    first, frame = asyncio.run(asyncio.wait_for(seen(), 20))
    assert isinstance(first, Lost) and "following the leader of term 3" in first.because
    assert frame.site == SITE


def test_when_it_leads_it_answers_and_when_it_is_deposed_its_screens_are_told(pair):
    url = f"ws://127.0.0.1:{pair.ports['follower']}/api/live"
    pair.seat.now, pair.desk.provider = STANDBY, pair.site
    with connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket_:
        socket_.recv(timeout=10)
        pair.desk.provider = None
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(100):
                socket_.recv(timeout=10)
    assert closed.value.rcvd.code == 4503 and "another supervisor leads" in closed.value.rcvd.reason


def test_a_leader_that_is_cut_off_shows_the_site_and_takes_nothing(pair):
    """What it took would be lost if another leads, and nobody would know."""
    pair.desk.provider = pair.site
    pair.seat.now = FakeSeat(connected=False).now
    with connected(pair.folders["follower"]) as client:
        assert client.site() == SITE
        with pytest.raises(ClientError, match="another supervisor may lead"):
            client.order_signal(ORDER)
    assert not pair.site.orders


def test_a_site_with_one_supervisor_has_no_standby(tmp_path):
    site = FakeSite()
    with served(site, door=door_of(site, tmp_path), desk=Desk(site)) as port:
        assert get(port, "/api/standby").status_code == 404
        assert get(port, "/api/site").status_code == 200
