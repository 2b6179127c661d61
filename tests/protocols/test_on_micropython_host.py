"""The plain-assert tests of shared code, again, under the real MicroPython."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def micropython() -> str | None:
    """The one installed beside this Python, or else the one on PATH."""
    beside = Path(sys.executable).with_name("micropython")
    return str(beside) if beside.exists() else shutil.which("micropython")


def shared_tests() -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for folder in ("protocols", "firmware")
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if not path.name.endswith("_host.py")
    ]


def run(*files: str) -> subprocess.CompletedProcess[str]:
    binary = micropython()
    if binary is None:
        pytest.skip("no micropython beside this Python or on PATH: make setup installs one")
    return subprocess.run(
        [binary, "tests/on_micropython.py", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_there_are_some():
    assert {"tests/protocols/test_ladder.py", "tests/firmware/test_safety.py"} <= set(
        shared_tests()
    )


@pytest.mark.parametrize("file", shared_tests())
def test_shared_tests_pass_on_micropython(file):
    result = run(file)
    assert result.returncode == 0, result.stdout + result.stderr
    assert ", 0 failed" in result.stdout


def test_the_runner_notices_failures(tmp_path):
    broken = tmp_path / "test_broken_example.py"
    broken.write_text("def test_a():\n    pass\n\n\ndef test_b():\n    assert False\n")
    result = run(str(broken))
    assert result.returncode == 1
    assert "test_b" in result.stdout and "1 passed, 1 failed" in result.stdout
    broken.write_text("import no_such_module\n")
    assert run(str(broken)).returncode == 1
    assert run().returncode == 1
