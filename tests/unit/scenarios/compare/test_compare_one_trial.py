"""What a comparison refuses, what one trial may see, and the mean over seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, TableError
from scenarios.compare import compare
from scenarios.compare.compare import compare_policies
from scenarios.compare.files import curve_over_seeds
from scenarios.compare.trials import make_trials
from scenarios.world.world import World, build_world
from tests.support.runs.toy_table import scenario_on, write_toy_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_table(tmp_path_factory.mktemp("table") / "toy.csv")


def test_a_mean_covers_the_steps_that_all_seeds_reached(tmp_path: Path) -> None:
    curve = curve_over_seeds([[(0, 1.0), (1, 0.5), (2, 0.25)], [(0, 3.0), (1, 1.5)]])
    assert (curve.x.tolist(), curve.mean.tolist()) == ([0, 1], [2, 1])
    # Student's t of one degree of freedom, 12.706, by s / √2 = |difference| / 2.
    assert curve.half_width.tolist() == pytest.approx([12.706 * 1.0, 12.706 * 0.5], rel=1e-4)


@pytest.mark.parametrize("policy", ["coverage", "etal", "joint_entropy", "random", "round_robin", "uncertainty"])
def test_no_policy_acquires_or_sees_what_is_held_out(table: Path, policy: str) -> None:
    scenario = scenario_on(table)
    world = build_world(scenario)
    (trial,) = make_trials(scenario, world, [3], 0.2)
    moved = world.values.copy()
    moved[trial.test] += 1e3
    played = []
    for values in (world.values, moved):
        compare._take_world(scenario, World(world.pool, values, world.start))
        played.append(compare._play(compare._settings_of_each(scenario, [policy])[policy], trial))
    trajectory, acquired = played[0][:2]
    assert len(set(acquired.tolist())) == 15
    assert not set(acquired.tolist()) & (set(trial.test.tolist()) | set(trial.start.tolist()))
    assert trajectory == played[1][0]
    assert sum(trajectory.points[0][1].sizes) == 24


def test_a_target_of_a_pool_that_has_one_property_only_is_refused(table: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"'x_ray'.*add x_ray and its unit to \[pool\.columns\.additional_properties"
    ):
        compare_policies(scenario_on(table, {"targets": ["x_ray"]}), ["random"], [0], downstream=True)


def test_an_unknown_policy_is_refused_before_anything_runs(table: Path) -> None:
    with pytest.raises(SettingsError, match="nobody"):
        compare_policies(scenario_on(table), ["random", "nobody"], range(1))


def test_no_policy_at_all_is_refused(table: Path) -> None:
    with pytest.raises(SettingsError, match="No policies"):
        compare_policies(scenario_on(table), [], range(1))


def test_a_table_with_unknown_values_cannot_tell_what_another_choice_would_have_given(
    table: Path, tmp_path: Path
) -> None:
    text = table.read_text().splitlines()
    identity, family, _, *rest = text[1].split(",")
    partly = tmp_path / "partly.csv"
    partly.write_text("\n".join([text[0], ",".join([identity, family, "", *rest]), *text[2:]]) + "\n")
    with pytest.raises(TableError, match="no known value"):
        compare_policies(scenario_on(partly, on_missing="unknown"), ["random"], range(1))
