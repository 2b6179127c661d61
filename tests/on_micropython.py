"""The plain-assert tests again, on MicroPython: `micropython tests/on_micropython.py FILE...`.

Imports each file, calls every test_* in it, prints what failed and how many passed.
Runs on CPython as well.  A sleep costs nothing, except where real sockets are waited for.
"""

import sys

REAL = ("test_session.py", "test_lookups.py")  # on the real clock
AHEAD_MS = 1 << 40  # of the host's clock, by which asyncio stamps what shall run at once


def skip_sleeps() -> None:
    """asyncio and firmware.clock in virtual time: waiting is adding."""
    from asyncio import core

    from firmware import clock

    now_ms = [AHEAD_MS]

    class Skipping:
        def wait_io_event(self, dt: int) -> None:
            assert dt >= 0, "everything waits for ever"
            now_ms[0] += dt

        def remove(self, task: object) -> None:
            """Nobody waits for a stream here."""

    core.ticks = lambda: now_ms[0]
    core._io_queue = Skipping()
    clock.now_ms = lambda: now_ms[0]
    clock.since_ms = lambda then_ms: now_ms[0] - then_ms


def split(path: str) -> tuple[str, str]:
    """(folder, file) of a path; MicroPython has no os.path."""
    at = path.rfind("/")
    return (path[:at] or "/", path[at + 1 :]) if at >= 0 else (".", path)


def run(path: str) -> tuple[int, int]:
    """(passed, failed) of one file; a file that cannot be imported is one failure."""
    folder, name = split(path)
    if name not in REAL and sys.implementation.name == "micropython":
        skip_sleeps()
    sys.path.insert(0, folder)
    try:
        module = __import__(name[:-3])
    except Exception as error:
        report(path, "import", error)
        return 0, 1
    finally:
        sys.path.remove(folder)
    return run_module(path, module)


def run_module(path: str, module: object) -> tuple[int, int]:
    passed = failed = 0
    for name in sorted(dir(module)):
        if not name.startswith("test_"):
            continue
        try:
            getattr(module, name)()
            passed += 1
        except Exception as error:
            report(path, name, error)
            failed += 1
    return passed, failed


def report(path: str, name: str, error: Exception) -> None:
    print(f"FAILED {path} {name}")
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        import traceback

        traceback.print_exception(error)


def main(paths: list[str]) -> int:
    passed = failed = 0
    for path in sorted(paths, key=lambda path: split(path)[1] not in REAL):  # those first
        some_passed, some_failed = run(path)
        passed, failed = passed + some_passed, failed + some_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.path.insert(0, split(split(__file__)[0])[0])
    sys.exit(main(sys.argv[1:]))
