"""Checks of the machine: clock, disk, files, memory."""

import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

from supervisor.doctor.finding import Finding, good, unsure, wrong
from supervisor.units import age

FREE_MB, FREE_WRONG_MB = 2000, 200
SYNCS, SYNC_MS = 15, 50.0  # a beat waits for one
OFFSET_S = 0.5  # of the clock
FILES_SPARE = 500  # for everything that is no rig
BROKER_KIB, OURS_KIB = 39, 4  # of memory, for each rig


def disk(folder: Path) -> Finding:
    free_mb = shutil.disk_usage(_there(folder)).free / 1e6
    found = f"{free_mb / 1000:.1f} GB free for {folder}"
    mend = "make room or move site.state_dir: when it is full the site sleeps"
    if free_mb < FREE_WRONG_MB:
        return wrong(found, mend)
    return good(found) if free_mb >= FREE_MB else unsure(found, mend)


def disk_speed(folder: Path) -> Finding:
    """How long the disk takes to say that something is on it."""
    probe, took_ms = _there(folder) / f".doctor-{os.getpid()}", []
    try:
        with probe.open("wb") as file:
            for _ in range(SYNCS):
                began_s = time.perf_counter()
                file.write(b"\0" * 4096)
                file.flush()
                os.fsync(file.fileno())
                took_ms.append(1000 * (time.perf_counter() - began_s))
    finally:
        probe.unlink(missing_ok=True)
    middle_ms, worst_ms = sorted(took_ms)[SYNCS // 2], max(took_ms)
    found = f"{middle_ms:.1f} ms to be on the disk, {worst_ms:.1f} ms at worst"
    if middle_ms > SYNC_MS:
        return wrong(found, "every beat waits so long: use a real disk, not a card or a share")
    return good(found)


def clock() -> Finding:
    """Against the network's time, by whatever keeps it here."""
    for tool in (_chrony, _timedatectl):
        finding = tool()
        if finding is not None:
            return finding
    return unsure(
        "neither chronyc nor timedatectl says whether the clock is right",
        "signals are judged by the clock: install chrony",
    )


def _chrony() -> Finding | None:
    said = _said("chronyc", "-c", "tracking")
    if said is None:
        return None
    fields = said.strip().split(",")
    if len(fields) < 14 or fields[13].strip() == "Not synchronised":
        return wrong("chrony is not synchronised", "chronyc sources: which servers answer")
    offset_s = abs(float(fields[4]))
    found = f"{offset_s * 1000:.1f} ms off, says chrony"
    return good(found) if offset_s < OFFSET_S else wrong(found, "chronyc makestep")


def _timedatectl() -> Finding | None:
    said = _said("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if said is None or not said.strip():
        return None
    if said.strip() == "yes":
        return good("synchronised, says timedatectl")
    return wrong("not synchronised, says timedatectl", "timedatectl set-ntp true, or chrony")


def _said(*command: str) -> str | None:
    """What a tool says; None when it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def files(rigs: int, servers: int = 1) -> Finding:
    """A broker's server holds one open file for every rig that is on it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    each = -(-rigs // servers)
    needed = each + FILES_SPARE
    whose = f"{each:,} rigs" if servers == 1 else f"{each:,} rigs on each of {servers} servers"
    found = f"{soft:,} open files allowed, {needed:,} needed for {whose}"
    if soft >= needed:
        return good(found)
    way = "LimitNOFILE= in the unit (surplus systemd sets it)"
    if hard >= needed:
        way = f"ulimit -n {needed}, or {way}"
    fit = max(1, max(soft, hard) - FILES_SPARE)
    more = f", or broker.servers = {-(-rigs // fit)}" if hard < needed else ""
    return wrong(found, f"{way}{more}: rigs beyond the limit cannot connect")


def memory(rigs: int, broker_here: bool) -> Finding:
    needed_mb = 300 + rigs * (OURS_KIB + (BROKER_KIB if broker_here else 0)) / 1000
    free_mb = _available_mb()
    if free_mb is None:
        return unsure("this system does not say how much memory is free")
    found = f"{free_mb / 1000:.1f} GB of memory free, {needed_mb / 1000:.1f} GB for {rigs:,} rigs"
    return good(found) if free_mb >= needed_mb else wrong(found, "more memory, or another broker")


def _available_mb() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kib = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kib is None else int(kib) / 1000


def _there(folder: Path) -> Path:
    """The folder, or the next above it that exists."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))


def since(at_s: float) -> str:
    return f"{age(max(0.0, time.time() - at_s))} ago"
