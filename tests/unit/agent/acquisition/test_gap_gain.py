"""The policy gap_gain: what its score is made of, whom it asks, and what it does to a biased world."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Policy, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.gap_gain import GapGain
from agent.entropy.measure import EntropyMeasure
from agent.entropy.target_properties import TargetProperty
from protocols.errors import SettingsError
from tests.support.biased_worlds import World


def array(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int64)


def indices(proposal: Proposal) -> list[int]:
    return [choice.index for choice in proposal.choices]


def mean_gap(world: World, rows: np.ndarray) -> float:
    codes = world.pool.family_codes[rows]
    known = [world.measure.entropy(np.sort(world.truth[rows[codes == code]])) for code in range(3)]
    h = np.array([each for each in known if each is not None])
    return float((h.max() - h).mean())


def test_it_is_a_policy_that_needs_a_process_of_its_own() -> None:
    assert isinstance(GapGain(), Policy)
    assert not GapGain().runs_inline


def test_the_score_is_the_weighted_sum_of_its_shares(biased: Callable) -> None:
    world = biased(0)
    for share in (0.0, 0.3, 1.0):
        proposal = GapGain(model_share=share).propose(world.context(), 1)
        details = proposal.details
        expected = (1.0 - share) * details["gap_share"] + share * details["model_share"]
        assert proposal.choices[0].score == pytest.approx(expected)
        assert details["mean_gap"] == pytest.approx(mean_gap(world, world.start))


def test_the_gap_share_is_what_the_value_is_expected_to_close(biased: Callable) -> None:
    """By brute force: values drawn from the prediction, each entered into its family."""
    world = biased(3)
    proposal = GapGain(model_share=0.0).propose(world.context(), 1)
    code = int(world.pool.family_codes[proposal.choices[0].index])
    codes = world.pool.family_codes[world.start]
    samples = [np.sort(world.truth[world.start[codes == each]]) for each in range(3)]
    h = np.array([world.measure.entropy(sample) for sample in samples])
    rng = np.random.default_rng(0)
    std = math.hypot(proposal.details["predicted_std"], proposal.details["noise_std"])
    drawn = rng.normal(proposal.details["predicted_mean"], std, 4_000)
    added = world.measure.added(samples[code])
    assert added is not None
    falls, gains = [], added.gain(drawn)
    for gain in gains:
        after = h.copy()
        after[code] += gain
        falls.append(np.square(h.max() - h).sum() - np.square(after.max() - after).sum())
    whole = np.square(h.max() - h).sum() + 3 * 0.05**2
    assert proposal.details["gap_share"] == pytest.approx(np.mean(falls) / whole, rel=0.05)
    assert proposal.details["expected_gain"] == pytest.approx(np.mean(gains), rel=0.05)


def test_the_reason_says_what_it_closes_and_what_it_teaches(biased: Callable) -> None:
    proposal = GapGain().propose(biased(0).context(), 2)
    family = biased(0).pool.families[biased(0).pool.family_codes[proposal.choices[0].index]]
    assert proposal.target_family == family
    assert proposal.reason.startswith(f"{family} gains +")
    assert "% of the gaps; the model's variance falls by" in proposal.reason
    assert proposal.reason.endswith("(expected) (first of 2)")


def test_the_same_context_gives_the_same_proposal_whatever_came_before(biased: Callable) -> None:
    world, other = biased(1), biased(2)
    context = world.context(pending=array(200, 201))
    policy = GapGain()
    first = policy.propose(context, 3)
    policy.propose(other.context(), 2)
    assert policy.propose(context, 3) == first
    assert GapGain().propose(biased(1).context(pending=array(200, 201)), 3) == first


def test_a_batch_is_what_one_after_the_other_in_flight_gives(biased: Callable) -> None:
    world = biased(2)
    batch = indices(GapGain().propose(world.context(), 4))
    pending: list[int] = []
    for _ in range(4):
        pending += indices(GapGain().propose(world.context(pending=np.array(pending, dtype=np.int64)), 1))
    assert len(set(batch)) == 4
    assert batch == pending


@pytest.mark.parametrize("in_flight", [0, 3])
def test_it_closes_gaps_that_chance_leaves_open(biased: Callable, in_flight: int) -> None:
    world = biased(5)
    ends = {}
    for policy in (GapGain(), UniformRandom()):
        requested: list[int] = []
        for number in range(40 + in_flight):
            known = requested[: max(0, len(requested) - in_flight)]
            pending = np.sort(np.array(requested[len(known) :], dtype=np.int64))
            context = world.context(acquired=np.array(known, dtype=np.int64), pending=pending, seed=number)
            requested += indices(policy.propose(context, 1))
        ends[type(policy)] = mean_gap(world, np.concatenate((world.start, requested[:40])))
    assert ends[GapGain] < 0.5 * ends[UniformRandom] < 0.5 * mean_gap(world, world.start)


def test_a_family_that_has_nothing_left_is_asked_for_less_than_any_other(world_of: Callable) -> None:
    """The poorest family consists of copies of one material; whoever feeds the poorest asks for no other at first."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 100)
    features = rng.normal(size=(300, 3))
    features[codes == 0] = 0.3
    truth = np.where(codes == 0, 0.7, np.sin(features[:, 0]) + codes * features[:, 1])
    world = world_of(features, codes, ("copies", "some", "many"), truth)
    start = np.concatenate([np.flatnonzero(codes == code)[:12] for code in range(3)])
    asked: list[int] = []
    for number in range(25):
        context = world.context(observed=start, acquired=np.array(asked, dtype=np.int64), seed=number)
        asked += indices(GapGain().propose(context, 1))
    counts = np.bincount(codes[asked], minlength=3)
    assert counts[0] < min(counts[1:])


def test_where_families_are_even_the_model_is_taught(biased: Callable) -> None:
    """A tolerance far above all gaps leaves the balance out: what is chosen lowers the variance most."""
    world = biased(4)
    at_ease = GapGain(tolerance=10.0).propose(world.context(), 1)
    model_alone = GapGain(model_share=1.0).propose(world.context(), 1)
    assert indices(at_ease) == indices(model_alone)
    assert at_ease.details["model_share"] > 0.0


def test_what_is_in_flight_lowers_what_its_neighbours_would_teach(biased: Callable) -> None:
    world = biased(6)
    policy = GapGain(model_share=1.0)
    first = policy.propose(world.context(), 1)
    then = policy.propose(world.context(pending=array(first.choices[0].index)), 1)
    assert first.choices[0].index != then.choices[0].index
    assert then.details["model_share"] < first.details["model_share"]


def test_a_pool_that_is_larger_than_what_is_looked_at_is_sampled(biased: Callable) -> None:
    world = biased(7)
    proposal = GapGain(active_rows=50).propose(world.context(), 3)
    assert len(set(indices(proposal))) == 3
    assert GapGain(active_rows=50).propose(world.context(), 3) == proposal


def test_uncertainties_that_came_with_the_values_count(biased: Callable) -> None:
    """Of a family all of whose values are vague a new value teaches more; none and zeros are the same."""
    context = biased(9).context()
    vague = np.where(context.pool.family_codes[context.observed] == 2, 1.0, 0.0)[:, None]
    none = dataclasses.replace(context, uncertainties=np.zeros((len(context.observed), 1)))
    policy = GapGain(model_share=1.0)
    assert policy.propose(none, 1) == policy.propose(context, 1)
    before = [context.pool.family_codes[index] for index in indices(policy.propose(context, 12))]
    after = dataclasses.replace(context, uncertainties=vague)
    asked = [context.pool.family_codes[index] for index in indices(policy.propose(after, 12))]
    assert asked.count(2) > before.count(2)


def two_properties(world: World, second: np.ndarray, weights: tuple[float, float]) -> AcquisitionContext:
    context = world.context()
    targets = tuple(
        TargetProperty(name, EntropyMeasure("m_spacing", 1e-3), float(values[context.observed].std()), weight)
        for name, values, weight in zip(("first", "second"), (world.truth, second), weights, strict=True)
    )
    return dataclasses.replace(context, additional=second[context.observed][:, None], targets=targets)


def test_of_two_properties_each_has_its_weight(biased: Callable) -> None:
    world = biased(8)
    second = np.cos(2.0 * world.pool.features[:, 3])
    both = GapGain().propose(two_properties(world, second, (0.5, 0.5)), 3)
    assert {"predicted_mean of first", "predicted_mean of second"} <= set(both.details)
    assert len(set(indices(both))) == 3
    alone = GapGain().propose(world.context(), 1)
    first_only = GapGain().propose(two_properties(world, second, (1.0 - 1e-9, 1e-9)), 1)
    assert first_only.details["model_share"] == pytest.approx(alone.details["model_share"], rel=0.05)


@pytest.mark.parametrize(
    "options",
    [{"model_share": 1.5}, {"model_share": "much"}, {"tolerance": 0.0}, {"credit": -0.1}, {"active_rows": 0}],
)
def test_an_option_out_of_its_range_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=f"option {next(iter(options))} is .*Expected.*number"):
        GapGain(**options)  # type: ignore[arg-type]
