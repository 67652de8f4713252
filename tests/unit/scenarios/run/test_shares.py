"""What drives a property, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted, StartSetLoaded
from agent.metrics import Share
from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.settings.user_code import INSTALLED
from scenarios.run.shares import in_words, shares_of
from tests.support.campaigns import small_plan
from tests.support.samples.closures import made_up_bed

KINDS = (Share("a and b", 0.56, 0.5, 0.61, 0.73), Share("prototype", 0.24, 0.2, 0.3, 0.36))
INTERPLAY = Share("interplay", 0.2, 0.15, 0.25, 0.2)
TRUTH = {"a and b": 0.55, "prototype": 0.251, "interplay": 0.199}


def test_a_property_hangs_on_a_kind_when_its_interval_lies_above_all_others() -> None:
    told = in_words((*KINDS, INTERPLAY), "energy", TRUTH)
    assert told == (
        "over all designs, energy hangs more on a and b than on prototype",
        "a and b: 56 % of the variance (50 to 61, truth 55), takes part in 73 %",
        "prototype: 24 % of the variance (20 to 30, truth 25), takes part in 36 %",
        "interplay: 20 % of the variance (15 to 25, truth 20)",
    )


def test_intervals_that_overlap_leave_it_open_and_nobody_s_truth_is_not_told() -> None:
    near = replace(KINDS[1], own=0.5, low=0.4, high=0.6)
    told = in_words((KINDS[0], near, INTERPLAY), "energy", {})
    assert told[0] == "over all designs, energy seems to hang more on a and b than on prototype"
    assert not any("truth" in line for line in told)


def test_a_closure_of_one_kind_has_nothing_to_hold_it_against() -> None:
    assert in_words((KINDS[0], INTERPLAY), "energy", {})[0] == "over all designs, energy hangs on a and b"


def test_without_shares_nothing_is_said() -> None:
    assert in_words((), "energy", {}) == ()


@pytest.mark.parametrize(("policy", "lines"), [("causal", 4), ("random", 0)])
def test_a_campaign_of_a_policy_that_knows_shares_tells_them(policy: str, lines: int) -> None:
    pool = made_up_pool()
    plan = small_plan(pool, policy=policy)
    plan = plan.model_copy(update={"metrics": declared_metrics(policy, {}, "", pool_arrays(pool))})
    ids = pool.candidate_ids[:20]
    start = StartSetLoaded(ids, tuple(float(number % 7) for number in range(20)), ((),) * 20)
    told = shares_of([CampaignStarted(plan), start], plan, pool, {}, INSTALLED)
    assert len(told) == lines


def made_up_pool() -> Pool:
    bed = made_up_bed()
    candidates = [Candidate(each, "all") for each in bed.pool.candidate_ids]
    return replace(make_pool(candidates, bed.pool.features, ("guess", "noise")), designs=bed.pool.designs)
