"""The benchmarks measure what they say: small ones, in a moment."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from hil.benches import dispatch as benches
from hil.commands import bench
from tests.supervisor.test_merit import FLOOR_W, table

highspy = pytest.importorskip("highspy")


def test_random_rigs_are_rigs():
    points = benches.random_points(50, 8)
    assert points.watts.shape == points.ghs.shape == (50, 9)
    assert (np.diff(points.watts, axis=1) > 0).all() and (np.diff(points.ghs, axis=1) >= 0).all()
    joules_per_th = points.watts[:, -1] / points.ghs[:, -1] * 1000
    assert joules_per_th.min() > 13 and joules_per_th.max() < 40
    assert np.array_equal(benches.random_points(50, 8).watts, points.watts)


def test_its_fleet_is_these_rigs_all_counted():
    points = benches.random_points(23, 4)
    fleet = benches.fleet_of(points)
    assert len(fleet) == 23 and fleet.counted.all() and len(set(fleet.names)) == 23
    assert (fleet.points.watts[:, :5] == points.watts).all()
    assert (fleet.points.watts[:, 5:] == points.watts[:, -1:]).all()


def test_levels_by_merit_order():
    points = table([(100, 100), (200, 150)], [(100, 200), (200, 220)])
    levels = [benches.merit_levels(points, w).tolist() for w in (99, 100, 299, 300, 400)]
    assert levels == [[0, 0], [0, 1], [1, 1], [2, 1], [2, 2]]


def test_the_exact_optimum_is_exact():
    points = table([(60, 100)], [(50, 70)], [(50, 70)])
    assert benches.exact_ghs(points, 100) == 140
    assert benches.merit_levels(points, 100).tolist() == [1, 0, 0]
    assert benches.exact_ghs(points, 109) == 140 and benches.exact_ghs(points, 110) == 170
    assert points.watts[0, 0] == FLOOR_W, "the floor is not part of the budget"


def test_merit_order_comes_close_to_it():
    share, _ = benches.against_exact(benches.random_points(60, 4))
    assert 0.98 < share <= 1.0 + 1e-9


def test_the_median_run_is_timed():
    calls = []
    assert 0 <= benches.best_of(lambda: calls.append(1), 5) < 1000
    assert len(calls) == 5


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(benches, "EXACT_RIGS", 30)
    app = typer.Typer()
    bench.register(app)
    return app


def test_as_json_there_is_one_object_and_nothing_else(app):
    result = CliRunner().invoke(app, ["bench", "dispatch", "--rigs", "50", "--json"])
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert measured["rigs"] == 50 and measured["levels"] == 8
    assert measured["solve_ms"] > 0 and measured["change_ms"] > 0
    assert 0.97 < measured["hashrate_share_of_exact"] <= 1.0 + 1e-9


def test_for_people_a_line_a_figure(app):
    result = CliRunner().invoke(app, ["bench", "dispatch", "--rigs", "20", "--levels", "3"])
    assert result.exit_code == 0 and "solve_ms" in result.stdout


def test_without_a_name_they_are_listed(app):
    result = CliRunner().invoke(app, ["bench"])
    assert result.exit_code == 0 and result.stdout.startswith("dispatch ")


def test_a_bad_call(app):
    assert CliRunner().invoke(app, ["bench", "dispatch", "--rigs", "1"]).exit_code == 2
    assert CliRunner().invoke(app, ["bench", "nothing"]).exit_code == 2
