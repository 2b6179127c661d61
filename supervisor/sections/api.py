"""[api]: where people and programs reach the supervisor."""

from supervisor.sections.kinds import Host, Port
from supervisor.settings import Section


class ApiConfig(Section, frozen=True, kw_only=True):
    host: Host = "127.0.0.1"
    port: Port = 0
