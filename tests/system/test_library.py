"""The scenarios of the library end as they say, and decide the same again whatever went wrong at what time."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.settings.library import LIBRARY
from simulators.faults import Fault
from simulators.instrument.noise import Noise, NoiseSettings
from tests.support import sample_messages as messages
from tests.support.commands import Workbench
from tests.support.sample_messages import ENERGY

pytestmark = pytest.mark.system

PROPERTY = "formation_energy_per_atom"
NOISE = Noise(NoiseSettings(standard_deviation=0.002, per="candidate"), "any of them")
"""As in the scenarios."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def run(bench: Workbench, scenario: str, campaign: str, *flags: str) -> None:
    ended = bench.entropilot("run", scenario, "--quiet", "--campaign", campaign, *flags)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def decisions(bench: Workbench, campaign: str) -> list[str]:
    query = "SELECT json_extract(payload, '$.candidate_ids') FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
    return [ids for (ids,) in bench.rows(query, campaign)]


def kinds(bench: Workbench, campaign: str) -> Counter[str]:
    return Counter(kind for (kind,) in bench.rows("SELECT kind FROM journal", campaign))


def accepted(bench: Workbench, campaign: str) -> dict[str, float]:
    query = "SELECT json_extract(payload, '$.candidate_id'), json_extract(payload, '$.value') FROM journal"
    return dict(bench.rows(f"{query} WHERE kind = 'ResultAccepted'", campaign))


def measured(candidate_ids: set[str]) -> dict[str, float]:
    """What a perfect instrument with the scenarios' noise tells of candidates."""
    with (LIBRARY / "emt_sample.csv").open(newline="", encoding="utf-8") as file:
        true = {row["id"]: float(row[PROPERTY]) for row in csv.DictReader(file)}
    quantity = ENERGY.model_copy(update={"name": PROPERTY})
    asked = {each: messages.request("a-1", candidate_id=each) for each in candidate_ids}
    return {each: true[each] + NOISE.of(quantity, asked[each]).error for each in candidate_ids}


WELL = {
    "four_instruments": ("furnace.faults.failure_rate", "old_probe.faults.silent_rate", "synchrotron.latency.mean_s"),
    "late_and_contradictory": tuple(f"faults.{fault.value}_rate" for fault in Fault),
}
"""What must be zero for a lab without trouble."""


@pytest.mark.parametrize("scenario", WELL)
def test_a_faulty_lab_costs_attempts_and_neither_a_decision_nor_a_value(scenario: str, bench: Workbench) -> None:
    below = "simulators" if scenario == "four_instruments" else "simulator"
    well = [flag for key in WELL[scenario] for flag in ("--set", f"{below}.{key}=0.0")]
    for campaign, flags in (("first", []), ("again", []), ("well", well)):
        run(bench, scenario, campaign, "--budget", "16", *flags)
    assert decisions(bench, "first") == decisions(bench, "again") == decisions(bench, "well")
    assert len(decisions(bench, "first")) == 16
    values = accepted(bench, "first")
    assert values == accepted(bench, "again") == pytest.approx(measured(set(values)), abs=1e-12)
    summary = bench.summary("first")
    assert (summary["spent"], summary["abandoned"]) == (16, 0)
    assert summary["retries"] > 0


def test_late_and_contradictory_meets_everything_that_it_names(bench: Workbench) -> None:
    run(bench, "late_and_contradictory", "all")
    met = Counter(
        line["fault"]
        for line in map(json.loads, (bench.runs / "all" / "simulator.jsonl").read_text().splitlines())
        if line["event"] == "fault"
    )
    assert set(met) == {"late", "duplicate", "contradiction", "wrong_unit", "out_of_range", "garbage"}
    happened = kinds(bench, "all")
    assert happened["ResultAccepted"] == 60
    assert happened["RequestExpired"] > 0  # as many as were late, unless the machine stood still
    assert 0 < happened["AttemptFailed"] <= met["wrong_unit"] + met["out_of_range"]
    assert 0 < bench.summary("all")["quarantined"] <= met["garbage"]
    assert bench.entropilot("verify", "all").code == 0


def test_four_instruments_share_the_work_and_each_has_a_memory_and_a_log_of_its_own(bench: Workbench) -> None:
    run(bench, "four_instruments", "four", "--budget", "32", "--set", 'campaign.ordering="as_completed"')
    query = "SELECT json_extract(payload, '$.simulator') FROM journal WHERE kind = 'ResultAccepted'"
    shares = Counter(name for (name,) in bench.rows(query, "four"))
    names = {"xrd", "furnace", "synchrotron", "old_probe"}
    assert set(shares) == names
    files = {path.name for path in (bench.runs / "four").iterdir()}
    assert files > {f"{name}.{ending}" for name in names for ending in ("db", "jsonl")}
    assert "simulator.jsonl" not in files


def test_operator_intervenes_once_also_when_the_run_is_killed_during_the_pause(bench: Workbench) -> None:
    operator_actions = Counter(CampaignPaused=1, CampaignResumed=1, CandidateExcluded=1, ObservationAdded=1)
    killed = bench.start("run", "operator_intervenes", "--quiet", "--campaign", "killed", "--budget", "20")
    bench.wait_for_events("CandidateExcluded", 1, "killed")
    killed.kill()
    assert bench.count("CampaignResumed", "killed") == 0
    run(bench, "operator_intervenes", "killed", "--budget", "20", "--resume")
    run(bench, "operator_intervenes", "whole", "--budget", "20")
    for campaign in ("killed", "whole"):
        happened = kinds(bench, campaign)
        assert {kind: happened[kind] for kind in operator_actions} == dict(operator_actions)
        assert (happened["ResultAccepted"], happened["ControlNoted"]) == (20, 0)
        assert bench.summary(campaign)["excluded"] == 1
    assert decisions(bench, "killed") == decisions(bench, "whole")


def test_pool_runs_dry_ends_by_itself_with_everything_observed(bench: Workbench) -> None:
    run(bench, "pool_runs_dry", "dry")
    summary = bench.summary("dry")
    assert (summary["stopped_because"], summary["observations"]) == ("no candidate is left", 420)
    assert summary["spent"] == 70


def test_neither_crashes_nor_a_flaky_network_change_a_decision(bench: Workbench) -> None:
    run(bench, "three_crashes", "calm", "--budget", "20", "--set", "crashes.at=[]")
    killed = bench.entropilot("run", "three_crashes", "--quiet", "--budget", "20", "--set", "crashes.at=[4,9,10]")
    assert (killed.code, killed.err.count("resuming it")) == (0, 3)
    run(bench, "flaky_network", "flaky", "--budget", "20", "--set", "network.cut_every_s=1.2")
    assert "network_cut" in (bench.runs / "flaky" / "network.jsonl").read_text(encoding="utf-8")
    assert decisions(bench, "three_crashes") == decisions(bench, "flaky") == decisions(bench, "calm")
    assert len(decisions(bench, "calm")) == 20
