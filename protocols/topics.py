"""MQTT topic names of the contract: built and parsed here and nowhere else."""

ROOT = "surplus"
KINDS = ("cmd", "hello", "state", "event", "link", "box")
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"


def name_error(name: str) -> str:
    """Why this cannot name a site or a rig; "" when it can."""
    if not 1 <= len(name) <= 32:
        return "a name has 1 to 32 characters"
    for letter in name:
        if letter not in _NAME:
            return f"a name is made of a-z, 0-9 and -, not {letter!r}"
    return ""


def budget(site: str) -> str:
    """Where the supervisor broadcasts the site's budget."""
    return f"{ROOT}/{site}/budget"


def rig(site: str, name: str, kind: str) -> str:
    """One of a rig's topics; kind is one of KINDS.  name "+" subscribes to all."""
    assert kind in KINDS
    return f"{ROOT}/{site}/rig/{name}/{kind}"


def standby(site: str, kind: str) -> str:
    """Between the supervisors of a site; kind is news or ask.  Rigs do not listen there."""
    return f"{ROOT}/{site}/standby/{kind}"


def parse(topic: str) -> tuple[str, str, str] | None:
    """A rig topic as (site, rig, kind), or None for anything else."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != ROOT or parts[2] != "rig" or parts[4] not in KINDS:
        return None
    if name_error(parts[1]) or name_error(parts[3]):
        return None
    return parts[1], parts[3], parts[4]
