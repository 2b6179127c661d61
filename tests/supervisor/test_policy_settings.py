"""[policy] and [[feeders]] in the settings file."""

import pytest

from supervisor.app import roster_of
from supervisor.config import ConfigError, load

SITE = '[site]\nname = "ridge-1"\nlimit_mw = 2.5\n'
POLICY = '[policy]\nrigs = "rigs.csv"\nmin_off_s = 40\n'
FEEDER = '[[feeders]]\npath = "east/c1"\nlimit_kw = 300\nauxiliary_kw = 20\n'


def load_text(folder, text):
    (folder / "rigs.csv").write_text("rig,place,priority\nr0,east/c1/k2,protected\n")
    path = folder / "site.toml"
    path.write_text(SITE + text)
    return load(path)


def test_a_tree_comes_from_the_list_and_the_limits(tmp_path):
    config = load_text(tmp_path, POLICY + FEEDER)
    assert config.policy.min_off_s == 40.0 and config.policy.min_on_s == 15.0
    found = roster_of(config)
    assert found.tree.paths == ("east", "east/c1", "east/c1/k2")
    assert found.tree.limit_w[1] == 280_000.0, "fans and pumps are taken off"
    assert found.place("r0") == "east/c1/k2"


def test_without_them_there_is_none(tmp_path):
    assert roster_of(load_text(tmp_path, "")).tree is None


@pytest.mark.parametrize(
    "text, words",
    [
        (FEEDER, "policy.rigs: feeders need the list"),
        (POLICY.replace("rigs.csv", "none.csv"), "policy.rigs: no such file"),
        (POLICY + FEEDER + FEEDER, "'east/c1' is there twice"),
        (POLICY + FEEDER.replace("east/c1", "east//c1"), "feeders.path"),
        (POLICY + FEEDER.replace("20", "300"), "feeders.auxiliary_kw: 'east/c1': must be less"),
        (POLICY + FEEDER.replace("300", "0"), "feeders"),
        ("[policy]\nstarts_per_day = 0\n", "policy.starts_per_day"),
        ("[frequency]\ndroop_pct = 0\n", "frequency.droop_pct"),
        ('[frequency]\ntopic = "grid/#"\n', "frequency.topic: a topic to listen to has no"),
    ],
)
def test_nonsense_is_named(tmp_path, text, words):
    with pytest.raises(ConfigError) as error:
        load_text(tmp_path, text)
    assert words in str(error.value)
