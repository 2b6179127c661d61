"""Where a rig stands, as its name says it: c07-r2-14 stands in container c07, rack r2, slot 14.

The part before the first dash is the container; a name without one has none.
"""


def container(rig: str) -> str:
    return rig.partition("-")[0] if "-" in rig else ""
