"""The fleet model on the wire: joins, hears ladders and budgets, tells its state.

One MQTT connection carries all modelled rigs; or each has its own, held by other processes.
The rules are those of the contract and of the firmware: no ladder without its nonce, no budget
at or before the one it joined at, asleep when the lease runs out, and then it must join anew.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from hil.bridge import facts
from hil.fleet import FAR_W, FAULT, STEPS, ModelFleet
from hil.load import mqtt
from hil.load.client import DOORS, Client
from hil.load.wires import Spec, Wire, Wires
from protocols import ladder, mac, messages, topics
from supervisor.fleet import STATES
from supervisor.merit import Bools, Ints

TELEMETRY_S = 10.0
CHANGES_MAX = 800  # states told in one step, so that a mass change does not choke the loop


class ModelledRigs:
    """run() for ever.  fleet is stepped by its owner, with step() here afterwards.

    clock and nonce are the machine's own, but where a story plays in time of its own.
    """

    def __init__(
        self,
        fleet: ModelFleet,
        site: str,
        key: bytes,
        *,
        clock: Callable[[], float] = lambda: time.monotonic(),  # noqa: PLW0108
        nonce: Callable[[], str] = lambda: os.urandom(8).hex(),
    ) -> None:
        self.fleet, self._site, self._key = fleet, site, key
        self._clock, self._nonce = clock, nonce
        self._budget_topic, self._budget_key = topics.budget(site), mac.budget_key(key)
        rigs = len(fleet.names)
        self._row_of = {name: row for row, name in enumerate(fleet.names)}
        self._keys = [mac.rig_key(key, name) for name in fleet.names]
        self._nonces = [nonce() for _ in range(rigs)]
        self._joined: Bools = np.zeros(rigs, dtype=bool)
        self._command: Ints = np.zeros(rigs, dtype=np.int64)
        self._after: list[tuple[int, int]] = [(0, 0)] * rigs
        self._ladders: dict[int, tuple[Ints, Ints, Ints]] = {}
        self._held: Ints = np.zeros(rigs, dtype=np.int64)
        self._last, self._epoch, self._lease_s = (0, 0), 0, 0.0
        self.heard = self.refused = self.missed = 0
        self._tell: dict[int, None] = {}  # rows with something to say, the longest waiting first
        self._due = 0.0
        self._clients: list[Client | Wire] = []
        self._wires = Wires(self._on_up, self._on_message)
        self._rows: list[list[int]] = []  # by client
        self._client_at: Ints = np.zeros(rigs, dtype=np.int64)  # by row
        self._tasks: list[asyncio.Task[None]] = []
        self._budgets: deque[bytes] = deque(maxlen=30)

    # ---- the wire

    async def connect(self, host: str, port: int, connections: int = 1) -> None:
        """Connected, for ever.  connections: shared by the rigs; as many as rigs is one each."""
        shares = np.array_split(np.arange(len(self.fleet.names)), connections)
        doors = asyncio.Semaphore(DOORS)
        for number, rows in enumerate(shares):
            client = self._client_of(number, rows.tolist())
            self._clients.append(client)
            self._rows.append(rows.tolist())
            self._client_at[rows] = number
            self._tasks.append(asyncio.create_task(client.run(host, port, doors), name="rigs"))

    def _client_of(self, number: int, rows: list[int]) -> Client:
        names = [self.fleet.names[row] for row in rows]
        alone, everybody = len(rows) == 1, len(rows) == len(self.fleet.names)
        wanted = [topics.rig(self._site, name, "cmd") for name in (["+"] if everybody else names)]
        will = (topics.rig(self._site, names[0], "link"), messages.DOWN) if alone else None
        name = names[0] if alone else f"modelled-{os.getpid()}-{number}"
        return Client(
            number, name, [self._budget_topic, *wanted], will, self._on_up, self._on_message
        )

    async def connect_each(self, host: str, ports: list[int], processes: int) -> None:
        """A connection of its own for every rig, to these servers in turn."""
        topic, specs = self._budget_topic, []
        for row, name in enumerate(self.fleet.names):
            will = (topics.rig(self._site, name, "link"), messages.DOWN)
            wanted = [topic, topics.rig(self._site, name, "cmd")]
            specs.append(Spec(row, name, wanted, will, ports[row % len(ports)]))
        for first in range(processes):
            self._clients += await self._wires.open(host, specs[first::processes], topic)
        self._clients.sort(key=lambda wire: wire.number)
        self._client_at = np.arange(len(specs))
        self._rows = [[row] for row in range(len(specs))]

    @property
    def pids(self) -> list[int]:
        """Of the processes that hold the connections."""
        return self._wires.pids

    async def close(self) -> None:
        await self._wires.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connected(self) -> int:
        """How many of the connections stand."""
        return sum(client.up for client in self._clients)

    def _on_up(self, client: Client | Wire) -> None:
        """Hello to everybody whenever the connection is new."""
        for row in self._rows[client.number]:
            self._hello(row)

    def _on_message(self, _: Client | Wire, body: bytes) -> None:
        try:
            self.hear(*mqtt.message(body))
        except ValueError:
            self.refused += 1

    def hear(self, topic: str, payload: bytes) -> None:
        """Raises ValueError for what no rig obeys."""
        if topic == self._budget_topic:
            if payload not in self._budgets:  # each connection hears it; it says the same to all
                self._budgets.append(payload)
                self._budget(payload)
        elif (parsed := topics.parse(topic)) and parsed[1] in self._row_of:
            self._take(self._row_of[parsed[1]], topic, payload)

    def _publish(self, row: int, kind: str, payload: bytes, retain: bool = False) -> None:
        topic = topics.rig(self._site, self.fleet.names[row], kind)
        self._clients[self._client_at[row]].publish(topic, payload, retain)

    def _hello(self, row: int) -> None:
        model = self.fleet.models[int(self.fleet.group[row])]
        said = facts(model)
        body = messages.encode(
            "hello",
            {
                "nonce": self._nonces[row],
                "model": said.model,
                "firmware": "modelled",
                "boards": model.boards,
                "chips": model.chips,
                "floor_w": said.floor_w,
                "points": [list(point) for point in said.points],
                "wake_ms": int(said.wake_s * 1000),
                "up_w_per_s": int(said.up_w_per_s),
            },
        )
        self._publish(row, "link", messages.UP, retain=True)
        self._publish(row, "hello", body, retain=True)
        self._tell[row] = None

    # ---- what is heard

    def _take(self, row: int, topic: str, payload: bytes) -> None:
        """A command to one rig."""
        cmd: Any = messages.decode("cmd", mac.unseal(self._keys[row], topic, payload))
        if cmd["nonce"] != self._nonces[row] or cmd["id"] < self._command[row]:
            raise ValueError("not for this joining")
        if self.fleet.state[row] == FAULT:
            raise ValueError("does not join while in fault")
        if cmd["id"] > self._command[row]:
            steps = ladder.parse(cmd["ladder"])[:STEPS]
            self._hold(row, cmd["epoch"], steps)
            if not self._joined[row]:
                self._after[row] = (cmd["term"], cmd["seq"])
            self._joined[row], self._command[row] = True, cmd["id"]
            self._lease_s = self._lease_s or self._clock() + 10.0
        self._tell[row] = None

    def _hold(self, row: int, epoch: int, steps: tuple[ladder.Step, ...]) -> None:
        if epoch not in self._ladders:
            rigs = len(self.fleet.names)
            self._ladders[epoch] = (
                np.full((rigs, STEPS), FAR_W),
                np.full((rigs, STEPS), FAR_W),
                np.zeros((rigs, STEPS), dtype=np.int64),
            )
            for old in sorted(self._ladders)[:-2]:
                del self._ladders[old]
        if epoch not in self._ladders:
            return  # older than both held
        start_w, end_w, level = self._ladders[epoch]
        start_w[row], end_w[row], level[row] = FAR_W, FAR_W, 0
        for column, step in enumerate(steps):
            start_w[row, column], end_w[row, column] = step.start_w, step.end_w
            level[row, column] = step.level
        self._held[row] = max(self._held[row], epoch)

    def _budget(self, payload: bytes) -> None:
        body = mac.unseal(self._budget_key, self._budget_topic, payload)
        budget: Any = messages.decode("budget", body)
        place = (budget["term"], budget["seq"])
        if place <= self._last:
            raise ValueError("passed already")
        if place[0] == self._last[0]:
            self.missed += place[1] - self._last[1] - 1
        self._last, self._epoch = place, budget["epoch"]
        self.heard += 1
        self._lease_s = self._clock() + budget["ttl_ms"] / 1000
        rows = np.flatnonzero(self._joined)
        rows = rows[[self._after[row] < place for row in rows.tolist()]]
        held = self._ladders.get(self._epoch)
        if held is None:
            self.fleet.drop(rows)
            return
        self.fleet.hold(rows, *(column[rows] for column in held))
        self.fleet.admit(budget["admit_w"], rows)

    # ---- time, and what is told

    def step(self, seconds: float) -> None:
        """After the fleet has moved: leases, faults, telemetry."""
        if self._lease_s and self._clock() > self._lease_s:
            self._lease_s = 0.0
            self._leave(np.flatnonzero(self._joined))
        changed = self.fleet.take_changed()
        faulted = changed[(self.fleet.state[changed] == STATES.index("fault"))]
        self._leave(faulted[self._joined[faulted]])
        self._tell.update(dict.fromkeys(changed.tolist()))
        self._due += len(self.fleet.names) * seconds / TELEMETRY_S
        self._round_robin()
        for row in [*islice(self._tell, CHANGES_MAX)]:
            del self._tell[row]
            self._state(row)

    _next = 0

    def _round_robin(self) -> None:
        while self._due >= 1 and self._next < len(self.fleet.names):
            if self._joined[self._next]:
                self._state(self._next)
            else:
                self._hello(self._next)  # until it is answered: the one before may be lost
            self._next += 1
            self._due -= 1
        if self._next >= len(self.fleet.names):
            self._next = 0

    def _leave(self, rows: Ints) -> None:
        """These hold nothing any more and must join anew."""
        self.fleet.drop(rows)
        for start_w, end_w, _ in self._ladders.values():
            start_w[rows] = end_w[rows] = FAR_W
        for row in rows.tolist():
            self._joined[row], self._held[row] = False, 0
            self._nonces[row] = self._nonce()
            self._hello(row)

    def _state(self, row: int) -> None:
        fleet = self.fleet
        model, state = fleet.models[int(fleet.group[row])], STATES[int(fleet.state[row])]
        if state == "asleep" and not self._joined[row]:
            state = "joining"
        listed_w = fleet.power_w[row] / (1 + model.report_error)
        share = listed_w / max(1.0, float(fleet.listed_w[row]))
        self._publish(
            row,
            "state",
            messages.encode(
                "state",
                {
                    "up_ms": int(self._clock() * 1000),
                    "state": state,
                    "level": int(fleet.level[row]),
                    "power_w": int(listed_w),
                    "hash_ghs": int(fleet.aim_ghs[row] * min(1.0, share)),
                    "hot_dc": 300 + int(listed_w / 10),
                    "inlet_dc": 250,
                    "fan_rpm": 2000 + int(listed_w),
                    "fan_pm": min(1000, 200 + int(listed_w / 4)),
                    "cap_level": 0 if state == "fault" else len(model.points),
                    "term": self._last[0],
                    "seq": self._last[1],
                    "epoch": int(self._held[row]),
                    "lease_ms": max(0, int((self._lease_s - self._clock()) * 1000)),
                    "id": int(self._command[row]),
                    "event": 0,
                    "why": "did not wake; it tries again" if state == "fault" else "",
                },
            ),
        )


async def drive(rigs: ModelledRigs, period_s: float = 0.1) -> None:
    """Let the fleet live in real time."""
    before_s = time.monotonic()
    while True:
        await asyncio.sleep(period_s)
        now_s = time.monotonic()
        rigs.fleet.step(now_s - before_s)
        rigs.step(now_s - before_s)
        before_s = now_s
