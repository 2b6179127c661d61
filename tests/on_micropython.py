"""The plain-assert tests again, on MicroPython: `micropython tests/on_micropython.py FILE...`.

Imports each file, calls every test_* in it, prints what failed and how many passed.
Runs on CPython as well.
"""

import sys


def split(path: str) -> tuple[str, str]:
    """(folder, file) of a path; MicroPython has no os.path."""
    at = path.rfind("/")
    return (path[:at] or "/", path[at + 1 :]) if at >= 0 else (".", path)


def run(path: str) -> tuple[int, int]:
    """(passed, failed) of one file; a file that cannot be imported is one failure."""
    folder, name = split(path)
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
    for path in paths:
        some_passed, some_failed = run(path)
        passed, failed = passed + some_passed, failed + some_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.path.insert(0, split(split(__file__)[0])[0])
    sys.exit(main(sys.argv[1:]))
