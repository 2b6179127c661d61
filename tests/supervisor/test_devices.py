"""Everything the settings name is made, and shares what it should share."""

from types import SimpleNamespace

import pytest

from supervisor.config import load
from supervisor.devices import devices_of
from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.sources.drives import SOURCE, Drives
from supervisor.sources.meter import Meter
from supervisor.sources.rigs_modbus import RigLine

SITE = '[site]\nname = "a"\nlimit_mw = 2.5\n'
ALL = """
[meter]
host = "192.0.2.1"
map = "em340"
[[modbus]]
name = "g"
host = "192.0.2.2"
[[meters]]
name = "hall"
gateway = "g"
map = "sunspec"
[[modbus_rigs]]
name = "r"
gateway = "g"
units = "1-3"
[[drives]]
name = "fan"
gateway = "g"
unit = 9
map = "acs580"
carries_mw = 2
"""


def made(tmp_path, text, inbox=None):
    (tmp_path / "site.toml").write_text(SITE + text)
    inbox = inbox or Inbox()
    return devices_of(load(tmp_path / "site.toml"), inbox, SimpleNamespace()), inbox


@pytest.mark.asyncio
async def test_all_of_them_share_one_connection_to_a_gateway(tmp_path):
    devices, inbox = made(tmp_path, ALL)
    by_kind = {type(source): source for source in devices.sources}
    assert {Meter, RigLine, Drives} <= set(by_kind)
    assert by_kind[RigLine].rigs[0].unit.gateway is by_kind[Drives]._readers[0]._unit.gateway
    assert [source.name for source in devices.sources if isinstance(source, Meter)] == [
        "site",
        "hall",
    ]
    assert inbox.entries[SOURCE].limit_w(1e12) == 0  # nothing before airflow is proven


@pytest.mark.asyncio
async def test_a_site_without_fans_is_not_held_by_those_it_had(tmp_path):
    inbox = Inbox()
    inbox.put_signal(Entry(SOURCE, ((0.0, 0),)))
    devices, _ = made(tmp_path, "", inbox)
    assert inbox.entries == {} and len(devices.sources) == 1


@pytest.mark.asyncio
async def test_stock_miners_are_counted_before_they_are_heard(tmp_path):
    pytest.importorskip("pyasic", reason="pip install 'surplus[stock]'")
    text = '[[stock]]\nname = "old"\naddresses = "192.0.2.3-192.0.2.4"\nmodel = "M"\n'
    _, inbox = made(tmp_path, text + "points = [[3400, 9]]\n")
    assert inbox.could_w == {"old-0000": 3400, "old-0001": 3400}
    assert [rig for rig, kind, _ in inbox.take_rigs() if kind == "hello"] == [
        "old-0000",
        "old-0001",
    ]
