"""A rig in virtual time: its program runs from wait to wait, when the bench's clock says so.

micropython <--pipe--> lockstep -- wiring -- chips -- plant
                          '-- sockets -- net -- broker, all on one clock
"""

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from hil.clock import CONTROLLER, Event, VirtualClock
from hil.lockstep import BenchError, Gone, Lockstep, Wait
from hil.net import Net
from hil.rig import CHIP_KB, MAIN, POWER_ON, SOFTWARE, WATCHDOG, Rig
from hil.rig_net import RigNet
from hil.virtual import wire
from hil.wiring import Wiring

PLENTY = "2M"
CHIP_HEAP = f"{CHIP_KB + 48}K"  # the bench's own modules take 48K in virtual time
STEP_US = 50_000  # of plant and parts
BOOT_US = 350_000  # from power to the first line of boot.py, as on an ESP32
UNIX_2000_S = 946_684_800  # where the ESP32's time.time() begins


class BenchRig(Rig):
    """Made by Bench.rig(); everything in the thread that runs the bench.

    way is its path to the broker (delay_s, loss); transactions, when not None, takes every
    bus transaction as (now_s, kind, n, written, answer).
    """

    def __init__(
        self,
        clock: VirtualClock,
        net: Net,
        flash: Path,
        config: Mapping[str, object],
        *,
        seed: int,
        tell: Callable[[str], None],
        program: str = MAIN,
        ambient_c: float = 25.0,
        ticks_ms: int = 0,
        heap: str = "",
    ) -> None:
        super().__init__(flash, config, program, ambient_c)
        self._heap = heap or PLENTY
        self._environment = {"BENCH_HEAP": heap}
        self.log_path.unlink(missing_ok=True)
        self._clock, self._seed, self._tell = clock, seed, tell
        self.wiring = Wiring(self.plant, self.name, clock.now_s, clock.at, self.circuit)
        self.wiring.on_reset = lambda: None  # the pipe says so itself
        self._reach = RigNet(clock, net, self._arrive)
        self.way, self.cable_way = self._reach.wifi_way, self._reach.cable_way
        self.transactions: list[tuple[float, str, int, bytes, bytes]] | None = None
        self._lockstep: Lockstep | None = None
        self._waking: Event | None = None
        self._by = 0  # arrivals that wake the program
        self._ticks_us = ticks_ms * 1000  # what its clock counts from
        self._on_us = 0  # when its program began
        self._rtc_us = 0  # what time.time() is ahead of the bench
        self._console = 0  # bytes of it that were told
        self._flash_steps, self._flash_left = 0, -1
        self._stalled_us = 0
        clock.every_us(STEP_US, self._step)

    # ---- what a story does to it

    def start(self) -> None:
        """Mains on: the board boots."""
        self._begin(POWER_ON)

    def restart(self) -> None:
        """Off and on again, at once."""
        self._begin(POWER_ON)

    def kill(self) -> None:
        """The controller dies; its pins fall, the plant goes on, nobody closes its sockets."""
        super().kill()
        if self._lockstep:
            self._tell("the controller is gone")
        self._hang_up()

    def brown_out(self, seconds: float = 0.5) -> None:
        """The controller loses its power, and gets it back."""
        self.kill()
        self._clock.at(self._clock.now_s() + seconds, self.start)

    def wifi(self, up: bool) -> None:
        """The access point goes, or comes back; with it the rig's connection, by and by."""
        self._tell(f"wifi {'up' if up else 'down'}")
        self._reach.wifi(up)

    def cable(self, up: bool) -> None:
        """The network cable is pulled out, or put in; a rig without one never notices."""
        self._tell(f"cable {'in' if up else 'out'}")
        self._reach.cable(up)

    @property
    def network(self) -> str:
        """The way its connections would go now: with both, the ESP32 takes Wi-Fi."""
        return self._reach.way

    def stall(self, seconds: float) -> None:
        """The program is held up: whatever it waits for next comes so much later."""
        self._stalled_us = round(seconds * 1e6)

    def set_clock(self, unix_s: float) -> None:
        """time.time() jumps there, as NTP does it; ticks and sleeps do not."""
        self._tell(f"clock set to {unix_s:.0f}")
        self._rtc_us = round((unix_s - UNIX_2000_S) * 1e6) - self._clock.now_us
        self._arrive(wire.RTC, 0, struct.pack("<q", self._rtc_ahead_us()), wake=0)

    def lose_power_at_write(self, step: int) -> None:
        """The step-th change to a file from now, counted from 1, never happens: no power.

        A step is opening, writing, flushing or closing, renaming or removing; the rig
        stays dead until start().
        """
        self._flash_left = step

    @property
    def flash_steps(self) -> int:
        """How many steps that change files there were so far."""
        return self._flash_steps

    def press(self, seconds: float) -> None:
        """Somebody's finger on the button, for so long."""
        self._tell(f"button for {seconds:g} s")
        self.wiring.pressed = True
        self._clock.at(self._clock.now_s() + seconds, self._let_button_go)

    def _let_button_go(self) -> None:
        self.wiring.pressed = False

    def noise(self, uart: int, data: bytes) -> None:
        """Bytes out of nowhere on a UART's receive line."""
        self._arrive(wire.UART_READ, uart, data, wake=0)

    @property
    def round_trips(self) -> dict[str, int]:
        """Since the last start: waits, transactions asked, and answered without asking."""
        step = self._lockstep
        return {"waits": step.waits, "asks": step.asks, "seen": step.seen} if step else {}

    def close(self) -> None:
        super().kill()
        self._hang_up()

    # ---- its program

    def _begin(self, cause: int) -> None:
        super().kill()
        self._hang_up()
        self._on_us = self._clock.now_us + BOOT_US
        if cause == POWER_ON:
            self._rtc_us = -self._on_us  # it lives through every other reset
        self._environment |= {
            "BENCH_TIME": "virtual",
            "BENCH_SEED": f"{self._seed}/{self.name}/{len(self.resets)}",  # no two starts alike
            "BENCH_TICKS_US": str(self._ticks_us),
            "BENCH_RTC_US": str(self._rtc_ahead_us()),
        }
        self._lockstep = Lockstep(*self._power(cause), self.wiring, self)
        self.wiring.push = self._lockstep.push
        self._tell(f"power on, cause {cause}")
        self._wake_at(self._on_us, self._lockstep.begin)

    def _rtc_ahead_us(self) -> int:
        """time.time() ahead of the ticks."""
        return self._rtc_us + self._on_us - self._ticks_us

    def _up_us(self) -> int:
        return self._clock.now_us - self._on_us + self._ticks_us

    def _go_on(self) -> Wait | Gone:
        assert self._lockstep
        return self._lockstep.go_on(self._up_us())

    def _wake_at(self, when_us: int, run: Callable[[], Wait | Gone]) -> None:
        def wake() -> None:
            self._waking = None
            try:
                ended = run()
            except BenchError as error:
                raise BenchError(f"{self.name}: {error}\n{self.log_text()}") from None
            self._hear_console()
            self._after(ended)

        self._waking = self._clock.at_us(when_us, wake, CONTROLLER)

    def _after(self, ended: Wait | Gone) -> None:
        if isinstance(ended, Gone):
            if ended.asked:
                self._begin(SOFTWARE)
            else:
                self.kill()
            return
        self._by = ended.by
        if ended.us is not None:
            when_us = self._clock.now_us + ended.us + self._stalled_us
            self._wake_at(when_us, self._go_on)
            self._by, self._stalled_us = 0 if self._stalled_us else self._by, 0

    def _arrive(self, op: int, n: int, payload: bytes, wake: int) -> None:
        """For the program; it goes on at once if it waits for such."""
        if self._lockstep is None:
            return
        self._lockstep.arrive(op, n, payload)
        if self._by & wake:
            self._by = 0
            if self._waking:
                self._waking.cancel()
            self._wake_at(self._clock.now_us, self._go_on)

    def _hang_up(self) -> None:
        if self._waking:
            self._waking.cancel()
            self._waking = None
        if self._lockstep:
            self._lockstep.close()
            self._lockstep = None
        self._by = 0
        self._reach.hang_up()
        self._let_go()

    def _hear_console(self) -> None:
        size = os.stat(self.log_path).st_size
        if size > self._console:
            with self.log_path.open("rb") as log:
                log.seek(self._console)
                text = log.read(size - self._console).decode(errors="replace")
            self._console = size
            for line in text.splitlines():
                self._tell(f"console: {line}")

    def _step(self) -> None:
        self.wiring.step()
        late_ms = (self._clock.now_s() - self.wiring.fed_s) * 1000
        if self._lockstep and self.wiring.watchdog_ms and late_ms > self.wiring.watchdog_ms:
            self._tell("the watchdog bites")
            self._begin(WATCHDOG)

    # ---- the host of hil/lockstep.py

    def flash_step(self, step: int, path: str) -> bool:
        self._flash_steps += 1
        self._flash_left -= 1
        if self._flash_left == 0:
            self._tell(f"power lost before step {step} of {path}")
            return False
        return True

    @property
    def recording(self) -> bool:
        return self.transactions is not None

    def saw(self, op: int, n: int, payload: bytes, answer: bytes) -> None:
        assert self.transactions is not None
        self.transactions.append((self._clock.now_s(), wire.BUS_NAMES[op], n, payload, answer))

    def net(self, op: int, n: int, payload: bytes) -> None:
        if op == wire.RTC_SET:
            (ahead_us,) = struct.unpack("<q", payload)
            self._rtc_us = ahead_us - self._on_us + self._ticks_us
            self._tell(f"its clock is set to {self.unix_s:.0f}")
        else:
            self._reach.hear(op, n, payload)

    @property
    def unix_s(self) -> float:
        """What its clock says."""
        return (self._clock.now_us + self._rtc_us) / 1e6 + UNIX_2000_S
