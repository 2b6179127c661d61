"""[signal.openadr3]: a VEN of OpenADR 3.1."""

from typing import Annotated

from msgspec import Meta

from supervisor.sections.falling import OpenadrConfig
from supervisor.sections.kinds import MW_MAX, Host, Port, Seconds


class Openadr3Config(OpenadrConfig, frozen=True, kw_only=True):
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
    poll_s: Seconds = 30.0
    default_mw: Annotated[
        float, Meta(ge=0, le=MW_MAX, description="until a subscription is known")
    ] = 0.0
    notifier: Annotated[bool, Meta(description="listen to the VTN's MQTT notifier")] = False
    callback_url: Annotated[str, Meta(description="a webhook at the VTN leads here")] = ""
    callback_host: Host = "127.0.0.1"
    callback_port: Port = 0
