"""Maps of drives: which register starts one, and which proves that air moves.

A map is a TOML file of supervisor/drives.
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from supervisor.sources.registers import MapError, Register

UNITS = {"speed": "%", "current": "A", "pressure": "Pa"}


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The register that starts and stops it."""

    address: Annotated[int, Meta(ge=0, le=65535)]
    run: Annotated[int, Meta(ge=0, le=65535)]
    stop: Annotated[int, Meta(ge=0, le=65535)]


class Reference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The register of the speed wanted."""

    address: Annotated[int, Meta(ge=0, le=65535)]
    per_percent: float


class DriveMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """edge: it starts only when stop was written before run.  single: by function 6."""

    name: str
    edge: bool = False
    single: bool = False
    command: Command
    reference: Reference | None = None
    speed: Register | None = None
    current: Register | None = None
    pressure: Register | None = None


def load_drive(path: str | Path, proof: str) -> tuple[DriveMap, Register]:
    """The map in a file, and its register that proves airflow.  Raises MapError."""
    try:
        found = msgspec.convert(tomllib.loads(Path(path).read_text("utf-8")), DriveMap)
    except OSError as error:
        raise MapError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise MapError(f"{path}: {str(error).replace('$.', '')}") from None
    register: Register | None = getattr(found, proof)
    if register is None:
        raise MapError(f"{path}: it has no {proof}, by which drives.proof would prove airflow")
    if register.unit != UNITS[proof]:
        raise MapError(f"{path}: {proof}.unit is {register.unit}, it must be {UNITS[proof]}")
    return found, register
