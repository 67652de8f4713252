"""The policy causal: random designs, then what tells most of the effects, then what most likely exceeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.causal.asked_designs import PHASES, BelievedDesigns
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.meters import DesignMeter
from agent.causal.query_gain import query_gain
from agent.pool.earlier_log import EarlierLog
from tests.support.samples.closures import benzenes, context_of, made_up_bed, play

BED = made_up_bed()
WIDE, NARROW = 0.0, 100.0
"""Widths that are never reached, and at once."""


def policy(**options: object) -> Causal:
    return Causal(**{"estimate": "guess", "threshold": 4.0, "width": WIDE, **options})  # type: ignore[arg-type]


def test_the_first_designs_are_random_and_the_reason_says_so() -> None:
    acquired: list[int] = []
    for number in range(1, 11):
        proposal = policy(start=10).propose(context_of(BED, acquired), 1)
        assert proposal.details == {"phase": PHASES["start"]}
        assert proposal.reason == f"a design drawn at random, number {number} of 10 to start from"
        acquired.append(proposal.choices[0].index)
    assert len(set(acquired)) == 10
    assert policy(start=10).propose(context_of(BED, acquired), 1).details["phase"] == PHASES["effects"]


@pytest.mark.parametrize(("options", "random"), [({"model": "vectors"}, 1), ({"model": "features"}, 10)])
def test_by_default_one_design_is_random_where_an_estimate_tells_the_scale_and_else_ten(
    options: dict[str, object], random: int
) -> None:
    first = policy(**options).propose(context_of(BED), 12)
    assert first.details == {"phase": PHASES["start"]}
    assert [choice.score is None for choice in first.choices] == [True] * random + [False] * (12 - random)


def test_candidates_of_several_designs_are_drawn_as_many_times() -> None:
    designs = BED.pool.designs
    assert designs is not None
    ways = np.bincount(designs.candidate)
    asked = policy()  # one for all: it makes its model of the pool once
    drawn = [asked.propose(context_of(BED, campaign_seed=seed), 1).choices[0].index for seed in range(1_500)]
    often = np.bincount(drawn, minlength=len(ways)) / 1_500
    expected = ways / ways.sum()
    assert (np.abs(often - expected) < 5.0 * np.sqrt(expected / 1_500)).all()


def test_requests_in_flight_count_as_begun() -> None:
    acquired = play(BED, policy(start=10), 6)
    in_flight = [index for index in range(len(BED.truth)) if index not in acquired][:4]
    proposal = policy(start=10).propose(context_of(BED, acquired, in_flight), 1)
    assert proposal.details["phase"] == PHASES["effects"]


def test_it_asks_for_what_lowers_the_summed_variance_of_the_effects_most() -> None:
    acquired = play(BED, policy(), 14)
    context = context_of(BED, acquired)
    proposal = policy().propose(context, 1)
    gains = query_gain(BelievedDesigns("test", estimate="guess").known(context).cautious)
    best = context.available[np.argmax(gains[context.available])]
    assert proposal.choices[0].index == best
    assert proposal.choices[0].score == pytest.approx(gains[best])
    left = context.available[context.available != best]
    assert proposal.runner_up is not None
    assert proposal.runner_up.index == left[np.argmax(gains[left])]


def test_the_reason_names_the_effect_that_is_known_least() -> None:
    context = context_of(BED, play(BED, policy(), 12))
    belief = policy().belief(context)
    least = belief.query_names[int(np.argmax(belief.half_widths))]
    proposal = policy().propose(context, 1)
    assert f"that of {least} least (±{belief.half_widths.max():.3g})" in proposal.reason
    assert proposal.details["mean_half_width"] == pytest.approx(belief.mean_half_width)
    assert proposal.details["expected_half_width"] < proposal.details["mean_half_width"]
    assert {"predicted_mean", "predicted_std", "noise_std"} <= set(proposal.details)


def test_what_is_in_flight_counts_as_measured() -> None:
    """A batch is what one after the other asks for, each with those before it in flight."""
    acquired = play(BED, policy(), 15)
    batch = [choice.index for choice in policy().propose(context_of(BED, acquired), 4).choices]
    singly: list[int] = []
    for _ in range(4):
        singly.append(policy().propose(context_of(BED, acquired, singly), 1).choices[0].index)
    assert batch == singly


def test_once_the_effects_are_known_it_acts() -> None:
    acquired = play(BED, policy(start=10), 15)
    context = context_of(BED, acquired)
    proposal = policy(width=NARROW).propose(context, 1)
    mean, std = policy().belief(context).predict()
    likely = (mean - 4.0) / std
    assert proposal.details["phase"] == PHASES["act"]
    assert proposal.reason.startswith("most likely above 4: 0.")
    chosen, best = proposal.choices[0].index, context.available[np.argmax(likely[context.available])]
    assert proposal.details["probability"] == proposal.choices[0].score
    assert likely[chosen] > likely[best] - 1.0


def test_a_batch_may_turn_from_effects_to_action_on_its_way() -> None:
    acquired = play(BED, policy(), 15)
    first = policy().propose(context_of(BED, acquired), 1)
    between = 0.5 * (first.details["mean_half_width"] + first.details["expected_half_width"])
    batch = policy(width=between).propose(context_of(BED, acquired), 2)
    assert batch.details["phase"] == PHASES["effects"]
    following = policy(width=between).propose(context_of(BED, acquired, [batch.choices[0].index]), 1)
    assert following.details["phase"] == PHASES["act"]
    assert batch.choices[1].index == following.choices[0].index


def test_it_ends_when_the_values_reach_the_width_and_it_is_to_stop() -> None:
    acquired = play(BED, policy(), 15)
    proposal = policy(width=NARROW, then="stop").propose(context_of(BED, acquired), 1)
    assert proposal.choices == ()
    assert proposal.reason.startswith("all 5 effects are known to ±")
    assert proposal.reason.endswith("±100 was asked for")


def test_without_a_threshold_it_ends_as_well() -> None:
    acquired = play(BED, policy(), 15)
    assert policy(width=NARROW, threshold=None).propose(context_of(BED, acquired), 1).choices == ()


def test_it_does_not_end_for_what_is_in_flight_alone() -> None:
    acquired = play(BED, policy(), 15)
    chosen = policy().propose(context_of(BED, acquired), 1)
    between = 0.5 * (chosen.details["mean_half_width"] + chosen.details["expected_half_width"])
    in_flight = context_of(BED, acquired, [chosen.choices[0].index])
    assert policy(width=between, then="stop").propose(in_flight, 1).choices


def test_a_start_that_ends_within_a_batch_goes_on_with_effects() -> None:
    acquired = play(BED, policy(start=10), 8)
    proposal = policy(start=10).propose(context_of(BED, acquired), 4)
    assert len(proposal.choices) == 4
    assert [choice.score is None for choice in proposal.choices] == [True, True, False, False]
    assert proposal.reason == "a design drawn at random, number 9 of 10 to start from (first of 4)"
    assert proposal.target_family is None


def test_a_start_of_nothing_begins_with_the_prior() -> None:
    proposal = policy(start=0).propose(context_of(BED), 2)
    assert proposal.details["phase"] == PHASES["effects"]
    assert len(proposal.choices) == 2


def test_uncertain_values_are_believed_less() -> None:
    acquired = play(BED, policy(), 15)
    sure = context_of(BED, acquired)
    unsure = replace(sure, uncertainties=np.full((15, 1), 0.5))
    assert policy().belief(unsure).mean_half_width > policy().belief(sure).mean_half_width


def test_an_earlier_log_is_learned_from_and_its_bias_is_told() -> None:
    designs = BED.pool.designs
    assert designs is not None
    log = EarlierLog(designs.codes * np.array([1, 0, 1]) - np.array([0, 1, 0]), BED.truth[designs.candidate])
    bed = replace(BED, pool=replace(BED.pool, log=log))
    acquired = play(BED, policy(), 12)
    with_log = policy().propose(context_of(bed, acquired), 1)
    without = policy().propose(context_of(BED, acquired), 1)
    trusting = policy(trust_log=True).propose(context_of(bed, acquired), 1)
    assert with_log.details["mean_half_width"] < without.details["mean_half_width"]
    assert with_log.details["log_bias_std"] > trusting.details["log_bias_std"] > 0.0
    assert "log_bias_std" not in without.details


def test_phases_follow_each_other() -> None:
    made, acquired, phases = policy(width=0.5), list[int](), list[float]()
    for _ in range(45):
        proposal = made.propose(context_of(BED, acquired), 1)
        phases.append(proposal.details["phase"])
        acquired.append(proposal.choices[0].index)
    assert phases == sorted(phases)
    assert set(phases) == set(PHASES.values())


def test_its_meter_believes_what_the_policy_believes_of_the_same_values() -> None:
    made = policy()
    acquired = play(BED, made, 20)
    meter = made.meter(BED.pool, ("property",))
    assert isinstance(meter, DesignMeter)
    for index in acquired:
        meter.add(index, float(BED.truth[index]))
    belief = made.belief(context_of(BED, acquired))
    assert [effect.mean for effect in meter.effects()] == pytest.approx(belief.query_means)
    half_width, _, hits = meter.values()
    assert half_width == pytest.approx(belief.mean_half_width)
    assert hits == sum(BED.truth[acquired] > 4.0)


def test_renamed_groups_are_decided_alike_to_the_bit() -> None:
    renamed = made_up_bed(rename=dict(zip("kmpqs-", "zyxwvu", strict=True)))
    for options in ({}, {"estimate": ""}, {"width": NARROW}):
        for count in (0, 12, 23):
            acquired = play(BED, policy(**options), count)
            here, there = (policy(**options).propose(context_of(bed, acquired), 3) for bed in (BED, renamed))
            assert here.choices == there.choices
            assert here.details == there.details


def test_the_effects_of_the_benzenes_are_known_better_than_from_random_designs_and_hits_are_found() -> None:
    bed = benzenes()
    believed = BelievedDesigns("test", estimate="mu_mmff")
    errors: dict[str, list[float]] = {"causal": [], "random": []}
    hits = []
    for seed in range(3):
        for name, made in (
            ("causal", Causal(threshold=5.0, estimate="mu_mmff")),
            ("random", Causal(start=1 << 30)),
        ):
            acquired = play(bed, made, 60 if name == "causal" else 40, campaign_seed=seed)
            belief = believed.known(context_of(bed, acquired[:40])).stated
            errors[name].append(float(np.sqrt(np.mean((belief.query_means - belief.queries @ bed.truth) ** 2))))
            if name == "causal":
                hits.append(int((bed.truth[acquired] > 5.0).sum()))
    assert np.mean(errors["causal"]) < 0.9 * np.mean(errors["random"])
    assert np.mean(errors["causal"]) < 0.25
    assert np.mean(hits) >= 26
