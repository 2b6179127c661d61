import re
import tomllib
import typing
from pathlib import Path

import msgspec
import pytest

from supervisor import config
from supervisor.config import ConfigError, load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "supervisor" / "site.example.toml"
SITE = '[site]\nname = "a"\nlimit_mw = 2.5\n'

GATEWAY = '[[modbus]]\nname = "g"\nhost = "h"\n'
LINE = '[[modbus_rigs]]\nname = "r-a"\ngateway = "g"\nunits = "1-3"\n'
DRIVE = '[[drives]]\nname = "fan"\ngateway = "g"\nmap = "fc111"\ncarries_mw = 2\n'
STOCK = (
    '[[stock]]\nname = "old"\naddresses = "10.0.3.5-10.0.3.9"\nmodel = "M30S"\n'
    "points = [[2400, 8], [3400, 9]]\n"
)
METERS = '[[meters]]\nname = "hall"\ngateway = "g"\nmap = "em340"\n'


def write(folder, text):
    path = folder / "site.toml"
    path.write_text(text)
    return path


def test_the_example_loads_and_speaks_of_every_key():
    loaded = load(EXAMPLE)
    assert loaded.site.name == "ridge-1" and loaded.site.limit_w == 100_000_000
    assert loaded.meter.map == str(ROOT / "supervisor" / "meters" / "sdm630.toml")
    text, known = EXAMPLE.read_text(), config.keys()
    for key in known:
        word = re.escape(key.rsplit(".", 1)[-1])
        assert re.search(rf"^#? ?({word} = |\[+{re.escape(key)}[].])", text, re.M), key


def test_what_stands_behind_a_hash_is_the_default():
    defaults, section, shown = default_of(config.Config), "", 0
    for line in EXAMPLE.read_text().splitlines():
        if header := re.match(r"(?:# )?\[+([a-z0-9._]+)\]", line):
            section = header[1]
        elif re.match(r"# \w+ = ", line):
            ((name, value),) = tomllib.loads(line[2:]).items()
            default = defaults[f"{section}.{name}"]
            default = list(default) if isinstance(default, tuple) else default
            shown += default in (None, value)
            assert default in (None, value, msgspec.NODEFAULT), line
    assert shown > 20


def default_of(section, above=""):
    """Every key's default by its dotted name."""
    found = {}
    for field in msgspec.structs.fields(section):
        found[above + field.name] = field.default
        for inner in typing.get_args(field.type) or (field.type,):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                found |= default_of(inner, f"{above}{field.name}.")
    return found


def test_a_small_file_is_enough_and_paths_are_seen_from_it(tmp_path):
    (tmp_path / "day.csv").write_text("time,mw\n0,1\n")
    loaded = load(write(tmp_path, SITE + '[signal.csv]\nfile = "day.csv"\n'))
    assert loaded.signal.csv.file == str(tmp_path / "day.csv")
    assert loaded.state_dir == tmp_path / "surplus-state"
    assert loaded.meter is None and loaded.broker.kind == "embedded"
    assert (loaded.site.limit_w, loaded.site.default_w, loaded.site.up_ramp_w_per_s) == (
        2_500_000,
        0,
        None,
    )


def test_a_map_beside_the_file_is_found(tmp_path):
    (tmp_path / "mine.toml").write_text("")
    loaded = load(write(tmp_path, SITE + '[meter]\nhost = "m"\nmap = "mine.toml"\n'))
    assert loaded.meter.map == str(tmp_path / "mine.toml")


def test_addresses_of_stock_miners(tmp_path):
    text = STOCK.replace("10.0.3.9", "10.0.3.7, 10.0.3.6,10.1.0.1")
    (group,) = load(write(tmp_path, SITE + text)).stock
    assert group.all_addresses() == ["10.0.3.5", "10.0.3.6", "10.0.3.7", "10.1.0.1"]
    assert group.points == ((2400, 8), (3400, 9))


def test_units_of_a_line(tmp_path):
    text = SITE + GATEWAY + LINE.replace("1-3", "1-3,9,2-4,240-999")
    (group,) = load(write(tmp_path, text)).modbus_rigs
    assert group.numbers == [1, 2, 3, 4, 9, *range(240, 248)]


def test_several_meters_behind_one_gateway(tmp_path):
    text = SITE + GATEWAY + METERS + METERS.replace("hall", "site").replace("em340", "sunspec")
    loaded = load(write(tmp_path, text + "stale_s = 9\n"))
    assert [keys.name for keys in loaded.all_meters] == ["site", "hall"]
    assert loaded.all_meters[0].map == "sunspec" and loaded.stale_s == 9
    assert [keys.name for keys in loaded.all_gateways] == ["g"]
    old = load(write(tmp_path, SITE + '[meter]\nhost = "m"\nmap = "em340"\nstale_s = 7\n'))
    assert [keys.name for keys in old.all_meters] == ["site"] and old.stale_s == 7
    assert old.all_gateways[0].host == "m" and old.all_gateways[0].gap_ms == 0


WRONG = {
    "": "site: is missing",
    "x =": "is not TOML",
    "site = 3": "site: expected a table, got a whole number",
    '[site]\nname = "a"\n': "site.limit_mw: is missing; right is: what breaker and feeders carry",
    '[site]\nname = "a"\nlimt_mw = 1': "site.limt_mw: no such key; did you mean site.limit_mw?",
    '[site]\nname = "A"\nlimit_mw = 1': "site.name: a name is made of a-z, 0-9 and -",
    '[site]\nname = "a"\nlimit_mw = "1"': "site.limit_mw: expected a number, got text in quotes",
    '[site]\nname = "a"\nlimit_mw = true': "site.limit_mw: expected a number, got true or false",
    '[site]\nname = "a"\nlimit_mw = 0': "site.limit_mw: expected a number > 0",
    '[site]\nname = "a"\nlimit_mw = nan': "site.limit_mw: nan is no quantity",
    '[site]\nname = "a"\nlimit_mw = inf': "site.limit_mw: inf is no quantity",
    SITE + "default_mw = 3": "site.default_mw: 3 is above site.limit_mw, 2.5",
    SITE + "up_ramp_mw_per_min = 0": "site.up_ramp_mw_per_min: expected a number > 0",
    SITE + "lease_s = 2": "site.lease_s: must be three broadcasts or more, 3",
    SITE + "lease_s = 5\n[standby]\nrank = 0": "standby.silence_s: must be three broadcasts",
    SITE + "broadcast_s = 2\n[standby]\nrank = 0": "standby.silence_s: must be three broadcasts",
    SITE + "[signal.mqt]": "signal.mqt: no such key; did you mean signal.mqtt?",
    SITE + "[zzz]": "zzz: no such key; known here: site, broker, meter,",
    SITE + '[broker]\nkind = "x"': "broker.kind: no such choice: 'x'; right is: \"embedded\" or",
    SITE + '[broker]\nkind = "external"': "broker.port: an external broker needs its port",
    SITE + '[broker]\nuser = "x"': "broker.user: is for kind",
    SITE + '[broker]\nbinary = "nope"': "broker.binary: no such file",
    SITE + "[broker]\nport = 70000": "broker.port: expected a whole number <= 65535",
    SITE + '[meter]\nhost = "m"\nmap = "x"': "meter.map: no such file",
    SITE + "[[meters]]\npol_s = 1": "meters.pol_s: no such key; did you mean meters.poll_s?",
    SITE + '[[modbus]]\nname = "g"\nhost = "h"\nport = "x"': "modbus.port: expected a whole number",
    SITE + '[[modbus]]\nname = "g"\nkind = "rtu"': "modbus.device: g is serial and needs its port",
    SITE + '[[modbus]]\nname = "g"': "modbus.host: g needs the address of its gateway",
    SITE + '[modbus]\nname = "g"': "modbus: expected tables in double brackets, got a table",
    SITE + METERS: "meters.gateway: g is none of [[modbus]]",
    SITE + GATEWAY + METERS + METERS: "meters.name: two meters are called hall",
    SITE + LINE: "modbus_rigs.gateway: g is none of [[modbus]]",
    SITE + GATEWAY + LINE.replace("1-3", "1-x"): "modbus_rigs.units: ",
    SITE + GATEWAY + LINE.replace("1-3", "0-3"): "modbus_rigs.units: 0-3 is none of",
    SITE + GATEWAY + LINE.replace("r-", "R"): "modbus_rigs.name: a name is made of",
    SITE + DRIVE: "drives.gateway: g is none of [[modbus]]",
    SITE + GATEWAY + DRIVE * 2: "drives.name: two drives are called fan",
    SITE + GATEWAY + DRIVE.replace("fc111", "x"): "drives.map: no such file",
    SITE + "[facility]\nshed_s = 3": "facility.shed_s: must be at least facility.fresh_s, 4",
    SITE + "[facility]\npoll_s = 3": "facility.fresh_s: must be at least two polls, 6",
    SITE + STOCK * 2: "stock.name: two groups are called old",
    SITE + STOCK.replace("10.0.3.9", "10.0.3.1"): "stock.addresses: 10.0.3.5-10.0.3.1 is no range",
    SITE + STOCK.replace("10.0.3.5", "x"): "stock.addresses: 'x' does not appear to be",
    SITE + STOCK + STOCK.replace("old", "new"): "stock.addresses: 10.0.3.",
    SITE + STOCK.replace("2400", "3400"): "stock.points: watts must rise from floor_w, 30, on",
    SITE + STOCK + 'password_file = "x"': "stock.password_file: no such file",
    SITE + GATEWAY * 2: "modbus.name: two gateways are called g",
    SITE + GATEWAY + METERS.replace("em340", "x"): "meters.map: no such file",
    SITE + '[signal.csv]\nfile = "x.csv"': "signal.csv.file: no such file",
    SITE
    + '[signal.mqtt]\ntopic = "a/#"': "signal.mqtt.topic: a topic to listen to has no wildcard",
    SITE
    + '[signal.mqtt]\ntopic = "surplus/a/budget"': "signal.mqtt.topic: is one of the site's own",
    SITE
    + '[signal.csv]\nfile = "x"\nstart = 2026-01-01': "signal.csv.start: expected a date and time",
}


@pytest.mark.parametrize("text", WRONG, ids=WRONG.values())
def test_what_is_wrong_is_named_with_its_file_and_key(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: {WRONG[text]}")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "site.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path / "site.toml")
