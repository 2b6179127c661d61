"""What a published message costs the rig's MicroPython: our session, and libraries beside it.

The libraries are others' and are fetched for the bench alone: into a temporary folder, by
pip, which unpacks them and then finds that they are no packages for it.  mqtt_as itself is
on no index; mqtt_async is, which grew out of it and has its interface.
"""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil.rig import HEAP, REPO, VIRTUAL, find_micropython

MESSAGES, ROUNDS = 1_000, 5
ANSWERS = {0x10: b"\x20\x02\0\0", 0x82: b"\x90\x03\0\1\0"}  # to CONNECT and SUBSCRIBE
FETCH_S = 60.0
# by the key of the result: the file it needs, and its name on the index
LIBRARIES = {
    "umqtt_simple": ("umqtt/simple.py", "micropython-umqtt.simple"),
    "mqtt_async": ("mqtt_async.py", "micropython-mqtt-async"),
}

_HEAD = f"""
import asyncio, sys, utime
from firmware import telemetry
port = int(sys.argv[1])
TOPIC, BODY = "surplus/bench/rig/rig-1/state", telemetry.state(dict(
    up_ms=123456, state="running", level=8, power_w=3500, hash_ghs=200000, hot_dc=650,
    inlet_dc=300, fan_rpm=4000, fan_pm=500, cap_level=8, term=1, seq=2, epoch=3, lease_ms=5000,
    id=4, event=5, why="as admitted"))

async def timed(publish_all):
    for _ in range({ROUNDS}):
        began = utime.ticks_us()
        await publish_all({MESSAGES})
        print("us", utime.ticks_diff(utime.ticks_us(), began) / {MESSAGES})
"""
_OURS = """
from firmware.net.session import Broker, Session
async def main():
    one = Session(Broker("127.0.0.1", port, "", "", ""), "bench", ("link", b"down"), ["budget"])
    task = asyncio.create_task(one.run(lambda: True, lambda: None, lambda *message: None))
    while not one.connected:
        await asyncio.sleep_ms(5)
    async def publish_all(count):
        for _ in range(count):
            while not one.publish(TOPIC, BODY):
                await asyncio.sleep_ms(0)
        while one._outbox:
            await asyncio.sleep_ms(0)
    await timed(publish_all)
asyncio.run(main())
"""
_UMQTT = """
from umqtt.simple import MQTTClient
async def main():
    one = MQTTClient("bench", "127.0.0.1", port, keepalive=10)
    one.connect()
    topic = TOPIC.encode()
    async def publish_all(count):
        for _ in range(count):
            one.publish(topic, BODY)
    await timed(publish_all)
asyncio.run(main())
"""
# believes in a Wi-Fi that is there; and this port's getaddrinfo answers with bytes
_ASYNC = """
class Wifi:
    STA_IF = 0
    WLAN = lambda *_: Wifi
    isconnected = lambda: True
    unique_id = lambda: b"bench1"
sys.modules["network"] = sys.modules["machine"] = Wifi
from mqtt_async import MQTTClient, config
async def main():
    config.server, config.port, config.clean, config.client_id = "127.0.0.1", port, False, "bench"
    one = MQTTClient(config)
    one._dns_lookup = lambda: setattr(one, "_addr", ("127.0.0.1", port))
    await one.connect()
    async def publish_all(count):
        for _ in range(count):
            await one.publish(TOPIC, BODY, qos=0)
    await timed(publish_all)
    await one.disconnect()
asyncio.run(main())
"""
_PROGRAMS = {"umqtt_simple": _UMQTT, "mqtt_async": _ASYNC}


def compared(folder: Path, libraries: Path | None) -> dict[str, Any]:
    """Microseconds a message of each; in place of a figure, why there is none."""
    result: dict[str, Any] = {"mqtt_publish_us": publish_us(_HEAD + _OURS, [])}
    for name, (path, index_name) in LIBRARIES.items():
        where = found(path, index_name, folder / "libraries", libraries)
        result[f"{name}_publish_us"] = (
            publish_us(_HEAD + _PROGRAMS[name], [where]) if where else f"no {path} to be had"
        )
    return result


def found(path: str, index_name: str, folder: Path, libraries: Path | None) -> Path | None:
    """The folder that has this file: the user's, or one that it is fetched into."""
    if libraries is not None and (libraries / path).exists():
        return libraries
    fetch(index_name, folder)
    for file in folder.rglob(path):
        return Path(str(file).removesuffix(path))
    return None


def fetch(name: str, folder: Path) -> None:
    """pip downloads, unpacks, misses a setup.py and is told to leave all as it is."""
    folder.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-clean", name]
    try:
        subprocess.run(
            pip,
            cwd=folder,
            env=dict(os.environ, TMPDIR=str(folder)),
            timeout=FETCH_S,
            check=False,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        pass  # then there is none


def publish_us(program: str, paths: list[Path]) -> float | str:
    """Microseconds for a message, the quickest of some rounds; or what went wrong."""
    with Sink() as sink:
        done = played(program, [str(sink.port)], paths)
    times = re.findall(r"^us (\S+)$", done.stdout, re.M)
    if len(times) != ROUNDS:
        return f"failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
    return round(min(map(float, times)), 1)


def played(
    program: str, words: list[str], paths: Sequence[Path] = (), folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """A program on the rig's MicroPython, with a rig's heap and modules; paths: looked in first."""
    path = ":".join(map(str, [*paths, VIRTUAL, REPO, ".frozen"]))
    return subprocess.run(
        [find_micropython(), "-X", f"heapsize={HEAP}", "-c", program, *words],
        cwd=folder,
        env=dict(os.environ, MICROPYPATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Sink:
    """A broker of a few lines: lets anybody in, takes everything and says nothing."""

    def __enter__(self) -> "Sink":
        self._server = self._listening()
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _listening(self) -> socket.socket:
        return socket.create_server(("127.0.0.1", 0))

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client:
                while data := client.recv(65_536):
                    client.sendall(ANSWERS.get(data[0], b""))
