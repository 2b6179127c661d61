"""The client against the real API, and everything that can be missing."""

import socket

import pytest
from fake_site import FakeSite, served, write_address
from made_up import EVENTS, SITE, TOKEN, rig

from supervisor.client import Client, ClientError, RefusedError, connected, read_addresses
from supervisor.view import SignalOrder

pytestmark = pytest.mark.real_time
ORDER = SignalOrder(mw=3.2, for_s=900.0, by="ada")


@pytest.fixture(scope="module")
def site():
    return FakeSite()


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory, site):
    path = tmp_path_factory.mktemp("state")
    with served(site, path):
        yield path


@pytest.fixture
def client(state_dir):
    with connected(state_dir) as client:
        yield client


def test_the_same_values_come_out(client):
    assert client.site() == SITE
    assert client.rigs(limit=3, order="rig", text="running")[2] == rig(3)
    assert client.events(1) == EVENTS[:1]
    assert client.why("rig-0001").lines[1] == "it runs"


def test_orders_arrive_and_refusals_say_why(client, site):
    client.order_signal(ORDER)
    assert site.orders == [ORDER]
    client.withdraw_signal("operator")
    site.refusal = "two people must agree"
    with pytest.raises(RefusedError, match=r"^two people must agree$"):
        client.order_signal(ORDER)
    with pytest.raises(RefusedError, match="nobody"):
        client.withdraw_signal("nobody")


@pytest.mark.parametrize("name", ["rig-9999", "../site", "a b", "ü?x=1"])
def test_a_rig_nobody_knows_is_refused_whatever_it_is_called(client, name):
    with pytest.raises(RefusedError):
        client.why(name)


def test_a_failure_of_the_supervisor_is_no_refusal(client, site):
    site.broken = True
    with pytest.raises(ClientError, match="its log says why") as failed:
        client.site()
    site.broken = False
    assert not isinstance(failed.value, RefusedError)


def test_no_supervisor(tmp_path):
    with pytest.raises(ClientError, match=r"not running: no api\.json in .*--state DIR"):
        Client.from_state_dir(tmp_path)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"host": "127.0.0.1"}', '{"host": 1, "port": 2}'])
def test_a_damaged_address_is_named(tmp_path, body):
    (tmp_path / "api.json").write_text(body)
    with pytest.raises(ClientError, match=r"api\.json cannot be read"):
        read_addresses(tmp_path)


def test_a_missing_token_is_named(tmp_path):
    write_address(tmp_path, 1)
    (tmp_path / "api.token").unlink()
    with pytest.raises(ClientError, match=r"api\.token cannot be read"):
        read_addresses(tmp_path)


def test_a_stopped_supervisor_does_not_answer(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused for certain
        write_address(tmp_path, taken.getsockname()[1])
        with connected(tmp_path) as client, pytest.raises(ClientError, match="does not answer"):
            client.site()


def test_a_foreign_token_is_explained(tmp_path, state_dir):
    write_address(tmp_path, read_addresses(state_dir)[0].port, TOKEN[::-1])
    with connected(tmp_path) as client, pytest.raises(ClientError, match="token of this state"):
        client.site()


def test_proxies_are_left_out(monkeypatch, state_dir):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with connected(state_dir) as client:
        assert client.site() == SITE
