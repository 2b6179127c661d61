"""surplus doctor: each thing that can be wrong is found, and said how to mend."""

import json
import os
import resource
import socket
import threading
import time

import pytest
from fake_site import FakeSite, served
from made_up import SITE, replace
from typer.testing import CliRunner

from supervisor import cli, doctor, keys
from supervisor.config import load
from supervisor.doctor import machine, site, state
from supervisor.doctor.finding import judged
from supervisor.ledger import Ledger

SETTINGS = '[site]\nname = "ridge-1"\nlimit_mw = 1.0\nstate_dir = "state"\n'


@pytest.fixture
def settings(tmp_path):
    def write(more=""):
        path = tmp_path / "site.toml"
        path.write_text(SETTINGS + more)
        return load(path)

    (tmp_path / "state").mkdir(mode=0o700)
    return write


def by_name(config):
    return {finding.name: finding for finding in doctor.examined(config)}


def test_a_fresh_place_has_nothing_wrong_that_would_stop_a_start(settings):
    found = by_name(settings())
    assert list(found) == [
        "state", "secrets", "ledger", "history", "damage", "disk", "disk speed", "clock", "files",
        "memory", "ports", "broker", "meter", "signals", "certificates", "supervisor",
    ]  # fmt: skip
    for name in ("state", "secrets", "disk", "ports"):
        assert found[name].verdict == "good", found[name]
    assert found["broker"].verdict == "unsure" and "starts it" in found["broker"].mend
    assert all(finding.mend for finding in found.values() if finding.verdict == "wrong")


def test_a_state_directory_that_others_see(settings, tmp_path):
    config = settings()
    (tmp_path / "state").chmod(0o755)
    found = state.folder(config.state_dir)
    assert found.verdict == "wrong" and found.mend == f"chmod 700 {config.state_dir}"
    assert state.folder(tmp_path / "nothing").verdict == "unsure"


@pytest.mark.parametrize("name", state.SECRETS)
def test_a_secret_that_others_read(settings, name):
    config = settings()
    path = config.state_dir / name
    path.write_text("x")
    path.chmod(0o640)
    found = state.secrets(config)
    assert found.verdict == "wrong" and found.mend == f"chmod 600 {path}"


def test_secrets_that_the_settings_name(settings, tmp_path):
    (tmp_path / "mail.pw").write_text("hush")
    (tmp_path / "mail.pw").chmod(0o644)
    more = '[alarms]\nemail_to="a@b.c"\nsmtp_host="h"\nsmtp_password_file="mail.pw"\n'
    found = state.secrets(settings(more))
    assert found.verdict == "wrong" and "mail.pw" in found.found


def test_a_site_key_that_is_none(settings):
    config = settings()
    assert keys.site_key(config.state_dir) and state.secrets(config).verdict == "good"
    (config.state_dir / "site.key").write_bytes(b"short")
    assert "restore" in state.secrets(config).mend


@pytest.mark.parametrize("name", ["site.key", "report.key", "api.token", "tokens.json"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 20, b'[{"name": "ann"}]'])
def test_a_secret_that_is_damaged_is_named_with_what_to_do(settings, name, content):
    config = settings()
    path = config.state_dir / name
    path.write_bytes(content)
    path.chmod(0o600)
    found = state.secrets(config)
    assert found.verdict == "wrong" and name in found.found
    assert "remove it" in found.mend or "restore it" in found.mend


def test_what_was_found_damaged_is_told(settings):
    folder = settings().state_dir
    assert state.aside(folder).verdict == "good"
    (folder / "history/rigs/2026-11-25").mkdir(parents=True)
    (folder / "history/rigs/2026-11-25/1430.damaged").touch()
    assert "1430.damaged" in state.aside(folder).found
    (folder / "ledger.db.damaged-20261125-143000").touch()
    found = state.aside(folder)
    assert found.verdict == "unsure" and "ledger.db.damaged-2026" in found.found and found.mend


def test_telemetry_that_grows_and_that_stands_still(settings):
    folder = settings().state_dir
    assert "no telemetry yet" in state.history(folder).found
    day = folder / "history/site/2026-11-25"
    day.mkdir(parents=True)
    (day / "1430.parquet").write_bytes(b"x" * 1000)
    assert state.history(folder).verdict == "good"
    for path in (day / "1430.parquet", day):
        os.utime(path, (1e9, 1e9))
    found = state.history(folder)
    assert found.verdict == "unsure" and "full" in found.mend and "2026-11-25" in found.found


def test_the_ledger(settings):
    config = settings()
    assert state.ledger(config.state_dir).verdict == "unsure"
    ledger = Ledger(config.state_dir / "ledger.db")
    ledger.write("decision", {"admit_w": 1})
    ledger.close()
    found = state.ledger(config.state_dir)
    assert found.verdict == "good" and "last decision" in found.found
    (config.state_dir / "ledger.db").write_bytes(b"no ledger at all" * 1000)
    found = state.ledger(config.state_dir)
    assert found.verdict == "wrong" and (config.state_dir / "ledger.db").exists()


def test_a_disk_that_is_nearly_full_or_slow(settings, monkeypatch):
    config = settings()
    for free, verdict in ((5e9, "good"), (1e9, "unsure"), (1e8, "wrong")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda path, usage=usage: usage)
        assert machine.disk(config.state_dir).verdict == verdict
    assert machine.disk_speed(config.state_dir).verdict == "good"
    monkeypatch.setattr(machine, "SYNC_MS", 0.0)
    found = machine.disk_speed(config.state_dir)
    assert found.verdict == "wrong" and "at worst" in found.found
    assert not list(config.state_dir.iterdir())


CHRONY = "A29FC87B,192.0.2.1,3,1796133600.1,{},0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,{}"


@pytest.mark.parametrize(
    "said, verdict",
    [
        ({"chronyc": CHRONY.format(-0.0012, "Normal")}, "good"),
        ({"chronyc": CHRONY.format(2.5, "Normal")}, "wrong"),
        ({"chronyc": CHRONY.format(0.0, "Not synchronised")}, "wrong"),
        ({"timedatectl": "yes\n"}, "good"),
        ({"timedatectl": "no\n"}, "wrong"),
        ({"timedatectl": ""}, "unsure"),
        ({}, "unsure"),
    ],
)
def test_the_clock(monkeypatch, said, verdict):
    monkeypatch.setattr(machine, "_said", lambda tool, *_: said.get(tool))
    found = machine.clock()
    assert found.verdict == verdict and (found.mend or verdict == "good")


def test_open_files_and_memory(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert machine.files(500).verdict == "good"
    assert "ulimit -n 1500" in machine.files(1000).mend
    found = machine.files(28_571)
    assert found.verdict == "wrong" and "LimitNOFILE" in found.mend and "ulimit" not in found.mend
    assert "broker.servers = 8:" in found.mend
    assert machine.files(4 * 500, servers=4).verdict == "good"
    assert "500 rigs on each of 4 servers" in machine.files(4 * 500, servers=4).found
    monkeypatch.setattr(machine, "_available_mb", lambda: 1000.0)
    assert machine.memory(1000, True).verdict == "good"
    assert machine.memory(28_571, True).verdict == "wrong"
    monkeypatch.setattr(machine, "_available_mb", lambda: None)
    assert machine.memory(1000, True).verdict == "unsure"


@pytest.mark.real_time
def test_a_port_that_somebody_has(settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = settings(f"[api]\nport = {port}\n")
        found = site.ports(config, running=False)
        assert found.verdict == "wrong" and f"api.port: 127.0.0.1 port {port}" in found.found
        assert site.ports(config, running=True).verdict == "good"


def listening(answer):
    """A server that says one thing to everybody."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                line.recv(100)
                line.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.mark.real_time
@pytest.mark.parametrize(
    "answer, reason",
    [(b"\x20\x02\x00\x00", ""), (b"\x20\x02\x00\x05", ""), (b"HTTP/1.1 400", "no MQTT broker")],
)
def test_a_broker_greets_back(settings, answer, reason):
    with listening(answer) as server:
        port = server.getsockname()[1]
        said = site.greeting("127.0.0.1", port)
        assert reason in said and bool(reason) == bool(said)
        more = f'[broker]\nkind = "external"\nhost = "127.0.0.1"\nport = {port}\n'
        assert (site.broker(settings(more)).verdict == "wrong") == bool(reason)


@pytest.mark.real_time
def test_nobody_greets_back():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "refused" in site.greeting("127.0.0.1", port)


@pytest.mark.real_time
def test_a_real_broker_is_known_for_one(settings, tmp_path):
    import asyncio

    from supervisor.broker import Broker

    config = settings()

    async def run():
        broker = Broker(config.state_dir / "broker")
        await broker.start()
        try:
            return await asyncio.to_thread(site.broker, config)
        finally:
            await broker.stop()

    found = asyncio.run(run())
    assert found.verdict == "good" and "answers at 127.0.0.1" in found.found


@pytest.mark.real_time
def test_a_meter_nobody_reaches(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        more = f'[meter]\nhost = "127.0.0.1"\nport = {port}\nmap = "sdm630"\n'
        config = settings(more)
        assert site.meter(config, None).verdict == "good"
    found = site.meter(config, None)
    assert found.verdict == "wrong" and "refused" in found.found
    assert site.meter(config, SITE).verdict == "good"
    assert site.meter(config, replace(SITE, meter_age_s=60.0)).verdict == "wrong"
    assert site.meter(config, replace(SITE, metered_w=None)).verdict == "wrong"
    assert site.meter(settings(), None).verdict == "unsure"


def test_what_the_running_supervisor_says(settings):
    config = settings()
    now = replace(SITE, at_s=time.time())
    assert site.supervisor(config.state_dir, now).verdict == "good"
    found = site.supervisor(config.state_dir, replace(now, silent=8))
    assert found.verdict == "unsure" and "8 rigs silent" in found.found
    assert site.signals(config, SITE).found == "silent or over: ripple"


def test_a_check_that_fails_ends_no_other():
    found = judged("odd", lambda: 1 / 0)
    assert (found.name, found.verdict) == ("odd", "unsure") and "ZeroDivisionError" in found.found


@pytest.mark.real_time
def test_the_command(settings, tmp_path):
    settings()
    fake = FakeSite(replace(SITE, at_s=time.time() + 60))  # however long the checks take
    with served(fake, tmp_path / "state"):
        (tmp_path / "state" / "api.token").chmod(0o644)
        words = ["doctor", str(tmp_path / "site.toml"), "--json"]
        done = CliRunner().invoke(cli.build("doctor"), words)
        found = {finding["name"]: finding for finding in json.loads(done.stdout)}
        assert done.exit_code == 1 and found["secrets"]["verdict"] == "wrong"
        (tmp_path / "state" / "api.token").chmod(0o600)
        done = CliRunner().invoke(cli.build("doctor"), words[:2])
        assert "chmod" not in done.stdout and "good    secrets" in done.stdout
        assert "supervisor  runs, decided" in done.stdout
    bad = CliRunner().invoke(cli.build("doctor"), ["doctor", str(tmp_path / "none.toml")])
    assert bad.exit_code == 1 and "none.toml" in bad.stderr
