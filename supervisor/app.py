"""The service: sources write into the inbox, one beat a second decides, at once on a signal.

Nothing else decides.  An error nobody expected stops the service, loudly; whoever
started it starts it again, and it goes on from the ledger.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TextIO

from supervisor import api, keys
from supervisor.alarms.channels import notifier_of
from supervisor.broker import broker_of
from supervisor.config import Config
from supervisor.devices import devices_of
from supervisor.gate import Door
from supervisor.grid.adapters import adapters_of
from supervisor.grid.told import Board
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.link import link_of
from supervisor.people import People
from supervisor.site import Publish, Site
from supervisor.sources import signal_csv, signal_mqtt
from supervisor.tokens import Tokens

log = logging.getLogger(__name__)
BETWEEN_S = 0.05  # a flood of signals is decided together
FIRST_S = 3.0  # how long the first beat waits for the broker


class AppError(Exception):
    """The service cannot start; the text says why."""


class Stopped(Exception):
    """Somebody asked the service to end."""


async def run(config: Config) -> None:
    """Until SIGTERM or SIGINT.  Raises AppError, and the errors of its parts."""
    with only_one(config.state_dir):
        ledger = Ledger(config.state_dir / "ledger.db")
        broker = broker_of(config)
        try:
            port = await broker.start()
            await _serve(config, ledger, port, broker.watch())
        except* Stopped:
            log.info("stopped")
        finally:
            await broker.stop()
            ledger.close()


async def _serve(
    config: Config, ledger: Ledger, port: int, watch: Coroutine[None, None, None]
) -> None:
    inbox = Inbox()
    key = keys.site_key(config.state_dir)
    site = Site(config, inbox, ledger, key, time.monotonic(), time.time())
    notifier, board = notifier_of(config.site.name, config.alarms), Board(site)
    people = People(site, notifier.tell)
    link = link_of(config, inbox, port)
    devices = devices_of(config, inbox, site)
    publish = devices.keeper.publish(link.publish)
    door = door_of(config, people)
    people.alarms.others |= {
        "broker.lost_s": lambda: {"": link.lost_s(time.monotonic())},
        "notify.failing_s": notifier.failing,
        "door.wrong_per_min": lambda: {
            "": people.alarms.per_min("wrong tokens", door.refused[401] + door.refused[429])
        },
    }
    sources = [
        *devices.sources,
        signal_csv.signal_of(config, inbox),
        signal_mqtt.signal_of(config, inbox, link),
        *adapters_of(config, inbox, board),
    ]
    async with asyncio.TaskGroup() as tasks:
        for source in sources:
            if source is not None:
                tasks.create_task(source.run(), name=type(source).__name__)
        tasks.create_task(watch, name="broker")
        tasks.create_task(link.run(), name="link")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(link.until_connected(), FIRST_S)
        tasks.create_task(_beat(config, inbox, site, (people, board), publish), name="beat")
        tasks.create_task(_serve_people(config, people, door), name="api")
        tasks.create_task(notifier.run(), name="notifier")
        tasks.create_task(_told_to_stop(), name="signals")


async def _beat(
    config: Config, inbox: Inbox, site: Site, lookers: tuple[People | Board, ...], publish: Publish
) -> None:
    """Tick on a fixed beat, and at once when something must be decided; then who looks, looks."""
    due_s = time.monotonic()
    while True:
        inbox.wake.clear()
        now_s = time.monotonic()
        site.tick(now_s, time.time(), publish)
        for looker in lookers:
            looker.look(now_s)
        if now_s >= due_s:
            due_s = max(due_s + config.site.broadcast_s, now_s)
        await asyncio.sleep(BETWEEN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due_s - time.monotonic())):
                await inbox.wake.wait()


def door_of(config: Config, people: People) -> Door:
    """Who gets in.  Raises SecretError and TokenError."""
    tokens = Tokens(config.state_dir / "tokens.json", keys.api_token(config.state_dir))
    return Door(tokens, people.record)


async def _serve_people(config: Config, people: People, door: Door) -> None:
    """The API, and the file that tells clients where it is."""
    where = config.state_dir / "api.json"

    def bound(port: int) -> None:
        text = json.dumps({"host": config.api.host, "port": port, "pid": os.getpid()})
        part = where.with_suffix(".part")
        part.write_text(text)
        part.replace(where)
        log.info("API at %s:%s", config.api.host, port)

    try:
        await api.serve(people, config.api.host, config.api.port, door, bound)
    finally:
        where.unlink(missing_ok=True)


async def _told_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    raise Stopped


@contextlib.contextmanager
def only_one(state_dir: Path) -> Iterator[TextIO]:
    """Hold the state directory; a second supervisor on it would be a second leader."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AppError(f"{state_dir}: another supervisor runs on this state") from None
        yield lock
