"""What a session over TLS holds of the controller's memory beside one without.

The VM's heap, and resident memory of the process that is no file's: this MicroPython keeps
TLS's buffers outside its heap, as the ESP32's port does.
"""

import re
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Any

from hil.benches.mqtt_libraries import Sink, played
from hil.certificates import Authority, broker_files, rig_files

HOST = "broker.site"
PROGRAM = """
import asyncio, gc, sys
from firmware.net.session import Broker, Session
def resident():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("RssAnon"):
                return int(line.split()[1])
async def main():
    there = Broker("127.0.0.1", int(sys.argv[1]), "", "", sys.argv[2])
    one = Session(there, "rig-1", ("link", b"down"), ["budget"])
    task = asyncio.create_task(one.run(lambda: True, lambda: None, lambda *message: None))
    while not one.connected:
        await asyncio.sleep_ms(5)
    gc.collect()
    print("memory", gc.mem_alloc(), resident())
asyncio.run(main())
"""


class TlsSink(Sink):
    """The same broker of a few lines behind a certificate."""

    def __init__(self, folder: Path) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(folder / "broker.pem", folder / "broker.key")

    def _listening(self) -> socket.socket:
        return self._context.wrap_socket(super()._listening(), server_side=True)


def measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, authority = Path(name), Authority()
        broker_files(folder, authority, HOST)
        rig_files(folder, authority)
        with Sink() as plain:
            without = memory(folder, plain.port, "")
        with TlsSink(folder) as sink:
            over = memory(folder, sink.port, HOST)
    return {"tls_heap_bytes": over[0] - without[0], "tls_resident_kb": over[1] - without[1]}


def memory(folder: Path, port: int, name: str) -> tuple[int, int]:
    """(bytes of the VM's heap, resident KB) in a session."""
    done = played(PROGRAM, [str(port), name], folder=folder)
    done.check_returncode()
    found = re.search(r"^memory (\d+) (\d+)$", done.stdout, re.M)
    assert found, done.stdout
    return int(found[1]), int(found[2])
