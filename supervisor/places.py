"""Where a rig stands: "feeder-2/container-7/rack-3" when somebody said so, else what its name says.

A name such as c07-r2-14 says container c07: the part before the first dash.
"""


def by_name(rig: str) -> str:
    return rig.partition("-")[0] if "-" in rig else ""


def container(place: str) -> str:
    """What is told together when many rigs fail at once: feeder and container, not the rack."""
    return "/".join(place.split("/")[:2])
