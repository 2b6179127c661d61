"""The site's settings: one TOML file, read once into frozen values.

An unknown key, a wrong type, a number out of range or a file that is not there is
an error that names the file, the key and what would be right.  Nothing is read
from the environment.  supervisor/site.example.toml shows every key.
"""

import tomllib
import typing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocols import topics
from supervisor import settings
from supervisor.settings import Section

ConfigError = settings.ConfigError

W_PER_MW = 1_000_000
W_PER_KW = 1_000
MW_MAX = 10_000  # the widest merit order the wire can carry, 10 GW
METERS = Path(__file__).parent / "meters"


_Port = Annotated[int, Meta(ge=0, le=65535, description="a TCP port, 0 for a free one")]
_Host = Annotated[str, Meta(min_length=1, description="a host name or an IP address")]
_Seconds = Annotated[float, Meta(ge=0.1, le=86_400, description="seconds, 0.1 to 86400")]


class SiteConfig(Section, frozen=True, kw_only=True):
    """What the site is and may draw."""

    name: Annotated[str, Meta(description="1 to 32 of a-z, 0-9 and -")]
    limit_mw: Annotated[float, Meta(gt=0, le=MW_MAX, description="what breaker and feeders carry")]
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="import with no signal")] = 0.0
    auxiliary_kw: Annotated[
        float, Meta(ge=0, le=1e6, description="fans, pumps and losses, between envelope and budget")
    ] = 0.0
    margin_pct: Annotated[float, Meta(ge=0, le=50, description="of the budget, kept free")] = 0.0
    up_ramp_mw_per_min: (
        Annotated[float, Meta(gt=0, description="above 0; from the rigs when left out")] | None
    ) = None
    state_dir: Annotated[str, Meta(min_length=1, description="a folder, made when missing")] = (
        "surplus-state"
    )
    telemetry_s: _Seconds = 10.0
    lease_s: Annotated[float, Meta(ge=1, le=600, description="seconds, 1 to 600")] = 10.0
    broadcast_s: Annotated[float, Meta(ge=0.1, le=60, description="seconds, 0.1 to 60")] = 1.0

    @property
    def limit_w(self) -> int:
        return round(self.limit_mw * W_PER_MW)

    @property
    def default_w(self) -> int:
        return round(self.default_mw * W_PER_MW)

    @property
    def auxiliary_w(self) -> int:
        return round(self.auxiliary_kw * W_PER_KW)

    @property
    def up_ramp_w_per_s(self) -> float | None:
        """None: derive it from the rigs."""
        ramp = self.up_ramp_mw_per_min
        return None if ramp is None else ramp * W_PER_MW / 60


class BrokerConfig(Section, frozen=True, kw_only=True):
    """embedded: started and kept alive by the supervisor.  external: somebody else's."""

    kind: Annotated[
        Literal["embedded", "external"], Meta(description='"embedded" or "external"')
    ] = "embedded"
    host: _Host = "127.0.0.1"
    port: _Port = 0
    binary: str | None = None
    user: str | None = None
    password_file: str | None = None


class MeterConfig(Section, frozen=True, kw_only=True):
    """The Modbus TCP meter of the whole site.  map: of supervisor/meters, or a path."""

    host: _Host
    port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 502
    unit: Annotated[int, Meta(ge=0, le=255, description="the Modbus unit, 0 to 255")] = 1
    map: Annotated[str, Meta(min_length=1, description="a register map: a name or a path")]
    poll_s: _Seconds = 1.0
    stale_s: _Seconds = 5.0


class CsvConfig(Section, frozen=True, kw_only=True):
    """A schedule from a file: `time,mw`, or AEMO's price and demand."""

    file: Annotated[str, Meta(min_length=1, description="a CSV file")]
    start: (
        Annotated[
            datetime,
            Meta(tz=True, description="when its first row happens, such as 2026-12-01T00:00:00Z"),
        ]
        | None
    ) = None
    utc_offset_h: Annotated[
        float, Meta(ge=-14, le=14, description="the clock of times that name none")
    ] = 0.0
    capacity_mw: (
        Annotated[float, Meta(gt=0, le=MW_MAX, description="what AEMO's largest surplus becomes")]
        | None
    ) = None
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="before and after it")] = 0.0


class MqttConfig(Section, frozen=True, kw_only=True):
    """A limit over MQTT; on the site's own broker unless host and port name another."""

    topic: Annotated[str, Meta(min_length=1, max_length=200, description="a topic, no wildcard")]
    host: str | None = None
    port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 1883
    user: str | None = None
    password_file: str | None = None
    silence_s: _Seconds = 240.0
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="once it is silent")] = 0.0


class SignalConfig(Section, frozen=True, kw_only=True):
    csv: CsvConfig | None = None
    mqtt: MqttConfig | None = None


class ApiConfig(Section, frozen=True, kw_only=True):
    host: _Host = "127.0.0.1"
    port: _Port = 0


class Config(Section, frozen=True, kw_only=True):
    """Everything.  Paths inside are absolute."""

    site: SiteConfig
    broker: BrokerConfig = BrokerConfig()
    meter: MeterConfig | None = None
    signal: SignalConfig = SignalConfig()
    api: ApiConfig = ApiConfig()

    @property
    def state_dir(self) -> Path:
        return Path(self.site.state_dir)


def load(path: str | Path) -> Config:
    """The settings in a file.  Raises ConfigError and nothing else."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    try:
        settings.check_keys(raw, keys())
        config = resolved(msgspec.convert(raw, Config), path.absolute().parent)
        for key, wrong in _nonsense(config):
            raise ConfigError(f"{key}: {wrong}")
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {settings.sentence(str(error), keys())}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return config


def keys() -> dict[str, str]:
    """Every key there is, dotted, with what is right for it."""
    return settings.keys(Config)


def _nonsense(config: Config) -> typing.Iterator[tuple[str, str]]:
    """What each value alone could not tell: (key, what is wrong and what would be right)."""
    site, broker, mqtt = config.site, config.broker, config.signal.mqtt
    if wrong := topics.name_error(site.name):
        yield "site.name", wrong
    if site.default_mw > site.limit_mw:
        yield "site.default_mw", f"{site.default_mw:g} is above site.limit_mw, {site.limit_mw:g}"
    if site.lease_s < 3 * site.broadcast_s:
        yield "site.lease_s", f"must be three broadcasts or more, {3 * site.broadcast_s:g}"
    if broker.kind == "external" and not broker.port:
        yield "broker.port", "an external broker needs its port, often 1883"
    if broker.kind == "embedded" and (broker.user or broker.password_file):
        yield "broker.user", 'is for kind = "external"; the embedded broker asks for none'
    if mqtt and (wrong := _topic_error(mqtt.topic, site.name)):
        yield "signal.mqtt.topic", wrong
    for key, file in _files(config):
        if not Path(file).is_file():
            shipped = ", ".join(sorted(file.stem for file in METERS.glob("*.toml")))
            hint = f", nor one of the maps that come along: {shipped}" if key == "meter.map" else ""
            yield key, f"no such file: {file}{hint}"


def _topic_error(topic: str, site: str) -> str:
    if "+" in topic or "#" in topic or "\0" in topic:
        return "a topic to listen to has no wildcard (+ or #)"
    if topics.parse(topic) or topic == topics.budget(site):
        return "is one of the site's own topics; use another, such as grid/target"
    return ""


def _files(config: Config) -> typing.Iterator[tuple[str, str]]:
    """Every file that must be there."""
    if config.broker.binary:
        yield "broker.binary", config.broker.binary
    if config.broker.password_file:
        yield "broker.password_file", config.broker.password_file
    if config.meter:
        yield "meter.map", config.meter.map
    if config.signal.csv:
        yield "signal.csv.file", config.signal.csv.file
    if config.signal.mqtt and config.signal.mqtt.password_file:
        yield "signal.mqtt.password_file", config.signal.mqtt.password_file


def resolved(config: Config, folder: Path) -> Config:
    """The same with every path absolute; relative ones are seen from folder."""

    def absolute(section: Any, *names: str) -> Any:
        if section is None:
            return None
        there = {n: str(folder / getattr(section, n)) for n in names if getattr(section, n)}
        return msgspec.structs.replace(section, **there)

    signal = msgspec.structs.replace(
        config.signal,
        csv=absolute(config.signal.csv, "file"),
        mqtt=absolute(config.signal.mqtt, "password_file"),
    )
    meter = config.meter
    if meter:
        meter = msgspec.structs.replace(meter, map=str(map_file(meter.map, folder)))
    return msgspec.structs.replace(
        config,
        site=absolute(config.site, "state_dir"),
        broker=absolute(config.broker, "binary", "password_file"),
        meter=meter,
        signal=signal,
    )


def map_file(name: str, folder: Path) -> Path:
    """A register map by its name in supervisor/meters, else a path seen from folder."""
    shipped = METERS / f"{name}.toml"
    return shipped if "/" not in name and shipped.is_file() else folder / name
