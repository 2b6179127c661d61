"""[signal.*]: who may say what the site imports."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from supervisor.sections.csip import CsipConfig
from supervisor.sections.kinds import MW_MAX, Seconds
from supervisor.sections.openadr2 import Openadr2Config
from supervisor.sections.openadr3 import Openadr3Config
from supervisor.sections.planned import CalendarConfig, PriceConfig
from supervisor.sections.scada import Dnp3Config, Iec104Config
from supervisor.sections.sunspec import SunspecConfig
from supervisor.settings import Section


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
    backup_host: str | None = None
    backup_port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 1883
    user: str | None = None
    password_file: str | None = None
    silence_s: Seconds = 240.0
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="once it is silent")] = 0.0
    told_topic: (
        Annotated[str, Meta(min_length=1, max_length=200, description="a topic, no wildcard")]
        | None
    ) = None


class HttpConfig(Section, frozen=True, kw_only=True):
    """A program that pushes limits to the API, with a token of the role operator."""

    silence_s: Seconds = 240.0
    default_mw: Annotated[float, Meta(ge=0, le=MW_MAX, description="once it is silent")] = 0.0


class SignalConfig(Section, frozen=True, kw_only=True):
    csv: CsvConfig | None = None
    mqtt: MqttConfig | None = None
    http: HttpConfig | None = None
    sunspec: SunspecConfig | None = None
    openadr3: Openadr3Config | None = None
    openadr2: Openadr2Config | None = None
    iec104: Iec104Config | None = None
    dnp3: Dnp3Config | None = None
    csip: CsipConfig | None = None
    calendar: CalendarConfig | None = None
    price: PriceConfig | None = None


# which keys of which kind of signal name a file
FILES = {
    "csv": ("file",),
    "mqtt": ("password_file",),
    "calendar": ("file",),
    "openadr3": ("secret_file",),
    "openadr2": ("cert_file", "key_file", "ca_file"),
    "csip": ("cert_file", "key_file", "ca_file"),
}
