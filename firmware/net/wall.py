"""The time of day, for the dates of certificates and nothing else.

Leases, delays and the watchdog run on the controller's own ticks: a clock that is wrong,
that jumps or that nobody ever sets costs nothing but TLS.
"""

import os
import random

from firmware import clock
from firmware.net import udp
from protocols import sntp

PORT, WAIT_MS = 123, 2_000
AGAIN_MS = 3_600_000
RETRY_MS, RETRY_MS_MAX = 5_000, 600_000


async def told(address: str) -> int:
    """Unix time in seconds, by that server.  Raises OSError or SntpError."""
    nonce, began_ms = os.urandom(8), clock.now_ms()
    data = await udp.asked(address, PORT, sntp.question(nonce), WAIT_MS)
    if not data:
        raise OSError("no answer")
    return sntp.unix_ms(nonce, data, clock.since_ms(began_ms)) // 1000


async def keep(online, address, put) -> None:
    """Never returns.  address() gives the server's, put(unix_s) sets the clock."""
    failures = 0
    while True:
        if online():
            try:
                put(await told(await address()))
                failures = 0
            except (OSError, sntp.SntpError) as error:
                failures += 1
                if failures == 1:
                    print("clock:", error)
        await clock.sleep_ms(pause_ms(failures, online()))


def pause_ms(failures: int, online: bool) -> int:
    """Up to an hour after an answer; half of it at least, so that a hall does not ask at once."""
    if not online:
        return 1_000
    most_ms = min(RETRY_MS_MAX, RETRY_MS << min(failures, 8)) if failures else AGAIN_MS
    return most_ms // 2 + most_ms // 2 * random.getrandbits(8) // 255
