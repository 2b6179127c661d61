"""[signal.openadr3]: a VEN of OpenADR 3.1."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.kinds import MW_MAX, Host, Port, Seconds
from supervisor.settings import Section


class Openadr3Config(Section, frozen=True, kw_only=True):
    """callback_url: where the VTN reaches our webhook, by whatever stands before it."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://.+",
            description="of the VTN with its base path, https (http on loopback only)",
        ),
    ]
    client_id: Annotated[str, Meta(min_length=1, description="of this site at the VTN")]
    secret_file: Annotated[str, Meta(min_length=1, description="a file with the client secret")]
    program: Annotated[str, Meta(description="a program's name; all of them when left out")] = ""
    ven: Annotated[str, Meta(description="this site's name there; site.name when left out")] = ""
    poll_s: Seconds = 30.0
    silence_s: Seconds = 90.0
    report_s: Seconds = 10.0
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="until a subscription is known")
    ] = 0.0
    levels_pct: Annotated[
        tuple[int, int, int, int], Meta(description="of the limit, for SIMPLE 0 to 3")
    ] = (100, 70, 30, 0)
    stagger_s: Annotated[
        float, Meta(ge=0, le=600, description="a lost site waits up to so long, each its own")
    ] = 60.0
    fall_pct_per_s: Annotated[
        float, Meta(ge=0.01, le=100, description="of the limit: how it falls when lost")
    ] = 0.27
    notifier: Annotated[bool, Meta(description="listen to the VTN's MQTT notifier")] = False
    callback_url: Annotated[str, Meta(description="a webhook at the VTN leads here")] = ""
    callback_host: Host = "127.0.0.1"
    callback_port: Port = 0
