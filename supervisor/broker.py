"""A server of the embedded MQTT broker: a nats-server, started, found again and kept alive.

It outlives the supervisor on purpose: rigs stay connected while the supervisor
restarts, and the next one adopts it.  Its port is chosen once and kept, because it
stands in every rig's settings.  Knows nothing of messages: that is supervisor/link.py.
"""

import asyncio
import logging
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

import msgspec

from supervisor import nats

log = logging.getLogger(__name__)

BrokerError = nats.BrokerError

READY_S = 20.0  # a store of 28,000 sessions opens in well under a second
PROBES_MISSED_MAX = 5  # then a broker that lives but does not answer is replaced
BEAT_S = 0.25
BEATS_A_PROBE = 8
STOP_S = 5.0
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Broker:
    """One nats-server.

    folder: what it keeps.  host: where MQTT clients may connect.  port: 0 for the one
    remembered, else a free one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        binary: Path | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.pid: int | None = None
        self.restarts = 0
        self.adopted = False
        self._wanted = True
        self._folder = folder.absolute()
        self._binary = binary
        self._place: nats.Place | None = None
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> int:
        """The MQTT port of a broker that answers: the one still running, or a new one."""
        self._wanted = True
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._place = self._remembered()
        if self._place and await self._adopt(self._place):
            log.info("broker adopted, pid %s, MQTT port %s", self.pid, self._place.port)
        else:
            await self._spawn()
        self.port = self._place_now().port
        return self.port

    async def watch(self) -> None:
        """Until stop(): start it again when it is gone or does not answer."""
        missed = failures = beat = 0
        while self._wanted:
            if self._alive():
                await asyncio.sleep(BEAT_S)
                beat += 1
                if beat % BEATS_A_PROBE:
                    continue
                answers = await nats.answers(self._place_now())
                missed = 0 if answers else missed + 1
                failures = 0 if answers else failures
                if missed < PROBES_MISSED_MAX:
                    continue
                log.error("broker does not answer; it is replaced")
                await self._end()
            missed = 0
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1
            await self._again()

    async def stop(self) -> None:
        """Ends it, and watch()."""
        self._wanted = False
        await self._end()

    async def _end(self) -> None:
        """A polite request first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._alive():
                break
            assert self.pid is not None
            os.kill(self.pid, number)
            deadline = time.monotonic() + STOP_S
            while self._alive() and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
        self.pid = self._child = None

    async def _again(self) -> None:
        """One attempt to have a broker again."""
        if not self._wanted:
            return
        self.restarts += 1
        try:
            await self._spawn()
        except BrokerError as error:
            log.error("%s", error)
        else:
            log.warning("broker started again, pid %s", self.pid)

    async def _spawn(self) -> None:
        """Starts a new one and waits until MQTT answers."""
        binary = nats.find_binary(self._binary)
        self._place = place = self._choose()
        path = self._folder / "nats.conf"
        _write(path, nats.conf(place, self._folder))
        _write(self._folder / "place.json", msgspec.json.encode(place).decode())
        nats.raise_file_limit(nats.FILES_WANTED)
        try:
            self._child = subprocess.Popen(
                [str(binary), "-c", str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then stops it
            )
        except OSError as error:
            raise BrokerError(f"{binary}: cannot be started: {error.strerror}") from None
        self.pid, self.adopted = self._child.pid, False
        await self._ready(place)

    async def _ready(self, place: nats.Place) -> None:
        deadline = time.monotonic() + READY_S
        while not (await nats.answers(place) and await nats.listens(place.host, place.port)):
            if not self._alive() or time.monotonic() > deadline:
                await self._end()
                said = _last_words(self._folder / "nats.log")
                raise BrokerError(f"the broker did not start on MQTT port {place.port}: {said}")
            await asyncio.sleep(0.02)

    async def _adopt(self, place: nats.Place) -> bool:
        """Whether a broker of this state directory still runs where it is wanted."""
        pid = _pid_in(self._folder / "nats.pid")
        if pid is None or not _exists(pid) or not await nats.answers(place):
            return False
        self.pid, self.adopted = pid, True
        wanted = place.host == self.host and self.port in (0, place.port)
        if wanted and await nats.listens(place.host, place.port):
            return True
        log.warning("broker at %s:%s is not where it is wanted: ended", place.host, place.port)
        await self._end()
        return False

    def _choose(self) -> nats.Place:
        """Where the next one listens: the port asked for, else the one remembered."""
        known = self._place or self._remembered()
        port = self.port or (known.port if known else 0)
        if wrong := nats.listen_error(self.host, port):
            raise BrokerError(
                f"broker.host {self.host}, MQTT port {port}: {wrong}; free it or change broker.port"
                f" (remembered in {self._folder / 'place.json'}; rigs have it in their settings)"
            )
        name = known.name if known else f"surplus-{secrets.token_hex(8)}"
        door = nats.free_port("127.0.0.1")
        return nats.Place(name, self.host, port or nats.free_port(self.host), door)

    def _remembered(self) -> nats.Place | None:
        path = self._folder / "place.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=nats.Place)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise BrokerError(f"{path}: {error}; remove it to choose a new port") from None

    def _place_now(self) -> nats.Place:
        assert self._place is not None, "start() comes first"
        return self._place

    def _alive(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            return False  # reaped here, so its pid is nobody's
        return self.pid is not None and _exists(self.pid)


def _exists(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)  # a dead child stays in the table until somebody asks
    except ChildProcessError:
        pass  # started by a supervisor before this one
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # somebody else's: not the one we started
    return True


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for this user only: it holds a password."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _last_words(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return "it left no log"
    return lines[-1] if lines else "its log is empty"
