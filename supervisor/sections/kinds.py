"""Kinds of values that more than one section has."""

from typing import Annotated

from msgspec import Meta

W_PER_MW = 1_000_000
W_PER_KW = 1_000
MW_MAX = 10_000  # the widest merit order the wire can carry, 10 GW

PORT_MAX = 65_535
Port = Annotated[int, Meta(ge=0, le=PORT_MAX, description="a TCP port, 0 for a free one")]
Host = Annotated[str, Meta(min_length=1, description="a host name or an IP address")]
Seconds = Annotated[float, Meta(ge=0.1, le=86_400, description="seconds, 0.1 to 86400")]
