"""The service: sources write into the inbox, one beat a second decides, at once on a signal.

Nothing else decides.  A source that fails begins again (lasting.py); any other error
nobody expected stops the service, loudly; whoever started it starts it again, and it goes
on from the ledger.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TextIO

from supervisor import api, keys, lasting
from supervisor.alarms.channels import notifier_of
from supervisor.brokers import broker_of
from supervisor.config import Config
from supervisor.devices import devices_of
from supervisor.gate import Door
from supervisor.grid import price, told_mqtt
from supervisor.grid.adapters import adapters_of
from supervisor.grid.told import Board
from supervisor.history import history_of
from supervisor.inbox import Inbox
from supervisor.ledger import Ledger
from supervisor.links import links_of
from supervisor.people import People
from supervisor.roster import Roster, roster
from supervisor.roster import read as read_roster
from supervisor.routes.desk import Desk
from supervisor.seat import Deposed, Seat, seat_of
from supervisor.site import Site
from supervisor.sources import frequency_mqtt, signal_csv, signal_mqtt
from supervisor.tokens import Tokens
from supervisor.voice import Publish

log = logging.getLogger(__name__)
BETWEEN_S = 0.05  # a flood of signals is decided together
FIRST_S = 3.0  # how long the first beat waits for the broker


class Looker(Protocol):
    """Who sees every beat after it was decided; must not take long."""

    def look(self, now_s: float) -> None: ...


class AppError(Exception):
    """The service cannot start; the text says why."""


class Stopped(Exception):
    """Somebody asked the service to end."""


class HandedOver(Stopped):
    """And to leave the broker to the next supervisor, which finds every rig still connected."""


async def run(config: Config) -> None:
    """Until SIGTERM, SIGINT or SIGHUP.  Raises AppError, and the errors of its parts."""
    with only_one(config.state_dir):
        told = _signals()  # from before there is anything to leave behind
        ledger = Ledger(config.state_dir / "ledger.db")
        broker, leave = broker_of(config), False
        try:
            ports = await broker.start()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(broker.watch(), name="broker")
                tasks.create_task(_told_to_stop(told), name="signals")
                tasks.create_task(_lead(config, ledger, ports), name="lead")
        except* HandedOver:
            leave = True
            log.info("handed over: the broker runs on")
        except* Stopped:
            log.info("stopped")
        finally:
            if not leave:
                await broker.stop()
            ledger.close()


async def _lead(config: Config, ledger: Ledger, ports: list[int]) -> None:
    """Serve the site; with a standby, whenever it is ours to lead."""
    tokens = Tokens(config.state_dir / "tokens.json", keys.api_token(config.state_dir))
    seat = seat_of(config, ledger, ports[0], tokens)
    desk = Desk(seat=seat)
    door = Door(tokens, desk.record)
    if seat is None:
        await _serve(config, ledger, ports, desk, door)
        return
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(seat.link.run(), name="seat")
        tasks.create_task(_serve_people(config, desk, door), name="api")
        while True:
            await seat.until_ours()
            try:
                await _serve(config, ledger, ports, desk, door, seat)
            except* Deposed as left:
                log.warning("no longer leading: %s", left.exceptions[0])
            finally:
                desk.provider = None


async def _serve(
    config: Config,
    ledger: Ledger,
    ports: list[int],
    desk: Desk,
    door: Door,
    seat: Seat | None = None,
) -> None:
    inbox = Inbox()
    key = keys.site_key(config.state_dir)
    site = Site(config, inbox, ledger, key, time.monotonic(), time.time(), roster_of(config))
    notifier, board = notifier_of(config.site.name, config.alarms), Board(site)
    people, history = People(site, notifier.tell), history_of(site)
    people.past.telemetry = history
    links = links_of(config, inbox, ports)
    frequency_mqtt.listen(config, inbox, links.first)
    devices = devices_of(config, inbox, site, seat.leads if seat else lambda: True)
    publish = devices.keeper.publish(links.publish)
    if seat is not None:
        publish = seat.guard(publish)
        people.alarms.others["standby.unready_s"] = lambda: {"": seat.unready_s()}
    people.alarms.others |= devices.measures
    people.alarms.others |= {
        "broker.lost_s": lambda: {"": links.lost_s(time.monotonic())},
        "notify.failing_s": notifier.failing,
        "history.failing": lambda: {"": float(history.failing)},
        "door.wrong_per_min": lambda: {
            "": people.alarms.per_min("wrong tokens", door.refused[401] + door.refused[429])
        },
    }
    price.signal_of(config, inbox, links.first)
    own = signal_mqtt.signal_of(config, inbox, links.first)
    sources = [
        *devices.sources,
        signal_csv.signal_of(config, inbox),
        *own,
        told_mqtt.teller_of(config, board, links.first, own),
        *adapters_of(config, inbox, board),
    ]
    async with asyncio.TaskGroup() as tasks:
        for source in sources:
            if source is not None:
                tasks.create_task(lasting.run(source, inbox), name=type(source).__name__)
        if seat is not None:
            lost = seat.until_lost(lambda: site.lead_again(time.time()))
            tasks.create_task(lost, name="seat")
        tasks.create_task(links.run(), name="links")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(links.until_connected(), FIRST_S)
        tasks.create_task(history.run(), name="history")
        lookers = (people, board, history)
        tasks.create_task(_beat(config, inbox, site, lookers, publish), name="beat")
        await asyncio.sleep(0)  # the first beat
        desk.provider = people
        if seat is None:
            tasks.create_task(_serve_people(config, desk, door), name="api")
        tasks.create_task(notifier.run(), name="notifier")


async def _beat(
    config: Config, inbox: Inbox, site: Site, lookers: tuple[Looker, ...], publish: Publish
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


def roster_of(config: Config) -> Roster:
    """Where rigs stand and what carries them.  Raises RosterError."""
    stands = read_roster(Path(config.policy.rigs)) if config.policy.rigs else {}
    return roster(stands, {keys.path: keys.limit_w - keys.auxiliary_w for keys in config.feeders})


async def _serve_people(config: Config, desk: Desk, door: Door) -> None:
    """The API, and the file that tells clients where it is."""
    where = config.state_dir / "api.json"

    def bound(port: int) -> None:
        text = json.dumps({"host": config.api.host, "port": port, "pid": os.getpid()})
        part = where.with_suffix(".part")
        part.write_text(text)
        part.replace(where)
        log.info("API at %s:%s", config.api.host, port)

    try:
        await api.serve(desk, config.api.host, config.api.port, door, bound)
    finally:
        where.unlink(missing_ok=True)


def _signals() -> asyncio.Queue[int]:
    """Those that end the service, as they come."""
    told: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told.put_nowait, number)
    return told


async def _told_to_stop(told: asyncio.Queue[int]) -> None:
    raise HandedOver if await told.get() == signal.SIGHUP else Stopped


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
