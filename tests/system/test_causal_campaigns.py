"""Causal campaigns of the library: they find what they are after, survive kills, and say what they believe."""

from __future__ import annotations

import csv
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

SLOW = ("--set", "simulator.latency.mean_s=0.05")
"""Slow enough to be killed on the way."""

SHORT = ("--budget", "40")

SCENARIOS = {"substituted_benzenes": 11, "qm9_edits": 11, "synthetic_scm": 8}
"""Scenario -> how many effects it asks for."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with an undisturbed run of each scenario."""
    with Workbench(tmp_path_factory.mktemp("causal")) as opened:
        for name in SCENARIOS:
            ended = opened.entropilot("run", name, "--quiet", *SHORT)
            assert ended.code == 0, ended
        yield opened


def decided(folder: Path) -> list[dict[str, Any]]:
    """Every decision of a run, without what belongs to this journal alone."""
    with closing(sqlite3.connect(folder / "campaign.db")) as database:
        query = "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
        decisions = [json.loads(row[0]) for row in database.execute(query)]
    return [{key: value for key, value in each.items() if key != "based_on"} for each in decisions]


def effects(folder: Path) -> list[dict[str, str]]:
    with (folder / "effects.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_killed_campaign_decides_as_one_that_was_left_in_peace(bench: Workbench, name: str) -> None:
    again = f"{name}_again"
    command = ("run", name, "--quiet", "--campaign", again, *SHORT, *SLOW)
    folder = bench.runs / again
    for rows in (12, 60, 75):
        resume = ("--resume",) if (folder / "campaign.db").exists() else ()
        part = bench.start(*command, *resume)
        deadline = time.monotonic() + 60
        while part.process.poll() is None and journalled(folder) < rows and time.monotonic() < deadline:
            time.sleep(0.02)
        part.process.kill()
        part.finish()
    ended = bench.entropilot(*command, "--resume")
    assert ended.code == 0, ended
    assert decided(folder) == decided(bench.runs / name)
    for one, other in zip(effects(folder), effects(bench.runs / name), strict=True):
        assert one["effect"] == other["effect"]
        # Both are of the same values; their order differs, as instruments answered at other times.
        assert float(one["mean"]) == pytest.approx(float(other["mean"]), abs=float(one["high"]) - float(one["low"]))


def journalled(folder: Path) -> int:
    if not (folder / "campaign.db").exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{folder / 'campaign.db'}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM journal").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


@pytest.mark.parametrize(("name", "number"), SCENARIOS.items())
def test_a_run_tells_every_effect_with_its_interval_and_the_truth(bench: Workbench, name: str, number: int) -> None:
    rows = effects(bench.runs / name)
    assert len(rows) == number
    assert all(float(row["low"]) < float(row["mean"]) < float(row["high"]) for row in rows)
    inside = sum(float(row["low"]) <= float(row["truth"]) <= float(row["high"]) for row in rows)
    assert inside >= 0.7 * number
    assert {"metrics.png", "effects.png"} <= {path.name for path in (bench.runs / name).iterdir()}
    assert "bias.png" not in {path.name for path in (bench.runs / name).iterdir()}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("substituted_benzenes", ("found.csv", "found.png")),
        ("synthetic_scm", ("graph.csv", "graph.png", "graph_loss.csv", "graph_loss.png")),
    ],
)
def test_what_was_found_is_in_the_folder_and_the_report_names_it(
    bench: Workbench, name: str, files: tuple[str, ...]
) -> None:
    summary = json.loads((bench.runs / name / "summary.json").read_text())
    report = bench.entropilot("report", name)
    assert [each for each in summary["files"] if each.startswith(("graph", "found"))] == list(files)
    for file in files:
        assert (bench.runs / name / file).stat().st_size > 0
        assert f"runs/{name}/{file}" in report.out
    assert summary["findings"]
    for line in summary["findings"]:
        assert " ".join(line.split()) in " ".join(report.out.split())


def test_the_graph_of_a_system_has_the_true_edges_beside_the_believed_ones(bench: Workbench) -> None:
    with (bench.runs / "synthetic_scm" / "graph.csv").open(newline="") as file:
        edges = list(csv.DictReader(file))
    true = {(row["cause"], row["effect"]) for row in edges if float(row["truth"])}
    believed = {(row["cause"], row["effect"]) for row in edges if float(row["probability"]) >= 0.5}
    assert len(true) == 12
    assert len(true & believed) >= 9
    assert not any(row["cause"] == "y" for row in edges), "the target causes nothing"
    after = {row["name"]: row["value"] for row in summary_of(bench, "synthetic_scm")["after"]["declared"]}
    assert 0.2 < after["edge_stability"] <= 1.0


def test_the_molecules_found_are_the_hits_of_the_metrics(bench: Workbench) -> None:
    with (bench.runs / "substituted_benzenes" / "found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    after = {row["name"]: row["value"] for row in summary_of(bench, "substituted_benzenes")["after"]["declared"]}
    assert len(rows) == after["hits"]
    assert all(float(row["value"]) > 5.0 and row["change"].startswith("x: H → ") for row in rows)


def summary_of(bench: Workbench, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((bench.runs / name / "summary.json").read_text())
    return told


def test_why_tells_the_edit_and_the_effects_believed_then(bench: Workbench) -> None:
    told = json.loads(bench.entropilot("why", "substituted_benzenes", "4", "--json", "--no-figure").out)
    assert len(told["effects"]["effects"]) == 11
    assert told["effects"]["expected"] < told["effects"]["mean_half_width"]
    assert told["effects"]["threshold"] == 5.0
    assert all(each["candidate"]["designs"] for each in told["chosen"])
    assert told["runner_up"]["edits"]
    text = " ".join(bench.entropilot("why", "substituted_benzenes", "4", "--no-figure").out.split())
    assert told["chosen"][0]["candidate"]["edits"][0] in text
    assert "the choice was to narrow them to ±" in text
    system = json.loads(bench.entropilot("why", "synthetic_scm", "2", "--json", "--no-figure").out)
    assert [each["name"] for each in system["effects"]["effects"]] == [f"x{number}" for number in range(8)]
    assert system["effects"]["threshold"] is None


def test_the_benzenes_are_learned_first_and_then_molecules_above_the_threshold_are_found(bench: Workbench) -> None:
    summary = json.loads((bench.runs / "substituted_benzenes" / "summary.json").read_text())
    after = {row["name"]: row["value"] for row in summary["after"]["declared"]}
    random = {row["name"]: row["value"] for row in summary["random"]["declared"]}
    assert after["half_width"] < 0.6 * next(
        row["value"] for row in summary["before"]["declared"] if row["name"] == "half_width"
    )
    assert after["hits"] > 1.5 * random["hits"]
    phases = [each["details"]["phase"] for each in decided(bench.runs / "substituted_benzenes")]
    assert phases[0] == 0.0
    assert sorted(phases) == phases
    assert {1.0, 2.0} <= set(phases)


@pytest.mark.parametrize("name", SCENARIOS)
def test_verify_why_and_report_know_such_a_campaign(bench: Workbench, name: str) -> None:
    assert bench.entropilot("verify", name).code == 0
    why = bench.entropilot("why", name, "2")
    assert (why.code, "half-width" in why.out, "the same decision comes out today" in why.out) == (0, True, True), why
    report = bench.entropilot("report", name)
    assert (report.code, "effects" in report.out, "truth" in report.out) == (0, True, True), report


def test_a_log_that_is_trusted_misleads_and_one_that_is_not_does_not(bench: Workbench) -> None:
    """The demonstration of docs/explanation/causal.md, by the root mean square error of the eleven effects."""
    errors = {}
    for campaign, trust in (("learned", "false"), ("trusted", "true")):
        options = ("--set", "pool.log.path=benzenes_log.csv", "--set", f"campaign.policy_options.trust_log={trust}")
        command = ("run", "substituted_benzenes", "--quiet", "--campaign", campaign, "--budget", "25")
        ended = bench.entropilot(*command, *options)
        assert ended.code == 0, ended
        rows = effects(bench.runs / campaign)
        errors[campaign] = sum((float(row["mean"]) - float(row["truth"])) ** 2 for row in rows) / len(rows)
    assert errors["trusted"] > 4 * errors["learned"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("oracle_table", "--policy", "causal"), ("needs a pool whose candidates are made by designs",)),
        (("substituted_benzenes", "--set", "campaign.policy_options.estimate=mu"), ("mu_mmff",)),
        (("substituted_benzenes", "--set", "campaign.policy_options.threshold=high"), ("threshold",)),
        (("substituted_benzenes", "--set", 'pool.columns.queried="z"'), ("none of the factors",)),
        (("substituted_benzenes", "--set", 'pool.columns.reference="Br"'), ("no level of 'x'",)),
        (("synthetic_scm", "--set", "pool.structural_model.passive_rows=5"), ("more rows than variables",)),
        (("synthetic_scm", "--set", 'pool.structural_model.target="z"'), ("none of the variables",)),
    ],
)
def test_what_cannot_be_is_told(bench: Workbench, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    campaign = f"wrong-{len(list(bench.runs.iterdir()))}"
    ended = bench.entropilot("run", *arguments, "--campaign", campaign, "--quiet", "--budget", "5")
    assert ended.code not in {0, 70}, ended
    for each in words:
        assert each in ended.err, ended
