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
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import psutil
import pytest

from agent.entropy.bias import BIAS_METRICS
from protocols.errors import SettingsError
from scenarios.compare import compare
from scenarios.compare.compare import compare_policies
from scenarios.compare.comparison import Comparison
from scenarios.compare.files import write_comparison
from scenarios.display.terminal import INTERRUPTED
from tests.benchmarks.real_tables.page import page
from tests.benchmarks.real_tables.pictures import draw_bias, draw_models
from tests.benchmarks.real_tables.report import figures_table
from tests.benchmarks.real_tables.results import ABOUT, load_results
from tests.benchmarks.real_tables.settings import Setting
from tests.support.processes import started
from tests.support.runs.toy_table import scenario_on, write_toy_table

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_table(tmp_path_factory.mktemp("table") / "toy.csv")


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


def test_what_was_not_taken_of_the_table_as_it_stands_is_told(table: Path) -> None:
    scenario = scenario_on(table, property="modulus", unit="GPa", on_missing="drop")
    drawn = scenario.model_copy(update={"start": scenario_on(table).start})
    comparison = compare_policies(drawn, ["etal", "random"], range(1))
    assert "18 dropped: column 'modulus': an empty cell (line 2 of toy.csv, " in comparison.notes[0]


def test_the_files_hold_every_bias_metric_of_every_observation_and_every_test(table: Path, tmp_path: Path) -> None:
    comparison = compare_policies(scenario_on(table), ["etal", "random", "etal"], range(2))
    written = write_comparison(comparison, tmp_path / "out")
    assert [path.name for path in written] == [
        "comparison.png", "differences.png", "comparison.csv", "course.csv", "tests.csv", "comparison.json",
    ]  # fmt: skip
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in written[:2])
    rows = read_csv(written[2])
    assert len(rows) == 2 * 2 * 16
    names = [figure.name for figure in BIAS_METRICS]
    assert list(rows[0]) == ["policy", "seed", "observation", *names]
    last = [row for row in rows if (row["policy"], row["seed"], row["observation"]) == ("etal", "1", "15")]
    assert [float(last[0][name]) for name in names] == [comparison.final("etal", name)[1] for name in names]
    courses = read_csv(written[3])
    assert [(row["policy"], row["seed"]) for row in courses] == [(p, s) for p in ("etal", "random") for s in "01"]
    gaps = [float(row["mean_gap"]) for row in rows if (row["policy"], row["seed"]) == ("etal", "0")]
    assert (float(courses[0]["mean_gap_best_at"]), float(courses[0]["mean_gap_regret"])) == (
        gaps.index(min(gaps)), gaps[-1] - min(gaps),
    )  # fmt: skip
    tests, tested = read_csv(written[4]), [*names, "mean_gap_area", "mean_gap_regret"]
    assert [(row["measure"], row["policy"], row["other"]) for row in tests] == [(n, "etal", "random") for n in tested]
    assert tests[0]["note"] == "with 2 seeds no difference can be; it takes 6"
    document = json.loads(written[5].read_text())
    assert [row["measure"] for row in document["tests"]] == tested
    assert document["judged"] == "etal"
    assert document["sentences"] == comparison.sentences()
    assert document["fair_control"].startswith("Fair control")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("etal", ("etal", "random", "round_robin", "coverage", "joint_entropy")),
        ("coverage", ("coverage", "random", "round_robin", "joint_entropy")),
    ],
)
def test_without_names_the_scenario_s_policy_is_compared_with_every_baseline(
    table: Path, own: str, expected: tuple[str, ...]
) -> None:
    scenario = scenario_on(table, campaign={"policy": own, "budget": 3})
    comparison = compare_policies(scenario, None, range(1))
    assert comparison.policies == expected
    assert {each.other for each in comparison.contrasts(comparison.measures())} == set(expected[1:])


# --- downstream models ----------------------------------------------------------------------------------------------

FURTHER = {"modulus": "GPa"}
EVALUATION = {"models": ["ridge", "nearest_neighbours"], "every": 6, "targets": ["energy", "modulus"]}


@pytest.fixture(scope="module")
def evaluated(table: Path) -> Comparison:
    scenario = scenario_on(table, EVALUATION, additional_properties=FURTHER)
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
    by_family = read_csv(written["downstream_families.csv"])
    assert {row["family"] for row in by_family} == {"a", "b", "c"}
    assert len(by_family) >= 2 * 2 * 2 * 4 * 3  # the energy's; of the modulus a family may have too few rows
    document = json.loads(evaluated.json())
    assert set(document["by_family"]) == {"energy", "modulus"}
    r2, mae = document["by_family"]["energy"]["etal"]["a"]
    assert r2 <= 1
    assert mae > 0
    assert document["held_out"] == [18, 18]
    assert {(row["target"], row["measure"]) for row in document["tests"] if row["model"] == "ridge"} == {
        (target, score)
        for target in ("energy", "modulus")
        for score in ("r2", "mae", "worst_family_r2", "worst_family_mae")
    }
    mean = [row for row in document["tests"] if row["model"] == "mean of the models"]
    assert [(row["target"], row["measure"]) for row in mean] == [("energy", "r2"), ("modulus", "r2")]


def test_the_page_of_the_real_tables_is_made_of_these_files(evaluated: Comparison, tmp_path: Path) -> None:
    """What `make does-it-work` prints and writes, from the files of a comparison alone."""
    setting = Setting("biased", 0.0, 4)
    folder = tmp_path / "toy" / setting.folder
    write_comparison(evaluated, folder)
    (folder / ABOUT).write_text(json.dumps(setting.about("toy", 90, 15)))
    (result,) = load_results(tmp_path)
    assert (result.table, result.setting, result.judged) == ("toy", setting, "etal")
    figures = figures_table(result).splitlines()[2:]
    assert len(figures) == len([each for each in evaluated.measures() if each.lower_is_better is not None])
    ranges = [value for value in evaluated.final("etal", "entropy_range") if value is not None]
    assert f"| {sum(ranges) / 2:.3f} ± " in figures[0]
    written = page([result], ["real-tables.png"])
    assert written.startswith("# Does it work, and when does it not?")
    assert "## Biased start, no noise, 4 in flight" in written
    assert "better than random on 0 of 1 tables (not shown on 1)" in written
    assert (
        "![Range of entropy and mean gap against observations on every table](../pictures/real-tables.png)" in written
    )
    draw_bias(tmp_path / "bias.png", [result], ("entropy_range", "mean_gap"))
    draw_models(tmp_path / "models.png", [result])
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("bias.png", "models.png"))


def test_the_number_of_processes_and_the_order_of_policies_change_no_score(
    evaluated: Comparison, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MAX_PROCESSES", 1)
    scenario = scenario_on(table, EVALUATION, additional_properties=FURTHER)
    again = compare_policies(scenario, ["random", "etal"], range(2), downstream=True)
    assert [dict(each.runs) for each in again.models] == [dict(each.runs) for each in evaluated.models]
    assert again.runs == evaluated.runs


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
    scenario = scenario_on(table, {"targets": ["moduli"]}, additional_properties=FURTHER)
    with pytest.raises(SettingsError, match=r"'moduli'.*Expected: one of energy, modulus\. .*'modulus'"):
        compare_policies(scenario, ["random"], [0], downstream=True)
    assert compare_policies(scenario, ["random"], [0]).models == ()


PATIENCE_S = 200.0
"""For the imports of a loaded machine."""


def comparing(tmp_path: Path, said: IO[bytes]) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A comparison that would take hours."""
    command = ["compare", "oracle_table", "--seeds", "200", "--quiet", "--out", str(tmp_path)]
    return started([sys.executable, "-m", "entropilot", *command], stderr=said)


def workers_of(owner: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [each for each in psutil.Process(owner.pid).children() if "spawn_main" in str(each.cmdline())]


def until(condition: Callable[[], bool], *, every_s: float) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(every_s)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_the_processes_of_a_comparison_end_when_it_is_killed(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said, comparing(tmp_path, said) as owner:
        # Past their imports, and among their campaigns.
        until(lambda: any(each.cpu_times().user > 3 for each in workers_of(owner)), every_s=0.05)
        left = workers_of(owner)
        owner.kill()
        owner.wait()
        _, alive = psutil.wait_procs(left, timeout=20)
    assert not alive


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes on Windows")
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("later_s", [0.0, 0.3, 1.0])
def test_ctrl_c_ends_a_comparison_at_once_and_without_a_traceback(tmp_path: Path, later_s: float, again: bool) -> None:
    """A terminal sends SIGINT to all of its processes, also to those that have just begun."""
    with (tmp_path / "said").open("wb") as said, comparing(tmp_path, said) as owner:
        until(lambda: bool(workers_of(owner)), every_s=0.01)
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


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
