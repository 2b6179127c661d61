"""The site's settings: one TOML file, read once into frozen values.

An unknown key, a wrong type, a number out of range or a file that is not there is
an error that names the file, the key and what would be right.  Nothing is read
from the environment.  supervisor/site.example.toml shows every key; the sections
are in supervisor/sections/, a file each.
"""

import tomllib
import typing
from pathlib import Path
from typing import Any

import msgspec

from protocols import topics
from supervisor import settings
from supervisor.sections import alarms as alarms_section
from supervisor.sections import facility as facility_section
from supervisor.sections import meter as meters_section
from supervisor.sections import modbus as modbus_section
from supervisor.sections import modbus_rigs as rigs_section
from supervisor.sections import policy as policy_section
from supervisor.sections import signal as signal_section
from supervisor.sections import stock as stock_section
from supervisor.sections.alarms import AlarmsConfig
from supervisor.sections.api import ApiConfig
from supervisor.sections.broker import BrokerConfig
from supervisor.sections.drill import DrillConfig
from supervisor.sections.facility import DriveKeys, FacilityConfig
from supervisor.sections.frequency import FrequencyConfig
from supervisor.sections.history import HistoryConfig
from supervisor.sections.kinds import PORT_MAX
from supervisor.sections.meter import OWN, SUNSPEC, MeterConfig, MeterKeys
from supervisor.sections.modbus import ModbusConfig
from supervisor.sections.modbus_rigs import ModbusRigs
from supervisor.sections.policy import FeederKeys, PolicyConfig
from supervisor.sections.preview import PreviewConfig
from supervisor.sections.signal import SignalConfig
from supervisor.sections.site import SiteConfig
from supervisor.sections.standby import StandbyConfig
from supervisor.sections.stock import StockConfig
from supervisor.settings import Section

ConfigError = settings.ConfigError
METERS = Path(__file__).parent / "meters"
DRIVES = Path(__file__).parent / "drives"


class Config(Section, frozen=True, kw_only=True):
    """Everything.  Paths inside are absolute."""

    site: SiteConfig
    broker: BrokerConfig = BrokerConfig()
    meter: MeterConfig | None = None
    meters: tuple[MeterKeys, ...] = ()
    modbus: tuple[ModbusConfig, ...] = ()
    modbus_rigs: tuple[ModbusRigs, ...] = ()
    facility: FacilityConfig = FacilityConfig()
    drives: tuple[DriveKeys, ...] = ()
    stock: tuple[StockConfig, ...] = ()
    policy: PolicyConfig = PolicyConfig()
    feeders: tuple[FeederKeys, ...] = ()
    signal: SignalConfig = SignalConfig()
    preview: PreviewConfig = PreviewConfig()
    drill: DrillConfig | None = None
    frequency: FrequencyConfig | None = None
    api: ApiConfig = ApiConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    history: HistoryConfig = HistoryConfig()
    standby: StandbyConfig | None = None

    @property
    def state_dir(self) -> Path:
        return Path(self.site.state_dir)

    @property
    def all_meters(self) -> tuple[MeterKeys, ...]:
        """[meter] and [[meters]], that of the whole site first."""
        return meters_section.all_meters(self.meter, self.meters)

    @property
    def all_gateways(self) -> tuple[ModbusConfig, ...]:
        """[[modbus]], and the connection [meter] has of its own."""
        return meters_section.own_gateway(self.meter) + self.modbus

    @property
    def stale_s(self) -> float:
        """From when on a reading of the site meter counts against us."""
        site = [keys.stale_s for keys in self.all_meters if keys.name == meters_section.SITE]
        return site[0] if site else 5.0


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
    site, broker = config.site, config.broker
    if wrong := topics.name_error(site.name):
        yield "site.name", wrong
    if site.default_mw > site.limit_mw:
        yield "site.default_mw", f"{site.default_mw:g} is above site.limit_mw, {site.limit_mw:g}"
    if site.lease_s < 3 * site.broadcast_s:
        yield "site.lease_s", f"must be three broadcasts or more, {3 * site.broadcast_s:g}"
    if broker.kind == "external" and not broker.port:
        yield "broker.port", "an external broker needs its port, often 1883"
    if broker.ports[-1] > PORT_MAX:
        yield "broker.port", f"{broker.servers} servers need as many ports from there on"
    if broker.kind == "embedded" and (broker.user or broker.password_file):
        yield "broker.user", 'is for kind = "external"; the embedded broker asks for none'
    if config.standby and config.standby.rank and broker.kind == "embedded":
        yield "standby.rank", 'the second supervisor uses the first\'s broker: kind = "external"'
    if config.standby and not 3 * site.broadcast_s <= config.standby.silence_s <= site.lease_s / 2:
        yield (
            "standby.silence_s",
            f"must be three broadcasts or more, {3 * site.broadcast_s:g}, and at most half of"
            f" site.lease_s, {site.lease_s / 2:g}: no lease may end before another leads",
        )
    for key, topic in _topics(config):
        if topic and (wrong := _topic_error(topic, site.name)):
            yield key, wrong
    gateways = {keys.name for keys in config.all_gateways}
    yield from modbus_section.nonsense(config.modbus)
    yield from meters_section.nonsense(config.all_meters, gateways)
    yield from rigs_section.nonsense(config.modbus_rigs, gateways)
    yield from alarms_section.nonsense(config.alarms)
    yield from policy_section.nonsense(config.policy, config.feeders)
    yield from facility_section.nonsense(config.facility, config.drives, gateways)
    yield from stock_section.nonsense(config.stock)
    for key, file in _files(config):
        if not Path(file).is_file():
            folder = DRIVES if key == "drives.map" else METERS
            shipped = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
            hint = f", nor one of the maps that come along: {shipped}" if ".map" in key else ""
            yield key, f"no such file: {file}{hint}"


def _topics(config: Config) -> typing.Iterator[tuple[str, str | None]]:
    """Those that the settings name."""
    mqtt, price, frequency = config.signal.mqtt, config.signal.price, config.frequency
    if mqtt:
        yield "signal.mqtt.topic", mqtt.topic
        yield "signal.mqtt.told_topic", mqtt.told_topic
    if price:
        yield "signal.price.topic", price.topic
    if frequency:
        yield "frequency.topic", frequency.topic


def _topic_error(topic: str, site: str) -> str:
    if "+" in topic or "#" in topic or "\0" in topic:
        return "a topic to listen to has no wildcard (+ or #)"
    if topics.parse(topic) or topic.startswith(f"{topics.ROOT}/{site}/"):
        return "is one of the site's own topics; use another, such as grid/target"
    return ""


def _files(config: Config) -> typing.Iterator[tuple[str, str]]:
    """Every file that must be there."""
    if config.broker.binary:
        yield "broker.binary", config.broker.binary
    if config.broker.password_file:
        yield "broker.password_file", config.broker.password_file
    for meter in config.all_meters:
        if meter.map != SUNSPEC:
            yield "meter.map" if meter.gateway == OWN else "meters.map", meter.map
    for drive in config.drives:
        yield "drives.map", drive.map
    for group in config.stock:
        if group.password_file:
            yield "stock.password_file", group.password_file
    yield from policy_section.files(config.policy)
    for key in alarms_section.FILES:
        if file := getattr(config.alarms, key):
            yield f"alarms.{key}", file
    for kind, names in signal_section.FILES.items():
        for name in names:
            if file := getattr(getattr(config.signal, kind), name, None):
                yield f"signal.{kind}.{name}", file


def resolved(config: Config, folder: Path) -> Config:
    """The same with every path absolute; relative ones are seen from folder."""

    def absolute(section: Any, *names: str) -> Any:
        if section is None:
            return None
        there = {n: str(folder / getattr(section, n)) for n in names if getattr(section, n)}
        return msgspec.structs.replace(section, **there)

    signal = msgspec.structs.replace(
        config.signal,
        **{
            kind: absolute(getattr(config.signal, kind), *names)
            for kind, names in signal_section.FILES.items()
        },
    )

    def mapped(section: Any, shipped: Path = METERS) -> Any:
        found = section and map_file(section.map, folder, shipped)
        return section and msgspec.structs.replace(section, map=found)

    return msgspec.structs.replace(
        config,
        site=absolute(config.site, "state_dir"),
        broker=absolute(config.broker, "binary", "password_file"),
        meter=mapped(config.meter),
        meters=tuple(mapped(keys) for keys in config.meters),
        drives=tuple(mapped(keys, DRIVES) for keys in config.drives),
        stock=tuple(absolute(group, "password_file") for group in config.stock),
        policy=absolute(config.policy, "rigs"),
        signal=signal,
        alarms=absolute(config.alarms, *alarms_section.FILES),
    )


def map_file(name: str, folder: Path, shipped: Path) -> str:
    """A register map by its name among those that come along, else a path seen from folder."""
    ours = shipped / f"{name}.toml"
    if name == SUNSPEC:
        return name
    return str(ours if "/" not in name and ours.is_file() else folder / name)
