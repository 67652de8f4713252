"""Stop rules as a user asks for them: one word turns one on, and one that can never fire is told with its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

RULE = ("--set", "campaign.stop.when_no_gain=stop", "--set", "campaign.stop.gain_nat=5")
AT_ONCE = (*RULE, "--set", "campaign.stop.patience=4", "--set", "campaign.stop.tolerance_nat=0")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def test_a_rule_ends_a_run_and_the_summary_the_report_the_log_and_verify_know_it(bench: Workbench) -> None:
    ended = bench.entropilot("run", "lab.toml", "--campaign", "short", "--policy", "random", *AT_ONCE)
    assert ended.code == 0, ended.err
    summary = json.loads((bench.runs / "short/summary.json").read_text())
    assert summary["stopped_because"].startswith("the stop rule when_no_gain: the mean gap is")
    assert summary["accepted_here"] < summary["budget"]
    best = summary["best"]["mean_gap"]
    assert best["regret"] == pytest.approx(summary["after"]["mean_gap"] - best["value"])
    reported = bench.entropilot("report", "short")
    words = " ".join(reported.out.split())
    assert "stopped because the stop rule when_no_gain" in words
    assert f"mean gap {best['value']:.3f} nat at observation {best['observation']}," in words
    log = [json.loads(line) for line in (bench.runs / "short/agent.jsonl").read_text().splitlines()]
    assert [line["rule"] for line in log if line["event"] == "stop_rule_fired"] == ["when_no_gain"]
    assert any(line["event"] == "gap_stalled" and line["level"] == "warning" for line in log)
    assert bench.entropilot("verify", "short").code == 0
    assert bench.entropilot("replay", "short").code == 0
    number = summary["accepted_here"]
    refused = bench.entropilot("why", "short", str(number), "--no-figure")
    assert f"Decision {number} was never made: the stop rule when_no_gain" in " ".join(refused.err.split())


def test_a_rule_that_can_never_fire_is_told_and_the_budget_is_spent(bench: Workbench) -> None:
    ended = bench.entropilot("run", "lab.toml", "--campaign", "vain", "--policy", "random", "--budget", "6", *RULE)
    assert ended.code == 0, ended.err
    told = " ".join(ended.err.split())
    assert "note: campaign.stop.when_no_gain can never fire: it waits for 40 acquisitions without a gain" in told
    assert json.loads((bench.runs / "vain/summary.json").read_text())["stopped_because"] == "the budget is spent"
    assert "stop_rule_never_fires" in (bench.runs / "vain/agent.jsonl").read_text()


def test_one_family_is_named_as_the_cause_and_the_campaign_goes_on(bench: Workbench) -> None:
    table = bench.folder / "table.csv"
    table.write_text(table.read_text().replace("hexagonal", "cubic").replace("trigonal", "cubic"))
    ended = bench.entropilot(
        "run", "lab.toml", "--campaign", "alone", "--policy", "random", "--set", "campaign.stop.when_even=stop"
    )
    assert ended.code == 0, ended.err
    told = " ".join(ended.err.split())
    assert "note: campaign.stop.when_even can never fire: the pool has 1 family, and a mean gap needs two" in told
    summary = json.loads((bench.runs / "alone/summary.json").read_text())
    assert summary["stopped_because"] == "the budget is spent"
    assert "mean_gap" not in summary["best"]
    assert summary["after"]["joint_entropy"] == summary["after"]["families"][0]["entropy"]


def test_a_comparison_tells_a_rule_in_vain_and_shows_the_best_beside_the_last(bench: Workbench) -> None:
    compared = bench.entropilot(
        "compare", "lab.toml", "--policies", "random,round_robin", "--seeds", "2", "--budget", "6", *RULE
    )
    assert compared.code == 0, compared.err
    told = " ".join(compared.out.split())
    assert "campaign.stop.when_no_gain can never fire" in told
    assert "mean gap since its best" in told


def test_a_word_that_is_none_is_refused_with_the_nearest(bench: Workbench) -> None:
    refused = bench.entropilot("run", "lab.toml", "--set", "campaign.stop.when_even=stopp")
    assert refused.code != 0
    assert "expected: one of 'off', 'stop' or 'coverage'" in refused.err
    assert "did you mean 'stop'?" in refused.err
