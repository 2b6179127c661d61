"""Telemetry: sampled by the beat, written by a thread, read back; what fails costs itself only."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from supervisor import cli
from supervisor.fleet import RUNNING
from supervisor.history import History
from supervisor.history_files import DAY_S, FILE_S, Files
from tests.supervisor.small import fleet_of

BEGIN_S = 1_800_000_000 // FILE_S * FILE_S
KEEP = {"rigs": 7, "rolled": 400, "site": 400}
MADE = ("limit_w", "asked_w", "budget_w", "admit_w", "expected_w", "committed_w", "capacity_w")


class Live:
    """A site of three rigs whose beats we make."""

    def __init__(self, folder):
        self.unix_s, self.fleet = float(BEGIN_S), fleet_of(3)
        self.fleet.state[:] = RUNNING
        site = SimpleNamespace(
            fleet=self.fleet,
            decision=SimpleNamespace(**dict.fromkeys(MADE, 4000)),
            inbox=SimpleNamespace(meter=SimpleNamespace(w=3900, at_s=0.0)),
            config=SimpleNamespace(stale_s=5.0),
        )
        self.meter = site.inbox.meter
        self.files = Files(folder, KEEP)
        self.history = History(site, self.files, 10.0, lambda: self.unix_s)

    def run(self, seconds, heard=(0, 1, 2), metered=True):
        for _ in range(seconds):
            now_s = self.unix_s - BEGIN_S
            self.fleet.heard_s[list(heard)] = now_s
            self.fleet.power_w[:] = 1000 + now_s
            self.meter.at_s = now_s if metered else self.meter.at_s
            self.history.look(now_s)
            self.unix_s += 1.0

    def until(self, done):
        until_s = time.monotonic() + 10
        while not done():
            assert time.monotonic() < until_s
            time.sleep(0.01)

    def written(self, kind):
        return sorted((self.files.folder / kind).rglob("*.parquet"))


@pytest.fixture
def live(tmp_path):
    live = Live(tmp_path / "history")
    yield live
    live.history.close()


def test_a_rig_is_read_back_from_memory_and_from_the_disk(live):
    live.run(FILE_S + 50)
    live.until(lambda: live.written("rigs"))
    found = live.history.rig("r1", BEGIN_S, BEGIN_S + DAY_S)
    assert found["at_s"].tolist() == [BEGIN_S + 10 * n for n in range(65)]
    assert found["power_w"].tolist() == [1000 + 10 * n for n in range(65)]
    assert set(found["state"].tolist()) == {RUNNING}
    part = live.history.rig("r1", BEGIN_S + 590, BEGIN_S + 620)
    assert part["at_s"].tolist() == [BEGIN_S + 590, BEGIN_S + 600, BEGIN_S + 610]
    assert len(live.history.rig("nobody", BEGIN_S, BEGIN_S + DAY_S).get("at_s", ())) == 0


def test_ten_minutes_are_rolled_into_a_row(live):
    live.run(FILE_S + 1)
    live.until(lambda: live.written("rolled"))
    found = live.history.rig("r2", BEGIN_S, BEGIN_S + DAY_S, rolled=True)
    row = {name: column.tolist() for name, column in found.items()}
    assert row["at_s"] == [BEGIN_S] and row["samples"] == [60]
    assert row["power_w"] == [1295] and row["power_w_most"] == [1590]


def test_the_site_is_kept_by_the_second_and_an_unread_meter_is_a_gap(live):
    live.run(20)
    live.run(20, metered=False)
    live.run(FILE_S)
    live.until(lambda: live.written("site"))
    found = live.history.site(BEGIN_S, BEGIN_S + DAY_S)
    assert found["at_s"].tolist() == [BEGIN_S + n for n in range(FILE_S + 40)]
    assert np.isnan(found["metered_w"]).sum() == 15, "5 s after the last reading it is none"
    assert found["asked_w"][0] == 4000


def test_a_rig_that_is_not_heard_has_no_samples(live):
    live.run(60)
    live.run(60, heard=(0, 2))
    assert len(live.history.rig("r1", BEGIN_S, BEGIN_S + DAY_S)["at_s"]) < 9
    assert len(live.history.rig("r0", BEGIN_S, BEGIN_S + DAY_S)["at_s"]) == 12


def test_midnight_parts_the_days(tmp_path):
    live = Live(tmp_path / "history")
    midnight_s = (BEGIN_S // DAY_S + 1) * DAY_S
    live.unix_s = midnight_s - 20.0
    live.run(40)
    live.history.close()
    assert len({path.parent.name for path in live.written("site")}) == 2
    read = Files(tmp_path / "history", KEEP).read
    assert len(read("site", midnight_s, midnight_s + 5)["at_s"]) == 5
    assert len(read("site", midnight_s - 5, midnight_s + 5)["at_s"]) == 10


def test_closing_writes_what_is_left(tmp_path):
    live = Live(tmp_path / "history")
    live.run(35)
    live.history.close()
    again = Files(tmp_path / "history", KEEP)
    assert len(again.read("rigs", BEGIN_S, BEGIN_S + DAY_S, "r0")["at_s"]) == 4


def test_old_days_are_dropped_each_kind_at_its_time(live):
    live.run(FILE_S + 1)
    live.until(lambda: live.written("site"))
    assert live.files.drop_old(BEGIN_S + 7 * DAY_S) == []
    gone = live.files.drop_old(BEGIN_S + 8 * DAY_S)
    assert [path.parent.name for path in gone] == ["rigs"]
    assert live.written("rigs") == [] and live.written("rolled") and live.written("site")


def test_a_clock_that_jumps_ahead_deletes_nothing(live):
    live.run(FILE_S + 1)
    live.until(lambda: live.written("site"))
    old = live.written("rigs")
    for beat in range(3):  # more files are closed, half a year too late
        live.unix_s += 500 * DAY_S * (beat == 0) + FILE_S
        live.history.look((beat + 2.0) * FILE_S)
    live.until(lambda: len(live.written("site")) == 3)
    assert old and set(old) < set(live.written("rigs"))


def test_a_clock_set_back_fills_no_memory(live):
    live.run(FILE_S // 2)
    live.unix_s -= 30 * DAY_S
    live.history.look(FILE_S / 2)
    live.until(lambda: live.written("site"))
    assert len(live.history._seconds) == 1


def test_a_damaged_file_is_put_aside_and_costs_its_ten_minutes(live):
    live.run(2 * FILE_S + 1)
    live.until(lambda: len(live.written("rigs")) == 2)
    first = live.written("rigs")[0]
    first.write_bytes(first.read_bytes()[:300])
    found = live.history.rig("r0", BEGIN_S, BEGIN_S + DAY_S)
    assert found["at_s"].min() == BEGIN_S + FILE_S and len(found["at_s"]) == 61
    assert first.with_suffix(".damaged").exists() and not first.exists()


def test_a_disk_that_takes_nothing_delays_nobody(tmp_path):
    (tmp_path / "history").write_text("a file where a folder should be")
    live = Live(tmp_path / "history")
    live.run(FILE_S + 1)
    live.until(lambda: live.history.failed == 1)
    live.run(FILE_S)
    live.until(lambda: live.history.failed == 2)
    live.until(lambda: live.history.failing)
    (tmp_path / "history").unlink()
    live.run(FILE_S)
    live.until(lambda: not live.history.failing)
    live.history.close()


def test_a_slow_disk_costs_telemetry_and_no_memory(live, monkeypatch):
    wrote = []

    def slow(*_):
        live.until(lambda: live.history.lost)
        wrote.append(1)

    monkeypatch.setattr(live.files, "write", slow)
    live.run(7 * FILE_S)
    live.until(lambda: len(wrote) >= 3)
    assert live.history.lost >= 1
    live.until(lambda: not live.history.failing)


def test_two_files_of_one_minute_stand_beside_each_other(tmp_path):
    """A supervisor that ends and is followed within ten minutes."""
    for first in (0, 1):
        live = Live(tmp_path / "history")
        live.unix_s += 5 * first
        live.run(3)
        live.history.close()
    found = Files(tmp_path / "history", KEEP).read("site", BEGIN_S, BEGIN_S + DAY_S)
    assert len(found["at_s"]) == 6


def test_the_command_prints_what_is_on_the_disk(tmp_path):
    live = Live(tmp_path / "history")
    live.run(25)
    live.run(10, metered=False)
    live.history.close()

    def run(*words):
        call = ["history", *words, "--state", str(tmp_path)]
        return CliRunner().invoke(cli.build("history"), call)

    begin = ("--from", "2027-01-15T07:50Z", "--to", "2027-01-15T08:10Z")
    rig = run("r1", *begin)
    assert rig.exit_code == 0, rig.output
    lines = rig.stdout.splitlines()
    assert lines[0] == "rig,at_s,state,level,power_w,hash_ghs,hot_dc,fan_rpm"
    assert lines[1] == "r1,2027-01-15T08:00:00Z,running,0,1000,0,0,0" and len(lines) == 5
    site = json.loads(run(*begin, "--json").stdout)
    assert len(site) == 35 and site[0]["metered_w"] == 3900 and site[-1]["metered_w"] is None
    rolled = json.loads(run("r1", "--rolled", *begin, "--json").stdout)
    assert rolled[0]["samples"] == 4 and rolled[0]["state"] == "running"
    assert run("nobody", *begin).exit_code == 1
    assert run("r1", "--from", "yesterdayish").exit_code == 2
