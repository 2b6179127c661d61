"""[broker]: whose it is, and where."""

from typing import Annotated, Literal

from msgspec import Meta

from supervisor.sections.kinds import Host, Port
from supervisor.settings import Section


class BrokerConfig(Section, frozen=True, kw_only=True):
    """embedded: started and kept alive by the supervisor.  external: somebody else's."""

    kind: Annotated[
        Literal["embedded", "external"], Meta(description='"embedded" or "external"')
    ] = "embedded"
    host: Host = "127.0.0.1"
    port: Port = 0
    binary: str | None = None
    user: str | None = None
    password_file: str | None = None
