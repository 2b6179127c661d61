"""TLS to a real broker: the firmware gets in where all fits, and nowhere else."""

import asyncio
import os
import secrets
import ssl
import subprocess
import time
from contextlib import contextmanager

import aiomqtt
import pytest

from hil.certificates import Authority, broker_files, rig_files
from hil.rig import REPO, VIRTUAL, VirtualRig, find_micropython, settings
from protocols import messages, topics
from supervisor import nats
from tests.hil.conftest import answers

HOST = "broker.hall-1.site"
CONF = """
server_name: {name}
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{folder}" }}
mqtt {{
  listen: "127.0.0.1:{port}"
  tls {{ cert_file: "{folder}/broker.pem", key_file: "{folder}/broker.key", {more} }}
}}
"""
# one session's try, and what came of it
TRY = """
import asyncio, sys
from firmware.net.session import Broker, Session
async def main():
    there = Broker("127.0.0.1", int(sys.argv[1]), "", "", sys.argv[2])
    one = Session(there, "rig-1", ("link", b"down"), ["budget"])
    task = asyncio.create_task(one.run(lambda: True, lambda: None, lambda *message: None))
    while not one.connected and not one._failures:
        await asyncio.sleep_ms(5)
    print("in" if one.connected else "out: " + one.last_error)
asyncio.run(main())
"""


@contextmanager
def serving(folder, authority, *, days=1, clients=False):
    """A broker with that authority's certificate; clients: whether they need one too."""
    folder.mkdir()
    broker_files(folder, authority, HOST, days)
    port = nats.free_port("127.0.0.1")
    more = f'ca_file: "{folder}/ca.pem", verify: true' if clients else ""
    conf = folder / "nats.conf"
    conf.write_text(
        CONF.format(name="t" + secrets.token_hex(4), folder=folder, port=port, more=more)
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([nats.find_binary(None), "-c", conf], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 30
        while not answers(port):
            assert server.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait()


def tried(flash, port, name=HOST):
    done = subprocess.run(
        [find_micropython(), "-c", TRY, str(port), name],
        cwd=flash,
        env=dict(os.environ, MICROPYPATH=f"{VIRTUAL}:{REPO}:.frozen"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return (done.stdout.strip().splitlines() or [done.stderr])[-1]


@pytest.mark.real_time
def test_in_where_all_fits_and_nowhere_else(tmp_path):
    authority, stranger = Authority(), Authority()
    rig_files(tmp_path / "mine", authority)
    rig_files(tmp_path / "theirs", stranger)
    (tmp_path / "bare").mkdir()
    with serving(tmp_path / "broker", authority) as port:
        assert tried(tmp_path / "mine", port) == "in"
        assert tried(tmp_path / "mine", port, "127.0.0.1") == "in"
        assert "does not match" in tried(tmp_path / "mine", port, "broker.hall-2.site")
        assert "not correctly signed" in tried(tmp_path / "theirs", port)
        assert tried(tmp_path / "bare", port) == "out: tls/ca.der: no such file"
    with serving(tmp_path / "old", authority, days=-1) as port:
        assert "expired" in tried(tmp_path / "mine", port)


@pytest.mark.real_time
def test_where_clients_need_a_certificate_a_rig_shows_its_own(tmp_path):
    authority = Authority()
    rig_files(tmp_path / "with", authority, "rig-1")
    rig_files(tmp_path / "without", authority)
    with serving(tmp_path / "broker", authority, clients=True) as port:
        assert tried(tmp_path / "with", port) == "in"
        assert tried(tmp_path / "without", port).startswith("out: ")


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_the_whole_firmware_over_tls_within_the_chips_heap(tmp_path):
    authority = Authority()
    rig_files(tmp_path / "rig-1", authority)
    with serving(tmp_path / "broker", authority) as port:
        config = settings("bench", "rig-1", "127.0.0.1", port, bytes(32)) | {"broker_tls": HOST}
        context = ssl.create_default_context(cafile=str(tmp_path / "broker" / "ca.pem"))
        async with aiomqtt.Client("127.0.0.1", port, tls_context=context) as client:
            await client.subscribe(topics.rig("bench", "rig-1", "hello"))
            with VirtualRig(tmp_path / "rig-1", config) as rig:
                async with asyncio.timeout(30):
                    async for message in client.messages:
                        hello = messages.decode("hello", bytes(message.payload))
                        break
                assert hello["boards"] == 3 and rig.alive, rig.log_text()
