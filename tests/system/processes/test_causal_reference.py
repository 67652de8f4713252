"""The policy with its subsets is the published selection; scikit-learn asks another process for the number of cores."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from agent.acquisition.causal.causal_reference import CausalReference
from agent.acquisition.registry import make_meter
from agent.causal.reference.schedule import ARMS, Arm
from agent.causal.reference.selection import Universe, select
from agent.causal.reference.subsets import chemical_subsets
from protocols.errors import SettingsError
from tests.support.commands import Workbench
from tests.support.samples.causal import named
from tests.support.samples.told import context_of, play, told_bed

pytestmark = pytest.mark.system

BED = told_bed()


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("arm", ARMS)
def test_it_asks_for_and_keeps_what_the_published_selection_does(arm: Arm, seed: int) -> None:
    universe = Universe.of(named(BED.rows), chemical_subsets(BED.pool.features[:, 3:]))
    chosen = select(universe, arm, seed=seed, rounds=4, batch=8)
    options = BED.options(arm=arm, rounds=4)
    asked = play(BED, CausalReference(**options), seed=seed)
    assert asked == list(dict.fromkeys(chosen.looked_at.tolist()))
    meter = make_meter("causal_reference", options, BED.pool, ("x3",), seed=seed)
    losses = []
    for row in asked:
        meter.add(row, float(BED.truth[row]))
        losses.append(meter.values()[0])
    assert list(dict.fromkeys(loss for loss in losses if loss is not None)) == list(chosen.losses)


def test_a_round_is_of_all_kinds_of_candidates() -> None:
    asked = play(BED, CausalReference(**BED.options(rounds=1)))
    kinds = np.rint(BED.pool.features[asked[1:], 3] / 20.0)
    assert set(kinds.tolist()) == {0.0, 1.0, 2.0}


def test_a_feature_of_the_subsets_that_the_pool_does_not_have_is_told_with_those_it_has() -> None:
    policy = CausalReference(**BED.options(subset_features=["kinds"]))
    with pytest.raises(SettingsError, match=r"no feature 'kinds'.*did you mean 'kind'"):
        policy.propose(context_of(BED, []), 1)


def test_subsets_smaller_than_a_batch_are_refused_with_their_size() -> None:
    with pytest.raises(SettingsError, match="A batch has 41 rows, the smallest subset 40"):
        CausalReference(**BED.options(batch=41)).propose(context_of(BED, []), 1)


NAME = "as_published"

RUN = (
    *("run", "substituted_benzenes", "--quiet", "--settings", "told.toml", "--set", "campaign.policy_options.rounds=2"),
    *("--set", "campaign.policy_options.batch=12", "--set", "simulator.latency.mean_s=0.03"),
    *("--set", 'campaign.policy_options.subset_features=["mu_mmff", "mu_gast"]'),
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with the global graph of the benzenes, and a campaign that was told it."""
    with Workbench(tmp_path_factory.mktemp("told")) as opened:
        ended = opened.entropilot("global-graph", "substituted_benzenes", "--out", "told.toml")
        assert (ended.code, "variables of 210 rows" in ended.out) == (0, True), ended
        ended = opened.entropilot(*RUN, "--campaign", NAME)
        assert ended.code == 0, ended
        yield opened


def decided(bench: Workbench, campaign: str) -> list[list[str]]:
    """The candidates of every decision."""
    query = "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
    return [json.loads(row[0])["candidate_ids"] for row in bench.rows(query, campaign)]


def test_the_summary_of_a_run_says_what_was_told_and_what_it_cost(bench: Workbench) -> None:
    summary = bench.summary(NAME)
    assert "told the answer: every choice compares with the graph of all rows" in summary["account"]
    assert "25 rows kept" in summary["account"]
    assert "all that 2 rounds draw is asked for" in summary["stopped_because"]
    declared = {row["name"]: row["value"] for row in summary["after"]["declared"]}
    assert declared["rows_kept"] == 25.0
    assert f"{declared['graph_loss']:.3f}" in summary["account"]
    report = bench.entropilot("report", NAME)
    assert (report.code, "told the answer" in " ".join(report.out.split())) == (0, True), report


def test_a_killed_campaign_asks_for_the_same_as_one_that_was_left_in_peace(bench: Workbench) -> None:
    part = bench.start(*RUN, "--campaign", "again")
    bench.wait_for_events("ResultAccepted", 20, "again")
    part.kill()
    part.finish()
    ended = bench.entropilot(*RUN, "--campaign", "again", "--resume")
    assert ended.code == 0, ended
    assert decided(bench, "again") == decided(bench, NAME)
    assert bench.summary("again")["account"] == bench.summary(NAME)["account"]


def test_replay_verify_why_and_compare_know_such_a_campaign(bench: Workbench) -> None:
    assert bench.entropilot("replay", NAME).code == 0
    assert bench.entropilot("verify", NAME).code == 0
    why = bench.entropilot("why", NAME, "3")
    assert (why.code, "the same decision comes out today" in " ".join(why.out.split())) == (0, True), why
    ended = bench.entropilot(
        "compare", *RUN[1:], "--policies", "causal_reference,random", "--seeds", "2", "--budget", "60"
    )
    assert ended.code == 0, ended


def test_who_names_the_policy_without_a_graph_is_told_how_to_make_one(bench: Workbench) -> None:
    ended = bench.entropilot("run", "substituted_benzenes", "--policy", "causal_reference", "--campaign", "untold")
    assert ended.code == 2, ended
    assert "entropilot global-graph" in " ".join(ended.err.split())
    assert not (bench.runs / "untold").exists()
