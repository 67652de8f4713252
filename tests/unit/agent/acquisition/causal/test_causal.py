"""Causal on a closure of designs: random start, effects first, then action; the same in every process."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.causal.asked_designs import PHASES
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.meters import DesignMeter
from agent.acquisition.registry import make_policy
from agent.causal.designs.effects import effect_queries
from protocols.errors import SettingsError
from tests.support.samples.closures import context_of, made_up_bed, play

BED = made_up_bed()


def causal(**options: object) -> Causal:
    return Causal(**({"estimate": "guess", "width": 0.5, "threshold": 5.0} | options))  # type: ignore[arg-type]


def test_it_begins_with_random_designs_then_learns_effects_then_acts() -> None:
    policy = causal()
    acquired: list[int] = []
    phases: list[float] = []
    for _ in range(45):
        proposal = policy.propose(context_of(BED, acquired), 1)
        phases.append(proposal.details["phase"])
        acquired.append(proposal.choices[0].index)
    assert phases == sorted(phases)
    assert phases[:10] == [PHASES["start"]] * 10
    assert {PHASES["effects"], PHASES["act"]} <= set(phases)
    assert len(set(acquired)) == 45


def test_what_it_believes_in_the_end_is_near_the_truth() -> None:
    policy = causal(width=0.0)
    acquired = play(BED, policy, 40)
    belief = policy.belief(context_of(BED, acquired))
    assert BED.pool.designs is not None
    queries, _ = effect_queries(BED.pool.designs, len(BED.truth))
    off = belief.query_means - queries @ BED.truth
    assert np.abs(off).max() < 0.5
    assert (np.abs(off) <= belief.half_widths).mean() >= 0.6


@pytest.mark.parametrize("labels", [0, 7, 12, 23, 38])
def test_a_campaign_that_is_taken_up_anywhere_decides_to_the_bit_as_one_that_was_not_interrupted(labels: int) -> None:
    acquired = play(BED, causal(), 40, batch=3)[:labels]
    context = context_of(BED, acquired, decision=5)
    lived = causal()
    for before in range(0, labels, 3):
        lived.propose(context_of(BED, acquired[:before]), 1)
    assert lived.propose(context, 3) == causal().propose(context, 3)


def test_a_batch_is_its_choices_one_by_one_in_flight() -> None:
    acquired = play(BED, causal(), 15)
    at_once = [choice.index for choice in causal().propose(context_of(BED, acquired), 4).choices]
    one_by_one: list[int] = []
    for _ in range(4):
        proposal = causal().propose(context_of(BED, acquired, one_by_one), 1)
        one_by_one.append(proposal.choices[0].index)
    assert one_by_one == at_once


def test_groups_by_other_names_are_chosen_alike() -> None:
    renamed = made_up_bed(rename={"-": "Z", "k": "A", "q": "M"})
    assert play(BED, causal(), 25) == play(renamed, causal(), 25)


def test_it_ends_when_effects_are_known_where_nothing_is_sought() -> None:
    policy = causal(threshold=None, width=0.6)
    acquired = play(BED, policy, len(BED.truth))
    assert 10 < len(acquired) < len(BED.truth)
    proposal = policy.propose(context_of(BED, acquired), 1)
    assert proposal.choices == ()
    assert "0.6 was asked for" in proposal.reason


def test_a_threshold_that_nothing_reaches_is_told_and_the_campaign_goes_on() -> None:
    acquired = play(BED, causal(width=5.0), 20)
    proposal = causal(width=5.0, threshold=1e3).propose(context_of(BED, acquired), 1)
    assert len(proposal.choices) == 1
    assert "nothing is likely to exceed 1000" in proposal.reason


def test_an_empty_admissible_set_ends_the_campaign() -> None:
    context = replace(context_of(BED, list(range(5))), available=np.array([], dtype=np.int64))
    assert causal().propose(context, 1).choices == ()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"width": -1.0}, "width"),
        ({"threshold": float("nan")}, "threshold"),
        ({"then": "wait"}, "then"),
        ({"then": "act", "threshold": None}, "no threshold to act on"),
        ({"start": -1}, "start"),
        ({"model": "vector"}, "vectors"),
        ({"trust_log": 1}, "trust_log"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options: dict[str, object], found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        make_policy("causal", {"estimate": "guess"} | options)


def test_an_estimate_that_the_pool_does_not_have_is_told_with_those_that_it_has() -> None:
    with pytest.raises(SettingsError, match="guess"):
        causal(estimate="gues").propose(context_of(BED, list(range(12))), 1)


def test_a_pool_without_designs_is_told() -> None:
    bed = replace(BED, pool=replace(BED.pool, designs=None))
    with pytest.raises(SettingsError, match="needs a pool whose candidates are made by designs"):
        causal().propose(context_of(bed), 1)


def test_its_meter_believes_what_the_policy_believes_of_the_same_values() -> None:
    policy = causal()
    acquired = play(BED, policy, 20)
    meter = policy.meter(BED.pool, ("property",))
    assert isinstance(meter, DesignMeter)
    for index in acquired:
        meter.add(index, float(BED.truth[index]))
    belief = policy.belief(context_of(BED, acquired))
    assert [effect.mean for effect in meter.effects()] == pytest.approx(belief.query_means)
    half_width, _, hits = meter.values()
    assert half_width == pytest.approx(belief.mean_half_width)
    assert hits == sum(BED.truth[acquired] > 5.0)
