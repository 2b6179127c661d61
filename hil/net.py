"""TCP as a rig lives through it: delay, losses that cost time, ends that never say so.

No packets: a connection is two queues of bytes in order.  A part that is lost is sent
again after a pause that doubles, as TCP does; on a path that is away nothing arrives
and nothing is refused.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hil.clock import VirtualClock

ECONNRESET, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, ECONNABORTED = 104, 111, 118, 110, 103
UP, DOWN = 0, 1  # to the service, to the rig
RETRY_S, RETRY_S_MAX = 0.25, 8.0
TRIES = 12  # then TCP gives up, as lwIP does
KNOCKS = 4  # then nobody is there


@dataclass(slots=True)
class Path:
    """One rig's way to the hosts of the site."""

    delay_s: float = 0.002  # one way
    loss: float = 0.0  # part of what is sent that has to be sent again
    up: bool = True  # Wi-Fi, cable and switch


class Ears:
    """What one end of a connection does when something happens; nothing unless overridden."""

    def opened(self) -> None: ...
    def heard(self, data: bytes) -> None: ...
    def arrived(self, size: int) -> None:
        """So many bytes of ours are at the other side."""

    def over(self, error: int) -> None:
        """The connection ended; 0: the other side closed it."""


@dataclass(slots=True)
class _Way:
    """One direction."""

    parts: deque[bytes | None] = field(default_factory=deque)  # None: closed behind them
    busy: bool = False
    last_us: int = 0  # nothing may overtake


class Connection:
    """Between a rig and a service; both ends have ears."""

    def __init__(
        self, clock: VirtualClock, chance: random.Random, path: Path, world: Path, rig: Ears
    ) -> None:
        self._clock, self._chance, self._paths, self._rig = clock, chance, (path, world), rig
        self.service: Ears = Ears()
        self.silent = False  # half open: nothing arrives any more, and nobody is told
        self.over = False  # for the rig, at least
        self._refuses = False  # the service's end is gone
        self._ways = (_Way(), _Way())

    def open(self, service: Ears) -> None:
        self.service = service
        self._rig.opened()

    def send_up(self, data: bytes) -> None:
        self._send(UP, data)

    def send_down(self, data: bytes) -> None:
        self._send(DOWN, data)

    def close_up(self) -> None:
        """The rig closes; the service hears of it behind the last bytes."""
        self._send(UP, None)

    def close_down(self) -> None:
        self._send(DOWN, None)

    def break_off(self, error: int = ECONNRESET) -> None:
        """The service's end is gone; a rig that cannot be told learns it when it next speaks."""
        if self.over or self._refuses:
            return
        self._refuses = True
        self.service.over(error)
        if not self.silent and self._reachable():
            self._tell_rig(error)

    def give_up(self, error: int) -> None:
        """Nothing came through for too long: each end by itself calls it over."""
        if not self.over:
            self._tell_rig(error)
            if not self._refuses:
                self.service.over(error)

    def _tell_rig(self, error: int) -> None:
        self.over = True
        self._rig.over(error)

    def _reachable(self) -> bool:
        return all(path.up for path in self._paths)

    def _send(self, way: int, part: bytes | None) -> None:
        if not self.over and not (way == DOWN and self._refuses):
            self._ways[way].parts.append(part)
            if not self._ways[way].busy:
                self._ways[way].busy = True
                self._try(way, 0)

    def _try(self, way: int, tries: int) -> None:
        if self.over:
            return
        if tries == TRIES:
            self.give_up(ECONNABORTED)
        elif self.held_up():
            pause_s = min(RETRY_S_MAX, RETRY_S * 2**tries)
            self._clock.at(self._clock.now_s() + pause_s, lambda: self._try(way, tries + 1))
        else:
            self._pass(way)

    def held_up(self) -> bool:
        """What is sent now does not arrive."""
        return self.silent or not self._reachable() or self._lost()

    def delay_us(self) -> int:
        return round(sum(path.delay_s for path in self._paths) * 1e6)

    def _lost(self) -> bool:
        loss = 1.0 - (1.0 - self._paths[0].loss) * (1.0 - self._paths[1].loss)
        return loss > 0 and self._chance.random() < loss

    def _pass(self, way: int) -> None:
        if self._refuses:
            self._tell_rig(ECONNRESET)
            return
        line = self._ways[way]
        part = line.parts.popleft()
        line.last_us = max(line.last_us, self._clock.now_us + self.delay_us())
        self._clock.at_us(line.last_us, lambda: self._arrive(way, part))
        if line.parts:
            self._try(way, 0)
        else:
            line.busy = False

    def _arrive(self, way: int, part: bytes | None) -> None:
        if self.over or self.silent:
            return
        if self._refuses:
            self._tell_rig(ECONNRESET)
            return
        to, back = (self.service, self._rig) if way == UP else (self._rig, self.service)
        if part is None:
            self.over = True
            to.over(0)
            return
        to.heard(part)
        size = len(part)
        later_us = self._clock.now_us + self.delay_us()
        self._clock.at_us(later_us, lambda: self._acknowledge(back, size))

    def _acknowledge(self, ears: Ears, size: int) -> None:
        if not self.over and not self.silent:
            ears.arrived(size)


Answer = Callable[[bytes], bytes | None]  # a datagram, and what is said to it
Service = Callable[[Connection], Ears]


class Net:
    """Who listens where, and the connections there are."""

    def __init__(self, clock: VirtualClock, chance: random.Random) -> None:
        self._clock, self._chance = clock, chance
        self.world = Path(delay_s=0.0)  # what all paths share
        self._services: dict[tuple[str, int], Service] = {}
        self._answers: dict[tuple[str, int], Answer] = {}
        self.connections: list[Connection] = []

    def listen(self, host: str, port: int, service: Service) -> None:
        self._services[host, port] = service

    def deafen(self, host: str, port: int) -> None:
        """Nobody listens there any more; who knocks is refused."""
        self._services.pop((host, port), None)

    def answer(self, host: str, port: int, answer: Answer) -> None:
        """Who listens to datagrams there."""
        self._answers[host, port] = answer

    def datagram(
        self, path: Path, host: str, port: int, data: bytes, back: Callable[[bytes], None]
    ) -> None:
        """There and, with an answer, back; lost without a word either way."""
        hop = Connection(self._clock, self._chance, path, self.world, Ears())

        def there() -> None:
            listening = self._answers.get((host, port))
            answer = listening(data) if listening else None
            if answer is not None and not hop.held_up():
                self._clock.at_us(self._clock.now_us + hop.delay_us(), lambda: back(answer))

        if not hop.held_up():
            self._clock.at_us(self._clock.now_us + hop.delay_us(), there)

    def connect(self, path: Path, host: str, port: int, rig: Ears) -> Connection:
        """Opened, refused or, on a path that is away, given up: the rig's ears are told."""
        connection = Connection(self._clock, self._chance, path, self.world, rig)
        self.connections = [one for one in self.connections if not one.over]
        self.connections.append(connection)
        self._knock(connection, path, (host, port), 0)
        return connection

    def _knock(self, connection: Connection, path: Path, to: tuple[str, int], tries: int) -> None:
        now_s = self._clock.now_s()
        if connection.over:
            return
        if connection.held_up():
            pause_s = min(RETRY_S_MAX, 1.0 * 2**tries)
            if tries == KNOCKS:
                connection.give_up(ETIMEDOUT)
                return
            self._clock.at(now_s + pause_s, lambda: self._knock(connection, path, to, tries + 1))
            return
        round_s = 2 * (path.delay_s + self.world.delay_s)
        self._clock.at(now_s + round_s, lambda: self._answer(connection, to))

    def _answer(self, connection: Connection, to: tuple[str, int]) -> None:
        service = self._services.get(to)
        if connection.over or connection.silent:
            return
        if service is None:
            connection.give_up(ECONNREFUSED)
        else:
            connection.open(service(connection))
