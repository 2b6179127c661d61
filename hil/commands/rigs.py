"""surplus hil rigs: starts rigs that run the real firmware on virtual parts, against any broker."""

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TextIO

import typer

from hil.commands import registers, stories
from hil.faults import FAULTS
from hil.rig import NoMicroPython, VirtualRig, settings
from protocols import topics

REPORT_S = 1.0
KEY_BYTES = 32


class BadCall(ValueError):
    """What was asked for cannot be; the text says what would be right."""


def register(app: typer.Typer) -> None:
    bench = typer.Typer(help="The bench: real firmware on virtual parts.", rich_markup_mode=None)
    bench.callback()(lambda: None)
    bench.command("rigs")(rigs)
    bench.command("run")(stories.run)
    bench.command("list")(stories.list_)
    bench.command("registers")(registers.registers_)
    app.add_typer(bench, name="hil")


def rigs(
    count: Annotated[int, typer.Argument(min=1, max=64, help="how many rigs")],
    broker: Annotated[str, typer.Option(help="HOST:PORT of the site's MQTT broker")],
    site: Annotated[str, typer.Option(help="the site's name")],
    keys: Annotated[Path, typer.Option(help="the site's site.key")],
    name: Annotated[str, typer.Option(help="rigs are NAME-1, NAME-2, ...")] = "bench",
    flash: Annotated[Path | None, typer.Option(help="where their flash folders are kept")] = None,
    seconds: Annotated[float | None, typer.Option(help="stop after so long")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="a line of JSON a second")] = False,
) -> None:
    """Rigs running the real firmware; break them by lines like "bench-1 +fan_stopped" on stdin."""
    try:
        configs = plan(count, broker, site, keys, name)
        with tempfile.TemporaryDirectory(prefix="surplus-rigs-") as folder:
            run(configs, flash or Path(folder), seconds, as_json)
    except (BadCall, NoMicroPython, OSError) as error:
        print(f"surplus hil rigs: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def plan(count: int, broker: str, site: str, keys: Path, name: str) -> list[dict[str, object]]:
    """settings.json of every rig."""
    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadCall(f"--broker {broker}: HOST:PORT, for example 127.0.0.1:1883")
    key = keys.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadCall(f"--keys {keys}: {len(key)} bytes, a site key has {KEY_BYTES}")
    names = [f"{name}-{number}" for number in range(1, count + 1)]
    for what in (site, *names):
        if error := topics.name_error(what):
            raise BadCall(f"{what!r}: {error}")
    return [settings(site, each, host, int(port), key) for each in names]


def run(
    configs: list[dict[str, object]], flash: Path, seconds: float | None, as_json: bool
) -> None:
    """All of them, until a signal, or for so many seconds."""
    rigs = {
        str(config["rig"]): VirtualRig(flash / str(config["rig"]), config) for config in configs
    }
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        for rig in rigs.values():
            rig.start()
        print(f"{len(rigs)} rigs, flash in {flash}", file=sys.stderr)
        threading.Thread(target=listen, args=(rigs, sys.stdin), daemon=True).start()
        tell_until(stop, rigs, seconds, line if as_json else words)
    finally:
        for rig in rigs.values():
            rig.close()


def tell_until(
    stop: threading.Event,
    rigs: dict[str, VirtualRig],
    seconds: float | None,
    tell: Callable[[dict[str, VirtualRig]], str],
) -> None:
    beats = 0
    while seconds is None or beats * REPORT_S < seconds:
        if stop.wait(REPORT_S):
            return
        beats += 1
        print(tell(rigs), flush=True)


def line(rigs: dict[str, VirtualRig]) -> str:
    """One JSON object: rig -> what its plant does now, as nobody has to report it."""
    return json.dumps({name: measured(rig) for name, rig in rigs.items()})


def measured(rig: VirtualRig) -> dict[str, object]:
    return {
        "power_w": round(rig.power_w, 1),
        "hash_ghs": round(rig.hash_ghs),
        "alive": rig.alive,
        "faults": sorted(rig.faults),
    }


def words(rigs: dict[str, VirtualRig]) -> str:
    watts = sum(rig.power_w for rig in rigs.values())
    hashes_ths = sum(rig.hash_ghs for rig in rigs.values()) / 1000
    alive = sum(rig.alive for rig in rigs.values())
    return f"{alive} of {len(rigs)} alive, {watts / 1000:.2f} kW, {hashes_ths:.1f} TH/s"


def listen(rigs: dict[str, VirtualRig], lines: TextIO) -> None:
    for text in lines:
        if error := obey(rigs, text):
            print(error, file=sys.stderr)


def obey(rigs: dict[str, VirtualRig], text: str) -> str:
    """One typed line: RIG +FAULT, RIG -FAULT, RIG kill, RIG restart.  What is wrong with it."""
    said = text.split()
    if len(said) != 2 or said[0] not in rigs:
        return f"{text.strip()!r}: a rig and one of +FAULT, -FAULT, kill, restart"
    rig, order = rigs[said[0]], said[1]
    if order == "kill":
        rig.kill()
    elif order == "restart":
        rig.restart()
    elif order[0] == "-":
        rig.faults.discard(order[1:])
    elif order[0] == "+":
        try:
            rig.faults.add(order[1:])
        except ValueError as error:
            return str(error)
    else:
        return f"{order!r}: one of +FAULT, -FAULT, kill, restart; faults: {', '.join(FAULTS)}"
    return ""
