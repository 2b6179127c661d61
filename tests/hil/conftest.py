"""A broker of our own on a free loopback port, for the tests that run the real firmware."""

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.nats import free_port

CONF = """
server_name: {name}
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{folder}" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("broker"), free_port("127.0.0.1")
    beside = Path(sys.executable).parent / "nats-server"
    binary = str(beside) if beside.exists() else shutil.which("nats-server")
    assert binary, "no nats-server beside this Python or on PATH"
    conf = folder / "nats.conf"
    conf.write_text(CONF.format(name="t" + secrets.token_hex(4), folder=folder, port=port))
    log = (folder / "nats.log").open("wb")
    server = subprocess.Popen([binary, "-c", conf], stdout=log, stderr=log)
    until = time.monotonic() + 20
    while not answers(port):
        assert server.poll() is None and time.monotonic() < until, (folder / "nats.log").read_text()
        time.sleep(0.02)
    yield port
    server.terminate()
    server.wait()
