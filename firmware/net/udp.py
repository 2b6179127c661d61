"""One datagram and its answer, without holding anybody up."""

import socket

from firmware import clock

LOOK_MS = 20
ANSWER_MAX = 512


async def asked(address: str, port: int, question: bytes, wait_ms: int) -> bytes:
    """The answer; empty when none came in time.  address: four numbers.  Raises OSError."""
    there = socket.getaddrinfo(address, port, 0, socket.SOCK_DGRAM)[0][-1]
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asking.setblocking(False)
        asking.connect(there)  # what others send does not get in
        asking.send(question)
        for _ in range(wait_ms // LOOK_MS):
            await clock.sleep_ms(LOOK_MS)
            try:
                return asking.recv(ANSWER_MAX)
            except OSError:
                continue  # nothing yet; where nobody listens nothing ever comes
    finally:
        asking.close()
    return b""
