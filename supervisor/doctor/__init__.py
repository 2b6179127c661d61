"""What is wrong with this installation, and how to mend it: every check, one after the other."""

from collections.abc import Callable, Iterator
from pathlib import Path

from supervisor.client import ClientError, connected
from supervisor.config import Config
from supervisor.doctor import machine, site, state
from supervisor.doctor.certificates import certificates
from supervisor.doctor.finding import WRONG, Finding, judged
from supervisor.view import SiteView

__all__ = ["WRONG", "Finding", "examined"]

RIG_W = 3500  # of one, when nobody has counted them yet


def examined(config: Config) -> Iterator[Finding]:
    """All findings, in the order somebody would look.  Needs no running supervisor."""
    folder, view = config.state_dir, running(config.state_dir)
    rigs = view.rigs if view is not None and view.rigs else config.site.limit_w // RIG_W
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("state", lambda: state.folder(folder)),
        ("secrets", lambda: state.secrets(config)),
        ("ledger", lambda: state.ledger(folder)),
        ("history", lambda: state.history(folder)),
        ("damage", lambda: state.aside(folder)),
        ("disk", lambda: machine.disk(folder)),
        ("disk speed", lambda: machine.disk_speed(folder)),
        ("clock", machine.clock),
        ("files", lambda: machine.files(rigs, config.broker.servers)),
        ("memory", lambda: machine.memory(rigs, config.broker.kind == "embedded")),
        ("ports", lambda: site.ports(config, view is not None)),
        ("broker", lambda: site.broker(config)),
        ("meter", lambda: site.meter(config, view)),
        ("signals", lambda: site.signals(config, view)),
        ("certificates", lambda: certificates(config)),
        ("supervisor", lambda: site.supervisor(folder, view)),
    ]
    for name, check in checks:
        yield judged(name, check)


def running(folder: Path) -> SiteView | None:
    """The site as its supervisor sees it; None when none answers."""
    try:
        with connected(folder) as client:
            return client.site()
    except ClientError:
        return None
