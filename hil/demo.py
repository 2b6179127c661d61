"""The whole site on this machine, in real time: broker, supervisor, meter, modelled and real rigs.

The supervisor is a process of its own, as at a real site; everything it hears comes
over MQTT and Modbus.  This side is the world: rigs, meter, grid operator, and judge.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np

from hil.fleet import ModelFleet
from hil.meter import Meter
from hil.modelled import ModelledRigs, drive
from hil.rig import NoMicroPython, VirtualRig, settings
from hil.score import Score
from hil.surplus import Tape
from supervisor import nats
from supervisor.ramp import physical_up_w_per_s

SITE = "demo"
HOST = "127.0.0.1"
TOPIC = "grid/target"
AUXILIARY_W = 35  # of each rig's share of fans, pumps and losses of the site
AUXILIARY_ERROR = 0.02
METER_NOISE = 0.0003
WINDOW_S = 10.0
HEARTBEAT_S = 5.0
START_S, SETTLE_S, STOP_S = 20.0, 90.0, 30.0
SETTLED_S = 15  # seconds near the first value: ladders have been dealt around it by then
SWITCH_S = 0.0002  # a bus must not wait longer than this for the interpreter
FIRMWARE_TOP_W = 3500  # of one firmware rig, for the ramp before it has said so


class Demo:
    """A site in a folder.  say(text) for remarks.

    The modelled rigs share one connection; or each has its own, in so many processes, to so
    many servers of the broker.
    """

    def __init__(
        self, folder: Path, rigs: int, firmware_rigs: int, seed: int, say: Callable[[str], None]
    ) -> None:
        self.folder, self.state_dir, self.say = folder, folder / "state", say
        self.fleet, self.processes, self.servers = ModelFleet(rigs, seed), 0, 1
        self.wanted = firmware_rigs
        self.firmware: list[VirtualRig] = []
        self.auxiliary_w = AUXILIARY_W * (rigs + firmware_rigs)
        self.meter = Meter(self.metered_w)
        self.errors: list[str] = []
        self.broker_port, self.supervisor_log = nats.free_port(HOST), folder / "supervisor.log"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._random = np.random.default_rng(seed)
        self._signal_seq = 0

    # ---- what is true

    def drawn_w(self) -> float:
        auxiliary_w = self.auxiliary_w * (1 + AUXILIARY_ERROR)
        return self.fleet.drawn_w + auxiliary_w + sum(rig.power_w for rig in self.firmware)

    def metered_w(self) -> float:
        return self.drawn_w() * (1 + METER_NOISE * float(self._random.standard_normal()))

    @property
    def floor_w(self) -> float:
        asleep = float(self.fleet.floor_w.sum()) + 25.0 * len(self.firmware)
        return asleep + self.auxiliary_w * (1 + AUXILIARY_ERROR)

    @property
    def capacity_w(self) -> float:
        auxiliary_w = self.auxiliary_w * (1 + AUXILIARY_ERROR)
        return self.fleet.able_w() + auxiliary_w + FIRMWARE_TOP_W * len(self.firmware)

    @property
    def up_w_per_s(self) -> float:
        """The ramp the site declares: what its slowest model can climb."""
        slowest_s = max(
            (m.wake_s + m.points[-1][0] / m.up_w_per_s for m in self.fleet.models), default=30.0
        )
        return physical_up_w_per_s(self.capacity_w, self.floor_w, slowest_s)

    # ---- the parts

    async def start(self) -> None:
        """Everything up and every rig joined.  Raises RuntimeError with what did not come."""
        meter_port = await self.meter.start()
        self._write_settings(meter_port)
        self.start_supervisor()
        await self._until((self.state_dir / "api.json").exists, START_S, "supervisor")
        key = (self.state_dir / "site.key").read_bytes()
        self.modelled = ModelledRigs(self.fleet, SITE, key)
        if self.processes:
            ports = [self.broker_port + number for number in range(self.servers)]
            await self.modelled.connect_each(HOST, ports, self.processes)
        else:
            await self.modelled.connect(HOST, self.broker_port)
        self._driving = asyncio.create_task(drive(self.modelled), name="fleet")
        self._start_firmware(key)

    def _write_settings(self, meter_port: int) -> None:
        limit_mw = self.capacity_w * 1.2 / 1e6 + 0.02
        self.settings_path = self.folder / "site.toml"
        self.settings_path.write_text(
            f'[site]\nname = "{SITE}"\nlimit_mw = {limit_mw:.6f}\nauxiliary_kw ='
            f" {self.auxiliary_w / 1000:.3f}\nup_ramp_mw_per_min ="
            f" {self.up_w_per_s * 60 / 1e6:.6f}\n"
            f'state_dir = "state"\n[broker]\nport = {self.broker_port}\nservers = {self.servers}\n'
            f'[meter]\nhost = "127.0.0.1"\nport = {meter_port}\nmap = "surplus-bench"\n'
            f'[signal.mqtt]\ntopic = "{TOPIC}"\nsilence_s = 60\n'
        )

    def start_supervisor(self) -> None:
        with self.supervisor_log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "supervisor", "run", "-v", str(self.settings_path)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _start_firmware(self, key: bytes) -> None:
        if self.wanted:  # their buses are served by a thread beside the fleet's busy one
            sys.setswitchinterval(SWITCH_S)
        for number in range(1, self.wanted + 1):
            name = f"firmware-{number}"
            config = settings(SITE, name, HOST, self.broker_port, key)
            try:
                rig = VirtualRig(self.folder / name, config)
            except NoMicroPython as missing:
                self.say(f"{missing}; the demo goes on with modelled rigs")
                return
            rig.start()
            self.firmware.append(rig)

    async def _until(self, done: Callable[[], bool], most_s: float, what: str) -> None:
        until_s = time.monotonic() + most_s
        while not done():
            if self.supervisor is not None and self.supervisor.poll() is not None:
                said = self.supervisor_log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the supervisor ended by itself:\n{said}")
            if time.monotonic() > until_s:
                raise RuntimeError(f"{what}: not there after {most_s:.0f} s")
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End everything that was started here."""
        try:
            if hasattr(self, "_driving"):
                self._driving.cancel()
                await self.modelled.close()
            for rig in self.firmware:
                rig.close()
        finally:
            await asyncio.to_thread(self._stop_supervisor)
            await self.meter.stop()

    def _stop_supervisor(self) -> None:
        if self.supervisor is None or self.supervisor.poll() is not None:
            return
        self.supervisor.terminate()
        try:
            self.supervisor.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self._note(f"the supervisor did not end within {STOP_S:.0f} s, and was killed")

    # ---- the grid operator, and the run

    async def tell(self, client: aiomqtt.Client, limit_w: int) -> None:
        """Say a limit on the topic the site listens to."""
        self._signal_seq += 1
        said = {"mw": limit_w / 1e6, "valid_until": time.time() + 60, "seq": self._signal_seq}
        await client.publish(TOPIC, json.dumps(said), qos=0)

    async def run(self, tape: Tape, seconds: float, stop: threading.Event) -> dict[str, Any]:
        """Settle on the first value, then play for so many seconds.  The figures, if it came to
        that."""
        async with aiomqtt.Client(HOST, self.broker_port) as client:
            await self._settle(client, tape.at(0.0), stop)
            if stop.is_set():
                return {}
            self.say("settled; the signal plays")
            return await self._play(client, tape, seconds, stop)

    async def _settle(self, client: aiomqtt.Client, limit_w: int, stop: threading.Event) -> None:
        """Wait until the site has joined and holds the first value."""
        goal_w = max(self.floor_w, min(limit_w, self.capacity_w))
        near, since_s, told_s = 0, time.monotonic(), -1e9
        while near < SETTLED_S and time.monotonic() - since_s < SETTLE_S and not stop.is_set():
            if time.monotonic() - told_s > HEARTBEAT_S:
                await self.tell(client, limit_w)
                told_s = time.monotonic()
            await asyncio.sleep(1.0)
            near = near + 1 if abs(self.drawn_w() - goal_w) < 0.02 * self.capacity_w else 0
        if near < SETTLED_S and not stop.is_set():
            self.errors.append(f"not settled on the first value after {SETTLE_S:.0f} s")

    async def _play(
        self, client: aiomqtt.Client, tape: Tape, seconds: float, stop: threading.Event
    ) -> dict[str, Any]:
        score = Score(WINDOW_S, max(self.floor_w, min(tape.at(0.0), self.capacity_w)))
        started_s, told_s, before_w, second = time.monotonic(), -1e9, -1, 0
        missed = self.modelled.missed
        while second < seconds and not stop.is_set():
            limit_w = tape.at(float(second))
            if limit_w != before_w or time.monotonic() - told_s > HEARTBEAT_S:
                await self.tell(client, limit_w)
                before_w, told_s = limit_w, time.monotonic()
            second += 1
            await asyncio.sleep(max(0.0, started_s + second - time.monotonic()))
            hash_ghs = self.fleet.hash_ghs + sum(rig.hash_ghs for rig in self.firmware)
            score.sample(
                second - 1.0,
                1.0,
                limit_w,
                self.floor_w,
                self.capacity_w,
                self.up_w_per_s,
                self.metered_w(),
                hash_ghs,
            )
            self._watch()
        return {
            "rigs": len(self.fleet.names),
            "firmware_rigs": len(self.firmware),
            **score.report(),
            "messages_lost": self.modelled.missed - missed,
            "errors": len(self.errors),
        }

    def _watch(self) -> None:
        """Note what should not happen."""
        if self.supervisor is not None and self.supervisor.poll() is not None:
            self._note(f"the supervisor ended with {self.supervisor.returncode}")
        for rig in self.firmware:
            if not rig.alive or len(rig.resets) > 1:
                self._note(f"{rig.name} stopped or reset: {rig.log_text()[-300:]}")

    def _note(self, error: str) -> None:
        if error not in self.errors:
            self.errors.append(error)
