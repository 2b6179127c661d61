"""The unit: this site's paths, and nothing it does not need."""

import configparser
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from supervisor import cli
from supervisor.commands.systemd import UNIT, unit
from supervisor.config import load

HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "PrivateTmp": "yes",
    "RestrictNamespaces": "yes",
    "MemoryDenyWriteExecute": "yes",
    "CapabilityBoundingSet": "",
    "SystemCallFilter": "@system-service",
    "LimitCORE": "0",
    "UMask": "0077",
}


def written(tmp_path, state="/var/lib/surplus", more=""):
    path = tmp_path / "site.toml"
    path.write_text(f'[site]\nname = "a"\nlimit_mw = 1.0\nstate_dir = "{state}"\n{more}')
    return path


def parsed(text):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    return unit["Service"]


def test_it_is_hardened_and_has_this_sites_paths(tmp_path):
    path = written(tmp_path)
    service = parsed(unit(load(path), path, "surplus"))
    assert {key: service[key] for key in HARDENED} == HARDENED
    assert service["User"] == "surplus" and f"run {path}" in service["ExecStart"]
    assert (
        service["StateDirectory"] == "surplus" and service["ReadWritePaths"] == "/var/lib/surplus"
    )
    assert int(service["LimitNOFILE"]) > 2 * 28_571
    assert service["Restart"] == "always" and service["KillMode"] == "process"
    assert service["PrivateDevices"] == "yes" and "{" not in unit(load(path), path, "x")


def test_another_state_directory_is_not_systemds(tmp_path):
    path = written(tmp_path, "/srv/site/state")
    service = parsed(unit(load(path), path, "surplus"))
    assert "StateDirectory" not in service and service["ReadWritePaths"] == "/srv/site/state"


def test_a_serial_line_needs_devices(tmp_path):
    more = '[[modbus]]\nname = "bus"\nkind = "rtu"\ndevice = "/dev/ttyUSB0"\n'
    path = written(tmp_path, more=more)
    assert parsed(unit(load(path), path, "surplus"))["PrivateDevices"] == "no"


def test_the_command_shows_or_writes_it(tmp_path):
    path = written(tmp_path)
    done = CliRunner().invoke(cli.build("systemd"), ["systemd", str(path), "--user", "miner"])
    assert done.exit_code == 0 and "User=miner" in done.stdout and not done.stderr
    words = ["systemd", str(path), "--install", str(tmp_path)]
    done = CliRunner().invoke(cli.build("systemd"), words)
    assert done.exit_code == 0 and "daemon-reload" in done.stderr and not done.stdout
    assert parsed((tmp_path / "surplus.service").read_text())["User"] == "surplus"
    words[-1] = str(tmp_path / "nowhere")
    assert CliRunner().invoke(cli.build("systemd"), words).exit_code == 1
    assert CliRunner().invoke(cli.build("systemd"), ["systemd", "none.toml"]).exit_code == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_itself_has_nothing_against_it(tmp_path):
    path = written(tmp_path)
    file = tmp_path / "surplus.service"
    file.write_text(unit(load(path), path, "root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "surplus.service" in line]
    assert not said, said


def test_every_line_of_it_is_a_setting_or_says_why():
    for line in UNIT.read_text().splitlines():
        assert not line or line[0] in "#[" or "=" in line, line
