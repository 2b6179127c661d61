"""surplus demo told to end while it still starts: nothing of it may be left behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

LONG_S = 50.0


def processes(folder):
    """Command lines that name this folder, beside the demo's own."""
    lines = []
    for process in psutil.process_iter():
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return [line for line in lines if str(folder) in line]


def wait_for(done):
    until_s = time.monotonic() + LONG_S
    while not done():
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.mark.real_time
@pytest.mark.parametrize("there", ["supervisor run", "nats-server"])
def test_a_demo_that_is_ended_while_it_starts_leaves_nothing(tmp_path, there):
    demo = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "demo", "--headless", "--rigs", "20"]
        + ["--firmware-rigs", "1", "--seconds", "60"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(lambda: any(there in line for line in processes(tmp_path)))
        demo.send_signal(signal.SIGTERM)
        said, _ = demo.communicate(timeout=LONG_S)
    finally:
        demo.kill()
    assert "ending the site" in said and "Traceback" not in said, said
    assert demo.returncode == 1, "it has nothing to show"
    assert processes(tmp_path) == [] and list(tmp_path.iterdir()) == []
