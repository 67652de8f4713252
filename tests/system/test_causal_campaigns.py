"""Causal campaigns of the library: they find what they are after, survive kills, and say what they believe."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
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


@pytest.mark.parametrize("name", ["substituted_benzenes", "synthetic_scm"])
def test_the_error_against_the_truth_is_told_after_every_observation_and_beside_random(
    bench: Workbench, name: str
) -> None:
    with (bench.runs / name / "trajectory.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    (error,) = (column for column in rows[0] if column.startswith("error_against_truth"))
    assert all(float(row[error]) > 0.0 and 0.0 <= float(row["intervals_holding_truth"]) <= 1.0 for row in rows)
    last = effects(bench.runs / name)
    off = [float(row["mean"]) - float(row["truth"]) for row in last]
    assert float(rows[-1][error]) == pytest.approx((sum(x * x for x in off) / len(off)) ** 0.5, rel=1e-12)
    told = json.loads((bench.runs / name / "summary.json").read_text())["against_truth"]
    assert told["after"]["error"] == float(rows[-1][error]) < told["before"]["error"]
    assert told["random"]["error"] > 0.0
    report = bench.entropilot("report", name)
    assert ("error against truth" in report.out, "which no policy sees" in report.out) == (True, True), report


@pytest.mark.parametrize("name", ["substituted_benzenes", "synthetic_scm"])
def test_no_policy_no_broker_and_no_journal_sees_the_error(bench: Workbench, name: str) -> None:
    folder = bench.runs / name
    with closing(sqlite3.connect(folder / "campaign.db")) as database:
        dump = "\n".join(database.iterdump())
    _, *messages = (folder / "recording.jsonl").read_text().splitlines()  # the first line is the scenario
    for text in (dump, "\n".join(messages), (folder / "agent.jsonl").read_text()):
        assert "against_truth" not in text
        assert "holding_truth" not in text


def declared_changed(folder: Path) -> None:
    """Flip the last bit of the first digit of a half-width in the database."""
    with closing(sqlite3.connect(folder / "campaign.db")) as database:
        (text,) = database.execute("SELECT declared FROM bias_point WHERE observation = 7").fetchone()
        told = json.loads(text)
        digits = repr(told["half_width"])
        place = next(at for at, digit in enumerate(digits) if digit in "123456789")
        told["half_width"] = float(digits[:place] + chr(ord(digits[place]) ^ 1) + digits[place + 1 :])
        query = "UPDATE bias_point SET declared = ? WHERE observation = 7"
        database.execute(query, (json.dumps(told),))
        database.commit()


def cell_changed(column: str) -> Callable[[Path], None]:
    """Change a figure of one observation in `trajectory.csv`."""

    def change(folder: Path) -> None:
        with (folder / "trajectory.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        at = next(place for place, name in enumerate(rows[0]) if name.startswith(column))
        rows[9][at] = repr(float(rows[9][at]) * 1.001)
        with (folder / "trajectory.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (declared_changed, ("bias_point", "observation = 7", "declared")),
        (cell_changed("half_width"), ("trajectory.csv", "observation 8", "half_width")),
        (cell_changed("error_against_truth"), ("trajectory.csv", "observation 8", "error against the truth")),
    ],
    ids=["declared in the database", "declared in the file", "the error in the file"],
)
def test_verify_computes_declared_metrics_again_and_finds_what_was_changed(
    bench: Workbench, spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    spoilt = bench.runs / f"spoilt-{len(list(bench.runs.iterdir()))}"
    shutil.copytree(bench.runs / "substituted_benzenes", spoilt)
    spoil(spoilt)
    ended = bench.entropilot("verify", spoilt.name, "--json")
    (problem,) = (part for part in json.loads(ended.out)["parts"] if part["problem"])
    assert ended.code == 5, ended
    for word in words:
        assert word in f"{problem['name']}: {problem['problem']}"


def test_verify_says_so_where_another_pool_keeps_it_from_computing_them(bench: Workbench) -> None:
    """The recording names a scenario of another pool, which whoever shares a folder may come to have."""
    other = bench.runs / f"other-pool-{len(list(bench.runs.iterdir()))}"
    shutil.copytree(bench.runs / "substituted_benzenes", other)
    text = (other / "recording.jsonl").read_text()
    text = text.replace('"factors": ["x", "y", "position"]', '"factors": ["x", "y"]', 1)
    (other / "recording.jsonl").write_text(text)
    (part,) = (
        part
        for part in json.loads(bench.entropilot("verify", other.name, "--json").out)["parts"]
        if part["name"] == "bias_point"
    )
    assert part["problem"] == ""
    assert part["note"].startswith("what the policy declares was not computed again: ")


def test_diff_tells_declared_metrics_in_words_and_draws_them(bench: Workbench) -> None:
    ended = bench.entropilot(
        "run", "substituted_benzenes", "--quiet", "--campaign", "another", "--seed", "5", "--budget", "15"
    )
    assert ended.code == 0, ended
    for one, other in (("substituted_benzenes", "another"), ("another", "runs/substituted_benzenes/recording.jsonl")):
        found = bench.entropilot("diff", one, other, "--json", "--out", "diff.png")
        metrics = json.loads(found.out)["metrics"]
        assert set(metrics) == {"half_width", "widest", "hits"}
        assert all(isinstance(value, float) for values in metrics.values() for value in values)
        assert (bench.folder / "diff.png").read_bytes().startswith(b"\x89PNG")
    told = bench.entropilot("diff", "substituted_benzenes", "another").out
    assert "half-width" in told
    assert " D in one" in told


def test_compare_leads_with_what_the_policy_is_after_and_tells_the_error_of_all_by_the_same_estimator(
    bench: Workbench,
) -> None:
    command = ("compare", "substituted_benzenes", "--policies", "causal,random", "--seeds", "2", "--budget", "12")
    ended = bench.entropilot(*command, "--out", "compared")
    assert ended.code == 0, ended
    unwrapped = " ".join(ended.out.split())
    assert "All are judged by the metrics of causal" in unwrapped
    assert "mean gap" not in unwrapped
    document = json.loads((bench.folder / "compared" / "comparison.json").read_text())
    for of_policy in document["against_truth"].values():
        assert list(of_policy) == [
            f"{name}{at}"
            for name in ("error_against_truth", "intervals_holding_truth")
            for at in ("_at_4", "_at_8", "")
        ]
        assert all(value > 0.0 for value in of_policy["error_against_truth"])
    measures = list(dict.fromkeys(test["measure"] for test in document["tests"]))
    assert measures[:4] == ["half_width", "widest", "hits", "error_against_truth_at_4"]
    with (bench.folder / "compared" / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 13
    assert all(float(row["error_against_truth"]) > 0.0 for row in rows)


def test_the_benzenes_are_learned_first_and_then_molecules_above_the_threshold_are_found(bench: Workbench) -> None:
    """With the budget of the scenario: 40 values go to the effects nearly whole."""
    ended = bench.entropilot("run", "substituted_benzenes", "--quiet", "--campaign", "found")
    assert ended.code == 0, ended
    summary = json.loads((bench.runs / "found" / "summary.json").read_text())
    after = {row["name"]: row["value"] for row in summary["after"]["declared"]}
    random = {row["name"]: row["value"] for row in summary["random"]["declared"]}
    assert after["half_width"] < 0.6 * next(
        row["value"] for row in summary["before"]["declared"] if row["name"] == "half_width"
    )
    assert after["hits"] > 1.5 * random["hits"]
    phases = [each["details"]["phase"] for each in decided(bench.runs / "found")]
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
