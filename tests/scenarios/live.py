"""A small site of real processes that tests may break, watched from outside all the time.

Supervisor, nats-server and firmware are processes; the meter is asked over Modbus.  The
world turns in a thread of its own, so that a test is plain code that waits on conditions.
"""

import asyncio
import json
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt

from hil.demo import SITE, TOPIC, Demo
from hil.fleet import ASLEEP, FAULT, OWN_SPREAD, ModelFleet
from hil.meter import Meter
from hil.models import MODELS
from hil.rig import VirtualRig
from protocols import mac, topics
from supervisor.client import Client, ClientError
from supervisor.config import load
from supervisor.glance import wrongs
from supervisor.ledger import Ledger, Row
from supervisor.view import SiteView

LEASE_S = 5
FALL_S = 1.5  # from hearing less, or from the end of a lease, to hash power off
BEYOND = 0.005  # of capacity: what the promise leaves to the meter
NEAR = 0.06  # of capacity: what so few rigs, hardly learned, may keep below their limit
HEARTBEAT_S = 2.0
VALID_S = 120.0
PATIENCE_S = 60.0  # of a wait that is no measure: what comes soon costs nothing
KEPT = 5000  # messages heard
# modelled rigs that wake and climb sooner than real ones: less to wait for, more to overshoot
QUICK = tuple(replace(model, wake_s=1.5, up_w_per_s=1500.0) for model in MODELS)


class Sample(NamedTuple):
    at_s: float
    drawn_w: float
    allowed_w: float  # the highest limit a lease may still stand for


class ShortLease(Demo):
    """The demo with a lease and rigs a test can wait for."""

    def __init__(self, folder: Path, rigs: int) -> None:
        super().__init__(folder, rigs, 1, 1, print)
        self.fleet = ModelFleet(rigs, 1, QUICK)

    def _write_settings(self, meter_port: int) -> None:
        super()._write_settings(meter_port)
        text = self.settings_path.read_text()
        self.settings_path.write_text(text.replace("[broker]", f"lease_s = {LEASE_S}\n[broker]"))


class Live:
    """with Live(folder) as site: a site that runs, its operator, and somebody who listens."""

    def __init__(self, folder: Path, rigs: int = 40) -> None:
        self.samples: list[Sample] = []
        self.heard: deque[tuple[str, bytes]] = deque(maxlen=KEPT)  # budgets, commands, hellos
        self.newest: dict[str, bytes] = {}  # the newest message heard on each topic
        self.told: deque[bytes] = deque(maxlen=KEPT)  # what the operator said
        self.limit_w = 0
        self.muted = False  # the operator says nothing
        self._limits: deque[tuple[float, float]] = deque(maxlen=100)  # (until when, watts)
        self._seq = 0
        self._told_w = -1
        self._client: aiomqtt.Client | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="world")
        self._thread.start()
        self.demo: Demo = self._do(self._make(folder, rigs))

    async def _make(self, folder: Path, rigs: int) -> Demo:
        return ShortLease(folder, rigs)

    def __enter__(self) -> "Live":
        try:
            self._do(self.demo.start(), 40)
            self._do(self._begin())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end(), 40)
        self._kill_broker()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, work: Coroutine[Any, Any, Any], most_s: float = 10.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(most_s)

    async def _begin(self) -> None:
        self._tasks = [asyncio.create_task(part()) for part in (self._meet, self._tell, self._look)]

    async def _end(self) -> None:
        for task in getattr(self, "_tasks", []):
            task.cancel()
        await self.demo.stop()

    # ---- the operator, and who listens

    async def _meet(self) -> None:
        """Connected for ever, and hears everything."""
        while True:
            try:
                async with aiomqtt.Client("127.0.0.1", self.demo.broker_port) as client:
                    await client.subscribe(f"surplus/{SITE}/#")
                    self._client, self._told_w = client, -1
                    async for message in client.messages:
                        topic = str(message.topic)
                        self.newest[topic] = bytes(message.payload)  # type: ignore[arg-type]
                        if not topic.endswith(("/state", "/link", "/event")):
                            self.heard.append((topic, bytes(message.payload)))  # type: ignore[arg-type]
            except (aiomqtt.MqttError, OSError):
                self._client = None
                await asyncio.sleep(0.1)

    async def _tell(self) -> None:
        """The limit, when it changes and now and again."""
        told_s = 0.0
        while True:
            due = self.limit_w != self._told_w or time.monotonic() - told_s > HEARTBEAT_S
            if due and not self.muted:
                self._seq += 1
                word = {"mw": self.limit_w / 1e6, "valid_until": time.time() + VALID_S}
                payload = json.dumps(word | {"seq": self._seq}).encode()
                if await self._publish(TOPIC, payload):
                    self.told.append(payload)
                    self._told_w, told_s = self.limit_w, time.monotonic()
            await asyncio.sleep(0.05)

    async def _publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        if self._client is None:
            return False
        try:
            await self._client.publish(topic, payload, retain=retain)
        except aiomqtt.MqttError:
            return False
        return True

    async def _look(self) -> None:
        """The truth ten times a second, beside what may be drawn."""
        while True:
            now_s, drawn_w = time.monotonic(), self.drawn_w
            still_w = [w for until_s, w in self._limits if until_s > now_s]
            allowed_w = max(still_w, default=0.0)  # asleep it draws its floor, whatever was said
            self.samples.append(
                Sample(now_s, drawn_w, max(allowed_w, self.limit_w, self.demo.floor_w))
            )
            await asyncio.sleep(0.1)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """As a client that is no part of the site."""
        assert self._do(self._publish(topic, payload, retain)), "not connected"

    def ask(self, share: float) -> float:
        """The operator's limit, as a share of what the rigs can do.  Its watts."""
        floor_w, capacity_w = self.demo.floor_w, self.demo.capacity_w
        self._limits.append((time.monotonic() + LEASE_S + FALL_S, self.limit_w))
        self.limit_w = int(floor_w + share * (capacity_w - floor_w))
        return self.limit_w

    # ---- what is true

    @property
    def drawn_w(self) -> float:
        return self.demo.drawn_w()

    @property
    def rig(self) -> VirtualRig:
        """The one on real firmware."""
        return self.demo.firmware[0]

    @property
    def asleep(self) -> bool:
        """Nobody hashes, nobody wakes."""
        state = self.demo.fleet.state
        return bool(((state == ASLEEP) | (state == FAULT)).all()) and self.rig.board_w == 0

    @property
    def near(self) -> bool:
        """Where it was asked to be, and not above."""
        return -NEAR * self.demo.capacity_w < self.drawn_w - self.limit_w < self.slack_w

    @property
    def slack_w(self) -> float:
        """Whichever few rigs run, each is off its model by its own: two standard deviations of
        their mean.  Less than half a rig in all, so that one too many is still seen."""
        few = 2 * OWN_SPREAD / len(self.demo.fleet.names) ** 0.5
        return (BEYOND + few) * self.demo.capacity_w

    def check(self, since_s: float) -> None:
        """Never was more drawn than leases allowed, since then."""
        self.until(lambda: self.samples[-1].at_s >= since_s, 5, "a look at what is drawn")
        seen = [sample for sample in self.samples if sample.at_s >= since_s]
        over_w = [self._over_w(seen, at) for at in range(len(seen))]
        worst = max(range(len(seen)), key=over_w.__getitem__)
        assert over_w[worst] <= 0, (
            f"{over_w[worst]:.0f} W too much: {seen[worst]}\n{self._around(seen[worst].at_s)}"
        )

    def _over_w(self, seen: list[Sample], at: int) -> float:
        """Beyond the slack, as a meter shows it: the mean of a second."""
        second = [s for s in seen[max(0, at - 20) : at + 1] if seen[at].at_s - s.at_s < 1.0]
        mean_w = sum(sample.drawn_w for sample in second) / len(second)
        return mean_w - max(sample.allowed_w for sample in second) - self.slack_w

    def _around(self, at_s: float, near_s: float = 4.0) -> str:
        """What was drawn and what was decided then."""
        ahead_s = time.time() - time.monotonic()
        drawn = [
            f"{s.at_s - at_s:+.1f} s {s.drawn_w:.0f} W"
            for s in self.samples[::5]
            if abs(s.at_s - at_s) < near_s
        ]
        decided = [
            f"{row.at_s - ahead_s - at_s:+.1f} s {row.body}"
            for row in self.rows("decision")
            if abs(row.at_s - ahead_s - at_s) < near_s
        ]
        return "\n".join([", ".join(drawn), *decided])

    # ---- what the site says

    def view(self) -> SiteView | None:
        try:
            client = Client.from_state_dir(self.demo.state_dir)
        except ClientError:
            return None
        try:
            return client.site()
        except ClientError:
            return None
        finally:
            client.close()

    def wrong(self) -> str:
        """What `surplus status` finds wrong."""
        view = self.view()
        return "; ".join(wrongs(view, time.time())) if view else "no answer"

    def why(self, rig: str) -> str:
        client = Client.from_state_dir(self.demo.state_dir)
        try:
            return "\n".join(client.why(rig).lines)
        finally:
            client.close()

    def rows(self, kind: str | None = None, after: int = 0) -> list[Row]:
        """Every row of the ledger after one, each of them read."""
        ledger = Ledger(self.demo.state_dir / "ledger.db", readonly=True)
        try:
            found: list[Row] = []
            while more := ledger.read(kind, after_id=found[-1].id if found else after):
                found += more
            return found
        finally:
            ledger.close()

    def last(self, topic: str) -> bytes:
        """The newest message heard there."""
        return self.newest.get(topic, b"")

    def nonce(self) -> str:
        """Of the firmware rig, as last heard."""
        said = self.last(topics.rig(SITE, self.rig.name, "hello"))
        return str(json.loads(said)["nonce"]) if said else ""

    @property
    def key(self) -> bytes:
        return (self.demo.state_dir / "site.key").read_bytes()

    def seal(self, values: dict[str, object], topic: str, key: bytes) -> bytes:
        return mac.seal(key, topic, json.dumps(values, separators=(",", ":")).encode())

    # ---- what befalls it

    @property
    def broker_pid(self) -> int:
        return int((self.demo.state_dir / "broker" / "nats.pid").read_text())

    def _kill_broker(self) -> None:
        """A supervisor that was killed leaves it behind."""
        try:
            os.kill(self.broker_pid, signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def kill_supervisor(self) -> None:
        assert self.demo.supervisor is not None
        self.demo.supervisor.kill()
        self.demo.supervisor.wait()

    @contextmanager
    def stopped_supervisor(self) -> Iterator[None]:
        """It gets no time at all inside."""
        assert self.demo.supervisor is not None
        pid = self.demo.supervisor.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def end_meter(self) -> None:
        """Nobody listens at its port any more."""
        self._do(self.demo.meter.stop())

    def start_meter(self) -> None:
        """Another one where the first was."""

        async def start() -> None:
            port = load(self.demo.settings_path).meter.port  # type: ignore[union-attr]
            self.demo.meter = Meter(self.demo.metered_w, port=port)
            await self.demo.meter.start()

        self._do(start())

    # ---- waiting

    def until(self, true: Callable[[], object], most_s: float, what: str) -> float:
        """Wait for it; the seconds it took."""
        began_s = time.monotonic()
        while not true():
            waited_s = time.monotonic() - began_s
            assert waited_s < most_s, f"not within {most_s:g} s: {what}; {self._story()}"
            time.sleep(0.05)
        return time.monotonic() - began_s

    def holds(self, true: Callable[[], object], seconds: float, what: str) -> None:
        """It is so for this long, whenever one looks."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            assert true(), f"no longer: {what}; {self._story()}"
            time.sleep(0.05)

    def settle(self, share: float, most_s: float = PATIENCE_S) -> float:
        """Ask, and wait until the site has been there for a second; the seconds."""
        self.ask(share)
        near: list[float] = []

        def stays() -> bool:
            near.append(time.monotonic()) if self.near else near.clear()
            return bool(near) and near[-1] - near[0] > 1.0

        return self.until(stays, most_s, f"settled on {share:g}")

    def _story(self) -> str:
        said = self.demo.supervisor_log.read_text(errors="replace")[-1500:]
        rig = self.last(topics.rig(SITE, self.rig.name, "state")).decode()
        return f"drawn {self.drawn_w:.0f} W of {self.limit_w} W; {rig}; {self.view()}\n{said}"
