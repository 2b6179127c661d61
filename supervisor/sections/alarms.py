"""[alarms]: who is told, and how."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from supervisor.settings import Section

FILES = ("webhook_token_file", "smtp_password_file")

_Address = Annotated[
    str, Meta(pattern=r"^[^@\s,]+@[^@\s,]+$", max_length=200, description="an e-mail address")
]


class AlarmsConfig(Section, frozen=True, kw_only=True):
    """A webhook, an e-mail, both or neither."""

    least: Annotated[
        Literal["critical", "warning", "notice"],
        Meta(description='"critical", "warning" or "notice": what is less is shown and not sent'),
    ] = "warning"
    per_hour: Annotated[
        float, Meta(ge=1, le=3600, description="messages an hour at most, 1 to 3600")
    ] = 30.0
    webhook: (
        Annotated[
            str, Meta(pattern=r"^https?://", max_length=500, description="an http(s) address")
        ]
        | None
    ) = None
    webhook_token_file: str | None = None
    email_to: _Address | None = None
    email_from: _Address | None = None
    smtp_host: Annotated[str, Meta(min_length=1, description="a mail server")] | None = None
    smtp_port: Annotated[int, Meta(ge=1, le=65535, description="a TCP port")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"], Meta(description='"starttls", "tls" or "none"')
    ] = "starttls"
    smtp_user: str | None = None
    smtp_password_file: str | None = None


def nonsense(alarms: AlarmsConfig) -> Iterator[tuple[str, str]]:
    """What each value alone could not tell."""
    if bool(alarms.email_to) != bool(alarms.smtp_host):
        yield "alarms.email_to", "needs smtp_host, and smtp_host needs email_to"
    if alarms.smtp_user and not alarms.smtp_password_file:
        yield "alarms.smtp_user", "needs smtp_password_file"
    if alarms.smtp_user and alarms.smtp_security == "none":
        yield "alarms.smtp_security", "a password does not travel in the clear: starttls or tls"
