"""Many clients in a few processes: opened, asked what they heard, ended with their parent.

The parent asks over a pipe and the worker answers; a worker whose parent is gone ends.
Times are CLOCK_MONOTONIC seconds, which all processes of a machine share.
"""

import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hil.load.client import DOORS, Client
from protocols import messages, topics

ANSWER_S = 120.0

Seconds = NDArray[np.float64]


class Crowd:
    """count clients of a site, named rig-00000 and so on, in so many processes.

    ports: of the servers they are shared out to, in turn.  As many files may be open in each
    process as in this one.
    """

    def __init__(self, site: str, ports: list[int], count: int, processes: int = 2) -> None:
        forks = multiprocessing.get_context("spawn")
        self.count, self._pipes, self._workers = count, [], []
        each = -(-count // processes)
        for first in range(0, count, each):
            ours, theirs = forks.Pipe()
            work = forks.Process(
                target=_work,
                args=(theirs, site, ports, first, min(each, count - first)),
                daemon=True,
            )
            work.start()
            theirs.close()
            self._pipes.append(ours)
            self._workers.append(work)

    def ask(self, wish: str, *more: Any) -> list[Any]:
        """Every worker's answer to a wish (a method of Worker)."""
        for pipe in self._pipes:
            pipe.send((wish, more))
        return [self._answer(pipe) for pipe in self._pipes]

    def _answer(self, pipe: Connection) -> Any:
        if not pipe.poll(ANSWER_S):
            raise RuntimeError(f"a process of the load does not answer for {ANSWER_S:.0f} s")
        return pipe.recv()

    async def until_up(self, most_s: float) -> float:
        """Seconds until every client is connected.  Raises RuntimeError with how many are not."""
        begun_s = time.monotonic()
        while (up := sum(self.ask("up"))) < self.count:
            if time.monotonic() - begun_s > most_s:
                raise RuntimeError(f"{self.count - up} of {self.count} not up after {most_s:.0f} s")
            await asyncio.sleep(0.05)
        return time.monotonic() - begun_s

    def heard(self) -> tuple[Seconds, int]:
        """(when each client that heard anything heard it first, how many messages in all)."""
        answers = self.ask("heard")
        return np.concatenate([at for at, _ in answers]), sum(count for _, count in answers)

    @property
    def pids(self) -> list[int]:
        return [cast(int, worker.pid) for worker in self._workers]

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for worker in self._workers:
            worker.join(10)
            if worker.is_alive():
                worker.kill()


class Worker:
    """One process's share of the crowd; each method answers a wish."""

    def __init__(self, site: str, ports: list[int], first: int, count: int) -> None:
        self._ports, self._tasks = ports, set[asyncio.Task[None]]()
        self._at_s, self._messages = np.zeros(count), 0
        self._doors = asyncio.Semaphore(DOORS)
        self.clients = []
        for number in range(count):
            name = f"rig-{first + number:05d}"
            wanted = [topics.budget(site), topics.rig(site, name, "cmd")]
            will = (topics.rig(site, name, "link"), messages.DOWN)
            self.clients.append(Client(number, name, wanted, will, hear=self._hear))

    def _hear(self, client: Client, _: bytes) -> None:
        self._messages += 1
        if not self._at_s[client.number]:
            self._at_s[client.number] = time.monotonic()

    def open(self) -> None:
        for client in self.clients:
            port = self._ports[client.number % len(self._ports)]
            task = asyncio.ensure_future(client.run("127.0.0.1", port, self._doors))
            self._tasks.add(task)

    def up(self) -> int:
        return sum(client.up for client in self.clients)

    def heard(self) -> tuple[Seconds, int]:
        """What was heard since this was last asked."""
        answer = self._at_s[self._at_s > 0], self._messages
        self._at_s, self._messages = np.zeros(len(self.clients)), 0
        return answer

    def load(self, packets: list[bytes]) -> None:
        """Have these ready to be said; each is one or more packets."""
        self._packets, self._next = packets, 0

    def say(self, count: int) -> int:
        """So many of them in turn, over the first clients.  How many."""
        voices = [client.transport for client in self.clients[:4] if client.transport]
        for _ in range(count):
            voices[self._next % len(voices)].write(self._packets[self._next % len(self._packets)])
            self._next += 1
        return count


def _work(pipe: Connection, site: str, ports: list[int], first: int, count: int) -> None:
    asyncio.run(_serve(pipe, Worker(site, ports, first, count)))


async def _serve(pipe: Connection, worker: Worker) -> None:
    """Answer wishes until the parent closes its end."""
    gone, loop = asyncio.Event(), asyncio.get_running_loop()

    def answer() -> None:
        try:
            wish, more = pipe.recv()
            pipe.send(getattr(worker, wish)(*more))
        except (EOFError, OSError):
            gone.set()
            loop.remove_reader(pipe.fileno())

    loop.add_reader(pipe.fileno(), answer)
    await gone.wait()
