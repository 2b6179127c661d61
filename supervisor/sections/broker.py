"""[broker]: whose it is, where, and how many servers."""

from typing import Annotated, Literal

from msgspec import Meta

from supervisor.sections.kinds import Host, Port
from supervisor.settings import Section

SERVERS_MAX = 16


class BrokerConfig(Section, frozen=True, kw_only=True):
    """embedded: started and kept alive by the supervisor.  external: somebody else's.

    servers: the first listens on port, the others on the ports after it.
    """

    kind: Annotated[
        Literal["embedded", "external"], Meta(description='"embedded" or "external"')
    ] = "embedded"
    host: Host = "127.0.0.1"
    port: Port = 0
    servers: Annotated[int, Meta(ge=1, le=SERVERS_MAX, description="1 to 16 servers")] = 1
    binary: str | None = None
    user: str | None = None
    password_file: str | None = None

    @property
    def ports(self) -> list[int]:
        """Of each server; 0 is one it chooses and keeps."""
        return [self.port + number if self.port else 0 for number in range(self.servers)]
