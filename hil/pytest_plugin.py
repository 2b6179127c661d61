"""pytest fixtures of the bench: one test, for a virtual rig and for a real board.

    def test_a_stopped_fan(bench, rig):
        bench.run_until(lambda: bench.site.heard(rig.name).joined, 60, "joined")
        ...

    pytest                                  # --board virtual: virtual time, everything can be seen
    pytest --board /dev/ttyUSB0 --board-settings wifi.json [--plug ask] [--probe /dev/ttyUSB1]

A test that asks for what a board cannot give is skipped there, and says why.  Loaded by
itself where surplus is installed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hil.bench import Bench

VIRTUAL = "virtual"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("surplus", "the bench of surplus")
    group.addoption("--board", default=VIRTUAL, help="virtual, or a board's serial port")
    group.addoption(
        "--board-settings",
        type=Path,
        metavar="FILE",
        help="JSON: wifi_name, wifi_password, broker_host, broker_port for that board",
    )
    group.addoption("--plug", metavar="PLUG", help="its power: ask, or modbus:HOST/COIL")
    group.addoption("--probe", default="", metavar="PORT", help="a probe that plays its parts")
    group.addoption("--parts", action="store_true", help="all of a rig's parts hang on that board")
    group.addoption("--bench-seed", type=int, default=0, help="of what is left to chance")


def pytest_report_header(config: pytest.Config) -> str | None:
    board = config.getoption("--board")
    return None if board == VIRTUAL else f"board: {board}"


class Wire:
    """What passes on the rig's buses, and what is put onto them."""

    def __init__(self, rig: Any) -> None:
        self._rig = rig
        rig.transactions = []

    @property
    def captured(self) -> list[tuple[float, str, int, bytes, bytes]]:
        """(seconds, kind, bus or pin, written, answered) of each transaction, oldest first."""
        taken: list[tuple[float, str, int, bytes, bytes]] = self._rig.transactions
        return taken

    def of(self, kind: str, n: int) -> list[tuple[float, bytes, bytes]]:
        """(seconds, written, answered) of one bus, UART or pin."""
        return [(at_s, out, back) for at_s, k, m, out, back in self.captured if (k, m) == (kind, n)]

    def clear(self) -> None:
        self._rig.transactions = []

    def inject(self, uart: int, data: bytes) -> None:
        """Bytes out of nowhere on the receive line of a UART."""
        self._rig.noise(uart, data)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Bench"]:
    """hil.bench.Bench in virtual time, or the same verbs around a real board."""
    with opened(request.config, tmp_path) as made:
        yield made


@pytest.fixture
def rig(bench: "Bench") -> Any:
    """A rig that has just got its power."""
    return bench.rig("rig-1")


@pytest.fixture
def plant(rig: Any) -> Any:
    """The truth about its watts, volts and degrees."""
    return rig.plant


@pytest.fixture
def wire(rig: Any) -> Wire:
    """Its buses: capture from now on, and injection."""
    return Wire(rig)


def opened(config: pytest.Config, folder: Path) -> "Bench":
    """The bench --board asks for.  Raises pytest.UsageError."""
    if config.getoption("--board") == VIRTUAL:
        from hil.bench import Bench

        return Bench(folder, seed=config.getoption("--bench-seed"))
    from hil.boards import board_bench, mains
    from hil.boards.files import FilesError

    try:
        changed = board_bench.changes(config.getoption("--board-settings"))
        plug = mains.of(config.getoption("--plug")) if config.getoption("--plug") else None
    except (FilesError, ValueError) as error:
        raise pytest.UsageError(str(error)) from None
    if "broker_host" not in changed:
        raise pytest.UsageError("--board-settings: broker_host: missing; the board looks for it")
    host, port = str(changed.pop("broker_host")), int(str(changed.pop("broker_port", 1883)))
    return board_bench.BoardBench(
        config.getoption("--board"),
        host,
        port,
        changed,
        plug=plug,
        probe=config.getoption("--probe"),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """What a board cannot give is a skip; a failure shows the bench's timeline."""
    from hil.boards import Unavailable

    report = yield
    error = call.excinfo.value if call.excinfo else None
    made = getattr(item, "funcargs", {}).get("bench")
    if isinstance(error, Unavailable):
        path, line, _ = item.location
        report.outcome, report.longrepr = "skipped", (path, line or 0, str(error))
    elif report.failed and made is not None and hasattr(made, "timeline"):
        report.sections.append(("bench", made.timeline()))
    return report
