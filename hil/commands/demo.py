"""surplus demo: a whole site on this machine, live."""

import asyncio
import signal as signals
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor import commands

if TYPE_CHECKING:
    from hil.demo import Demo

FOREVER_S = 7 * 86_400.0


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    rigs: Annotated[int, typer.Option(min=1, max=60_000, help="modelled rigs")] = 2000,
    firmware_rigs: Annotated[int, typer.Option(min=0, max=16, help="rigs on real firmware")] = 4,
    signal: Annotated[Path | None, typer.Option(help="CSV: time,mw or AEMO; else shaped")] = None,
    headless: Annotated[bool, typer.Option(help="no dashboard")] = False,
    seconds: Annotated[float | None, typer.Option(min=10.0, help="end after so long")] = None,
    seed: Annotated[int, typer.Option()] = 1,
    as_json: commands.AsJson = False,
) -> None:
    """A site following a megawatt signal: broker, supervisor, meter, modelled and firmware rigs."""
    live = (
        not headless
        and not as_json
        and all(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr))
    )
    lasts_s = seconds or (FOREVER_S if live else 60.0)
    with tempfile.TemporaryDirectory(prefix="surplus-demo-") as folder:
        stage = Stage(Path(folder), rigs, firmware_rigs, signal, lasts_s, seed)
        result = stage.under_dashboard() if live else stage.plain()
    for error in stage.errors:
        commands.remark(f"surplus: {error}")
    if as_json:
        commands.show_json(result)
    else:
        report(result)
    raise typer.Exit(commands.WRONG if not result or result["errors"] else 0)


class Stage:
    """Runs a Demo, with or without a dashboard before it."""

    def __init__(
        self,
        folder: Path,
        rigs: int,
        firmware_rigs: int,
        signal: Path | None,
        seconds: float,
        seed: int,
    ) -> None:
        self._folder, self._signal, self._seconds = folder, signal, seconds
        self._rigs, self._firmware_rigs, self._seed = rigs, firmware_rigs, seed
        self.errors: list[str] = []
        self._ready, self._stop = threading.Event(), threading.Event()
        self._result: dict[str, Any] = {}
        self._say = commands.remark

    def plain(self) -> dict[str, Any]:
        """The site alone; an interrupt ends it early, with what it has achieved."""
        self._heed(self._end)
        site = threading.Thread(target=self._run, name="demo")
        site.start()
        self._ended(site)
        return self._result

    def under_dashboard(self) -> dict[str, Any]:
        """The site in a thread, the dashboard in front; leaving it ends the demo."""
        from supervisor.tui.app import run_top

        self._heed(self._end)
        site = threading.Thread(target=self._run, name="demo")
        site.start()
        commands.remark("starting the site ...")
        while not self._ready.wait(0.1) and site.is_alive():
            pass
        try:
            self._say = lambda text: None
            self._heed(signals.default_int_handler)
            if site.is_alive() and not self._stop.is_set():
                run_top(self._folder / "state")
        finally:
            self._heed(self._end)
            self._say = commands.remark
            self._end()
            self._ended(site)
        return self._result

    @staticmethod
    def _ended(site: threading.Thread) -> None:
        """Wait for it, looking up: a signal that comes just before a wait is heard only after."""
        while site.is_alive():
            site.join(0.2)

    def _heed(self, handler: Callable[..., Any]) -> None:
        """What an interrupt does.  While a thread is joined it must not raise: Python may then
        take the thread for ended, and leave behind what it has started."""
        for number in (signals.SIGINT, signals.SIGTERM, signals.SIGHUP):
            signals.signal(number, handler)

    def _end(self, *_signal: object) -> None:
        if not self._stop.is_set():
            self._stop.set()
            self._say("ending the site ...")

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        from hil.demo import Demo

        demo = Demo(self._folder, self._rigs, self._firmware_rigs, self._seed, self._say)
        self.errors = demo.errors
        try:
            tape = self._tape(int(demo.capacity_w))
            self._say(
                f"a site of {self._rigs} modelled and {self._firmware_rigs} firmware rigs, "
                f"state in {demo.state_dir}"
            )
            if await self._started(demo):
                self._result = await demo.run(tape, self._seconds, self._stop)
        except (RuntimeError, OSError, ValueError) as error:
            demo.errors.append(str(error))
        finally:
            await demo.stop()

    async def _started(self, demo: "Demo") -> bool:
        """Whether it has; not when it is to end before."""
        starting = asyncio.create_task(demo.start())
        while not starting.done():
            if self._stop.is_set():
                starting.cancel()
            await asyncio.wait((starting,), timeout=0.1)
        if starting.cancelled():
            return False
        starting.result()
        self._ready.set()
        return True

    def _tape(self, capacity_w: int) -> Any:
        from hil.surplus import tape, winter
        from supervisor.sources.signal_csv import read

        if self._signal is None:
            most_s = min(self._seconds + 60, 86_400.0)
            return tape(winter(capacity_w, most_s, self._seed), capacity_w, most_s)
        return tape(read(self._signal), capacity_w, self._seconds)


def report(result: dict[str, Any]) -> None:
    """What was achieved, for a person."""
    if not result:
        return
    typer.echo(
        f"{result['rigs']} modelled and {result['firmware_rigs']} firmware rigs drew "
        f"{result['energy_mwh']} MWh for {result['hashrate_ths_mean']:,.0f} TH/s on average.\n"
        f"Tracking error {result['tracking_error_pct']} % of capacity (worst 10 s: "
        f"{result['tracking_error_pct_max']} %), above what was asked: "
        f"{result['overshoot_s']:.0f} s, at most {result['overshoot_w_max'] / 1000:.0f} kW.\n"
        f"A falling signal was followed to 95 % within {result['signal_to_95pct_s_p95']} s (p95); "
        f"messages lost {result['messages_lost']}, errors {result['errors']}."
    )
