"""A comparison gives every policy the same start and test set for a seed, and says when it cannot be made."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import psutil
import pytest

from agent.entropy.bias import BIAS_FIGURES
from protocols.errors import SettingsError, TableError
from scenarios.compare import compare
from scenarios.compare.compare import compare_policies
from scenarios.compare.comparison import Comparison
from scenarios.compare.files import curve_over_seeds, write_comparison
from scenarios.compare.trials import make_trials
from scenarios.display.console import INTERRUPTED
from scenarios.settings.model import Scenario
from scenarios.world.world import World, make_world


def scenario_on(
    table: Path,
    evaluation: Mapping[str, object] | None = None,
    campaign: Mapping[str, object] | None = None,
    **columns: object,
) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "toy",
            "pool": {
                "source": "table",
                "path": str(table),
                "columns": {
                    "id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["x", "y"],
                } | columns,
            },
            "start": {} if "on_missing" in columns else {"size": 24, "halves": {"a": "stable"}},
            "campaign": {"budget": 15, **(campaign or {})},
            "evaluation": dict(evaluation or {}),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("table") / "toy.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "family", "energy", "x", "y", "modulus"))
        for number in range(90):
            x, y = rng.normal(size=2)
            modulus = "" if number % 5 == 0 else 100 + 10 * x
            writer.writerow((f"m{number}", "abc"[number % 3], x + 0.3 * y * y, x, y, modulus))
    return path


def test_every_policy_begins_with_the_same_start_and_seeds_differ(table: Path, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    comparison = compare_policies(scenario_on(table), ["etal", "random"], range(2), lambda *told: calls.append(told))
    starts = {policy: [run.points[0][1] for run in runs] for policy, runs in comparison.runs.items()}
    assert starts["etal"] == starts["random"]
    assert starts["etal"][0] != starts["etal"][1]
    assert all(len(run.points) == 16 for runs in comparison.runs.values() for run in runs)
    assert calls[-1] == ("campaigns", 4, 4)
    final = json.loads(comparison.json())["final"]["etal"]["entropy_range"]
    assert final == comparison.final("etal", "entropy_range")


def test_the_files_hold_every_bias_figure_of_every_step_and_every_test(table: Path, tmp_path: Path) -> None:
    comparison = compare_policies(scenario_on(table), ["etal", "random", "etal"], range(2))
    written = write_comparison(comparison, tmp_path / "out")
    assert [path.name for path in written] == ["comparison.png", "comparison.csv", "tests.csv", "comparison.json"]
    assert written[0].read_bytes().startswith(b"\x89PNG")
    rows = read_csv(written[1])
    assert len(rows) == 2 * 2 * 16
    names = [figure.name for figure in BIAS_FIGURES]
    assert list(rows[0]) == ["policy", "seed", "step", *names]
    last = [row for row in rows if (row["policy"], row["seed"], row["step"]) == ("etal", "1", "15")]
    assert [float(last[0][name]) for name in names] == [comparison.final("etal", name)[1] for name in names]
    tests = read_csv(written[2])
    assert [(row["measure"], row["policy"], row["baseline"]) for row in tests] == [(n, "etal", "random") for n in names]
    assert "2 seeds are too few" in tests[0]["note"]
    assert [row["measure"] for row in json.loads(written[3].read_text())["tests"]] == names


def test_a_mean_covers_the_steps_that_all_seeds_reached(tmp_path: Path) -> None:
    curve = curve_over_seeds([[(0, 1.0), (1, 0.5), (2, 0.25)], [(0, 3.0), (1, 1.5)]])
    assert (curve.x.tolist(), curve.mean.tolist()) == ([0, 1], [2, 1])
    # Student's t of one degree of freedom, 12.706, by s / √2 = |difference| / 2.
    assert curve.half_width.tolist() == pytest.approx([12.706 * 1.0, 12.706 * 0.5], rel=1e-4)


# --- downstream models ----------------------------------------------------------------------------------------------

FURTHER = {"modulus": "GPa"}
EVALUATION = {"models": ["ridge", "nearest_neighbours"], "every": 6, "targets": ["energy", "modulus"]}


@pytest.fixture(scope="module")
def evaluated(table: Path) -> Comparison:
    scenario = scenario_on(table, EVALUATION, further_properties=FURTHER)
    return compare_policies(scenario, ["etal", "random"], range(2), downstream=True)


def test_models_are_scored_every_k_acquisitions_and_at_the_end(evaluated: Comparison, tmp_path: Path) -> None:
    subjects = [(each.target, each.unit, each.model) for each in evaluated.models]
    assert subjects == [
        (target, unit, model)
        for target, unit in (("energy", "eV"), ("modulus", "GPa"))
        for model in ("ridge", "nearest_neighbours")
    ]
    for each in evaluated.models:
        for policy in ("etal", "random"):
            assert [[score.acquired for score in scores] for scores in each.runs[policy]] == [[0, 6, 12, 15]] * 2
        # Nothing is acquired at the start, and the test set is the same: so are the scores.
        assert [scores[0] for scores in each.runs["etal"]] == [scores[0] for scores in each.runs["random"]]
    energy, modulus = evaluated.models[0], evaluated.models[2]
    assert [(score.training_rows, score.test_rows) for score in energy.runs["etal"][0]] == [
        (24, 18), (30, 18), (36, 18), (39, 18),
    ]  # fmt: skip
    last = modulus.runs["etal"][0][-1]
    assert last.training_rows < 39, "rows without the target were trained on"
    assert last.test_rows < 18, "rows without the target were scored"
    assert last.r2 > 0.99, "a ridge knows a line"
    written = {path.name: path for path in write_comparison(evaluated, tmp_path)}
    rows = read_csv(written["downstream.csv"])
    assert len(rows) == 2 * 2 * 2 * 2 * 4
    assert float(rows[3]["r2"]) == energy.runs["etal"][0][3].r2
    assert written["downstream.png"].read_bytes().startswith(b"\x89PNG")
    document = json.loads(evaluated.json())
    assert document["held_out"] == [18, 18]
    assert {(row["target"], row["measure"]) for row in document["tests"] if row["model"] == "ridge"} == {
        (target, score) for target in ("energy", "modulus") for score in ("r2", "mae")
    }


def test_the_number_of_processes_and_the_order_of_policies_change_no_score(
    evaluated: Comparison, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MAX_PROCESSES", 1)
    scenario = scenario_on(table, EVALUATION, further_properties=FURTHER)
    again = compare_policies(scenario, ["random", "etal"], range(2), downstream=True)
    assert [dict(each.runs) for each in again.models] == [dict(each.runs) for each in evaluated.models]
    assert again.runs == evaluated.runs


@pytest.mark.parametrize("policy", ["etal", "random", "round_robin", "uncertainty"])
def test_no_policy_acquires_or_sees_what_is_held_out(table: Path, policy: str) -> None:
    scenario = scenario_on(table)
    world = make_world(scenario)
    (trial,) = make_trials(scenario, world, [3], 0.2)
    moved = world.values.copy()
    moved[trial.test] += 1e3
    played = []
    for values in (world.values, moved):
        compare._take_world(scenario, World(world.pool, values, world.start))
        played.append(compare._play(policy, trial))
    trajectory, acquired = played[0]
    assert len(set(acquired.tolist())) == 15
    assert not set(acquired.tolist()) & (set(trial.test.tolist()) | set(trial.start.tolist()))
    assert trajectory == played[1][0]
    assert sum(trajectory.points[0][1].sizes) == 24


def test_a_policy_that_ends_early_is_compared_with_as_many_rows_of_the_others(table: Path) -> None:
    content = "tests.support.user_policies:ContentAfter"
    evaluation = {"models": ["ridge"], "every": 50}
    scenario = scenario_on(table, evaluation, {"policy": content, "policy_options": {"decisions": 7}})
    comparison = compare_policies(scenario, [content, "random"], range(2), downstream=True)
    assert (comparison.acquired(content), comparison.acquired("random")) == ([7, 7], [15, 15])
    (ridge,) = comparison.models
    assert [score.acquired for score in ridge.runs["random"][0]] == [0, 7, 15]
    r2 = comparison.model_measures()[0]
    assert r2.after["random"] == tuple(scores[1].r2 for scores in ridge.runs["random"])
    assert r2.after[content] == tuple(scores[-1].r2 for scores in ridge.runs[content])


def test_progress_tells_of_the_models_too(table: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    evaluation = {"models": ["ridge"], "every": 15}
    compare_policies(scenario_on(table, evaluation), ["random"], [0], lambda *told: calls.append(told), downstream=True)
    assert calls[-4:] == [("campaigns", 0, 1), ("campaigns", 1, 1), ("downstream models", 0, 1),
                          ("downstream models", 1, 1)]  # fmt: skip


def test_a_target_that_the_table_does_not_have_is_refused_with_the_nearest(table: Path) -> None:
    scenario = scenario_on(table, {"targets": ["moduli"]}, further_properties=FURTHER)
    with pytest.raises(SettingsError, match=r"'moduli'.*Expected: one of energy, modulus\. .*'modulus'"):
        compare_policies(scenario, ["random"], [0], downstream=True)
    assert compare_policies(scenario, ["random"], [0]).models == ()


def test_a_target_of_a_pool_that_has_one_property_only_is_refused(table: Path) -> None:
    with pytest.raises(SettingsError, match=r"'x_ray'.*add x_ray and its unit to \[pool\.columns\.further"):
        compare_policies(scenario_on(table, {"targets": ["x_ray"]}), ["random"], [0], downstream=True)


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_the_processes_of_a_comparison_end_when_it_is_killed(tmp_path: Path) -> None:
    command = ["compare", "oracle_table", "--seeds", "200", "--quiet", "--out", str(tmp_path)]
    owner = subprocess.Popen([sys.executable, "-m", "entropilot", *command], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 200

    def workers() -> list[psutil.Process]:
        return [each for each in psutil.Process(owner.pid).children() if "spawn_main" in str(each.cmdline())]

    # Past their imports, and among their campaigns.
    while not any(each.cpu_times().user > 3 for each in workers()):
        assert time.monotonic() < until
        time.sleep(0.05)
    left = workers()
    owner.kill()
    owner.wait()
    _, alive = psutil.wait_procs(left, timeout=20)
    for each in alive:
        each.kill()
    assert not alive


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes on Windows")
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("later_s", [0.0, 0.3, 1.0])
def test_ctrl_c_ends_a_comparison_at_once_and_without_a_traceback(tmp_path: Path, later_s: float, again: bool) -> None:
    """A terminal sends SIGINT to all of its processes, also to those that have just begun."""
    command = ["compare", "oracle_table", "--seeds", "200", "--quiet", "--out", str(tmp_path)]
    with (tmp_path / "said").open("wb") as said:
        owner = subprocess.Popen([sys.executable, "-m", "entropilot", *command], stderr=said, start_new_session=True)
    until = time.monotonic() + 200
    while not any("spawn_main" in str(each.cmdline()) for each in psutil.Process(owner.pid).children()):
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(later_s)
    left = psutil.Process(owner.pid).children()
    os.killpg(owner.pid, signal.SIGINT)
    if again:
        time.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(owner.pid, signal.SIGINT)
    ended = owner.wait(timeout=10)
    _, alive = psutil.wait_procs(left, timeout=10)
    assert ended in ({INTERRUPTED, -signal.SIGINT} if again else {INTERRUPTED})
    assert ((tmp_path / "said").read_text(), alive) == ("", [])


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


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
