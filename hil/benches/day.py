"""A whole day of a whole site, with everything going wrong: how well it followed, what it lost."""

import time
from typing import Annotated, Any

import typer

from hil.day import Day


def command(
    rigs: Annotated[int, typer.Option(min=50, max=200_000)] = 28_571,
    hours: Annotated[float, typer.Option(min=0.2, max=24 * 7)] = 24.0,
    seed: Annotated[int, typer.Option()] = 1,
) -> dict[str, Any]:
    """On a simulated clock, a decision a second."""
    began_s = time.monotonic()
    told = Day(rigs, hours, seed).play()
    wall_s = round(time.monotonic() - began_s, 1)
    return told | {"simulated_s": hours * 3600, "wall_s": wall_s}
