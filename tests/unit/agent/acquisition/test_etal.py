"""The ET-AL policy: target, score, fantasies, and its outcomes at the edges."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import Policy, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.etal import EntropyTargeted
from agent.entropy.expected_gain import expected_gain
from agent.entropy.measure import PUBLISHED, EntropyMeasure
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.prior import PosteriorModeFit
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import measure_columns
from protocols.errors import SettingsError
from tests.support.biased_worlds import World

etal = EntropyTargeted()


def array(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int64)


def test_it_is_a_policy_that_needs_a_process_of_its_own() -> None:
    assert isinstance(etal, Policy)
    assert not etal.runs_inline


def test_it_aims_at_the_family_of_the_lowest_entropy_and_says_so(biased: Callable) -> None:
    world = biased(0)
    proposal = etal.propose(world.context(), 1)
    h = world.measure.entropy(np.sort(world.truth[world.start[world.pool.family_codes[world.start] == 1]]))
    assert proposal.target_family == "tetragonal"
    assert proposal.details["entropy_before"] == h
    assert proposal.details["n_labelled"] == 20
    assert proposal.reason.startswith(f"tetragonal has the lowest entropy (h = {h:.3f} nat, 20 values); expected gain ")
    chosen, runner_up = proposal.choices[0], proposal.runner_up
    assert runner_up is not None
    assert chosen.score is not None
    assert runner_up.score is not None
    assert chosen.score >= runner_up.score
    assert world.pool.family_codes[[chosen.index, runner_up.index]].tolist() == [1, 1]


def test_the_same_context_gives_the_same_proposal_whatever_came_before(biased: Callable) -> None:
    world, other = biased(1), biased(2)
    context = world.context(pending=array(200, 201))
    policy = EntropyTargeted()
    first = policy.propose(context, 3)
    policy.propose(other.context(), 2)
    assert policy.propose(context, 3) == first
    assert EntropyTargeted().propose(biased(1).context(pending=array(200, 201)), 3) == first


def parts(world: World, family: int) -> tuple[GrowingGP, np.ndarray, np.ndarray]:
    """Surrogate of a family alone, its pool indices and its available ones."""
    columns = measure_columns(world.pool.features)
    members = np.flatnonzero(world.pool.family_codes == family)
    labelled = world.start[world.pool.family_codes[world.start] == family]
    queries = Queries(world.pool.features, members, columns)
    X = columns.apply(world.pool.features[labelled])
    growth = GrowthSettings(fit=PosteriorModeFit(groups=0))
    process = GrowingGP(queries, X, world.truth[labelled], growth)
    return process, members, np.setdiff1d(members, labelled)


def test_the_proposal_has_the_score_of_its_parts(biased: Callable) -> None:
    """Surrogate of the family alone, noise, then the expected gain, by the public pieces."""
    world = biased(3)
    proposal = etal.propose(world.context(), 1)
    process, members, available = parts(world, 1)
    mean, std = (array[np.isin(members, available)] for array in process.predict())
    sample = np.sort(world.truth[world.start[world.pool.family_codes[world.start] == 1]])
    added = world.measure.added(sample)
    scores = expected_gain(added, sample, mean, np.hypot(std, process.noise_std))
    assert proposal.choices[0].index == available[np.argmax(scores)]
    assert proposal.choices[0].score == pytest.approx(scores.max(), rel=1e-9)
    assert proposal.details["expected_gain"] == proposal.choices[0].score
    assert proposal.details["lengthscale"] == pytest.approx(process.lengthscale)
    assert proposal.details["entropy_before"] == world.measure.entropy(sample)


def test_the_score_is_the_mean_gain_of_what_the_choice_may_bring(biased: Callable) -> None:
    """A hundred thousand draws of its value, each put into the family: entropies with the same window compared."""
    world = biased(3)
    proposal = etal.propose(world.context(), 1)
    sample = np.sort(world.truth[world.start[world.pool.family_codes[world.start] == 1]])
    std = math.hypot(proposal.details["predicted_std"], proposal.details["noise_std"])
    draws = np.random.default_rng(0).normal(proposal.details["predicted_mean"], std, size=100_000)
    gains = np.maximum(world.measure.added(sample).gain(draws), 0.0)
    assert proposal.choices[0].score == pytest.approx(gains.mean(), abs=4.0 * gains.std() / math.sqrt(100_000))


def test_equal_candidates_fall_to_the_lowest_index(world_of: Callable, biased: Callable) -> None:
    """In a pool in which every candidate has a twin, the second best is the twin of the best."""
    base, n = biased(4), len(biased(4).truth)
    world = world_of(
        np.tile(base.pool.features, (2, 1)),
        np.tile(base.pool.family_codes, 2),
        base.pool.families,
        np.tile(base.truth, 2),
    )
    left = base.context().available
    winner = etal.propose(base.context(), 1).choices[0].index
    proposal = etal.propose(world.context(observed=base.start, available=np.concatenate((left, left + n))), 1)
    assert proposal.choices[0].index == winner
    assert proposal.runner_up is not None
    assert proposal.runner_up.index == winner + n


@pytest.mark.parametrize("lacking", [0, 2])
def test_a_family_without_an_entropy_comes_first_and_the_smallest_of_them_at_the_head(
    biased: Callable, lacking: int
) -> None:
    """By the default measure only a family without values has none; by the published one, one with fewer than five."""
    world = biased(5)
    codes = world.pool.family_codes[world.start]
    kept = [world.start[codes == 1], world.start[codes == 0][:4], world.start[codes == 2][:lacking]]
    context = world.context(observed=np.sort(np.concatenate(kept)))
    proposal = etal.propose(context if lacking == 0 else replace(context, measure=EntropyMeasure(PUBLISHED)), 1)
    assert proposal.target_family == "trigonal"
    assert proposal.reason.startswith(f"trigonal has no entropy ({lacking} values); largest predicted deviation")
    details = proposal.details
    assert proposal.choices[0].score == pytest.approx(math.hypot(details["predicted_std"], details["noise_std"]))
    assert "entropy_before" not in details


def test_a_family_without_values_is_predicted_from_all_others(biased: Callable) -> None:
    world = biased(6)
    kept = world.start[world.pool.family_codes[world.start] != 2]
    proposal = etal.propose(world.context(observed=kept), 2)
    assert proposal.target_family == "trigonal"
    assert proposal.reason.endswith("(first of 2)")
    assert world.pool.family_codes[[c.index for c in proposal.choices]].tolist() == [2, 2]


def test_without_any_value_the_seed_decides_and_families_take_turns(biased: Callable) -> None:
    world = biased(7)
    context = world.context(observed=array(), seed=11)
    proposal = etal.propose(context, 6)
    assert etal.propose(context, 6) == proposal
    assert etal.propose(world.context(observed=array(), seed=12), 6).choices != proposal.choices
    assert world.pool.family_codes[[c.index for c in proposal.choices]].tolist() == [0, 1, 2, 0, 1, 2]
    assert all(choice.score is None for choice in proposal.choices)


def test_requests_in_flight_count_by_their_predicted_distribution(biased: Callable) -> None:
    """The entropy is the mean over what they may bring, which many joint draws of the surrogate give."""
    world = biased(8)
    flight = np.sort([choice.index for choice in etal.propose(world.context(), 5).choices])
    then = EntropyTargeted(cases=400).propose(world.context(pending=flight), 1)
    process, _, _ = parts(world, 1)
    conditioned = PendingConditioned(process)
    conditioned.extend(measure_columns(world.pool.features).apply(world.pool.features[flight]))
    known = world.truth[world.start[world.pool.family_codes[world.start] == 1]]
    drawn = conditioned.values(np.random.default_rng(0).normal(size=(4000, 5)))
    entropies = np.array([world.measure.entropy(np.sort(np.concatenate((known, values)))) for values in drawn])
    assert then.target_family == "tetragonal"
    assert then.details["entropy_before"] == pytest.approx(entropies.mean(), abs=5.0 * entropies.std() / 20.0)
    assert then.details["n_in_flight"] == 5
    assert "20 values and 5 in flight" in then.reason
    assert then.choices[0].index not in flight


def test_few_draws_of_what_is_in_flight_are_right_in_the_mean(biased: Callable) -> None:
    """Sixteen, the default, over twenty seeds, against five hundred: the score of the choice within a tenth."""
    world = biased(8)
    flight = np.sort([choice.index for choice in etal.propose(world.context(), 5).choices])
    few = [etal.propose(world.context(pending=flight, seed=seed), 1).choices[0].score for seed in range(20)]
    many = EntropyTargeted(cases=500).propose(world.context(pending=flight), 1).choices[0].score
    assert np.mean([score for score in few if score is not None]) == pytest.approx(many, rel=0.1)
    assert None not in few


def test_requests_in_flight_that_are_all_alike_do_not_undo_an_entropy(world_of: Callable) -> None:
    """Thirty requests without a feature that tells them apart; the family must not look unknown."""
    truth = np.random.default_rng(0).normal(size=100)
    world = world_of(np.ones((100, 2)), np.zeros(100, dtype=np.int64), ("a",), truth)
    proposal = etal.propose(world.context(observed=np.arange(40), pending=np.arange(40, 70)), 1)
    assert math.isfinite(proposal.details["entropy_before"])
    assert proposal.reason.startswith("a has the lowest entropy (h = ")


def test_enough_requests_in_flight_turn_the_aim_to_another_family(world_of: Callable) -> None:
    """Two families alike, the first a little poorer: what it is about to gain makes the second the poorest."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(120, 2))
    truth = features[:, 0] + np.repeat([0.0, 5.0], 60)
    truth[:60] *= 0.98
    truth[60:120] = truth[:60] / 0.98 + 5.0
    features[60:] = features[:60]
    world = world_of(features, np.repeat([0, 1], 60), ("a", "b"), truth)
    known = np.concatenate((np.arange(25), np.arange(60, 85)))
    assert etal.propose(world.context(observed=known), 1).target_family == "a"
    batch = etal.propose(world.context(observed=known), 2)
    assert [choice.index // 60 for choice in batch.choices] == [0, 1]
    pending = np.array([batch.choices[0].index])
    assert etal.propose(world.context(observed=known, pending=pending), 1).target_family == "b"


def test_a_copy_of_a_request_in_flight_is_not_chased(world_of: Callable, biased: Callable) -> None:
    """The twin of a pending candidate has almost nothing left to tell."""
    base = biased(4)
    winner = etal.propose(base.context(), 1).choices[0].index
    features = np.concatenate((base.pool.features, base.pool.features[winner : winner + 1]))
    codes = np.append(base.pool.family_codes, base.pool.family_codes[winner])
    world = world_of(features, codes, base.pool.families, np.append(base.truth, 0.0))
    alone = etal.propose(world.context(observed=base.start), 1)
    then = etal.propose(world.context(observed=base.start, pending=array(winner)), 1)
    assert alone.runner_up is not None
    assert (alone.choices[0].index, alone.runner_up.index) == (winner, len(base.truth))
    assert then.target_family == alone.target_family
    assert len(base.truth) not in {then.choices[0].index, then.runner_up.index if then.runner_up else None}


def test_a_batch_is_distinct_and_begins_with_the_single_choice(biased: Callable) -> None:
    world = biased(9)
    batch = etal.propose(world.context(), 8)
    assert batch.choices[0] == etal.propose(world.context(), 1).choices[0]
    assert len({choice.index for choice in batch.choices}) == 8
    assert batch.runner_up is not None
    assert batch.runner_up.index not in {choice.index for choice in batch.choices}


def test_a_batch_larger_than_the_pool_takes_all_that_is_left(biased: Callable) -> None:
    world = biased(10)
    left = array(1, 150, 300)
    left = left[~np.isin(left, world.start)]
    proposal = etal.propose(world.context(available=left), 10)
    assert sorted(choice.index for choice in proposal.choices) == left.tolist()


def crowded(world_of: Callable, families: tuple[int, ...]) -> tuple[World, np.ndarray, np.ndarray]:
    """Families b < c < a by entropy, 64 values each; the latest twelve of some are one value over and over."""
    rng = np.random.default_rng(11)
    truth = np.concatenate([scale * rng.normal(size=120) for scale in (1.0, 0.1, 0.5)])
    start = np.concatenate([np.arange(120 * code, 120 * code + 64) for code in range(3)])
    acquired = np.concatenate([np.arange(120 * code + 64, 120 * code + 76) for code in families])
    truth[acquired] = 0.0
    world = world_of(rng.normal(size=(360, 3)), np.repeat([0, 1, 2], 120), ("a", "b", "c"), truth)
    return world, start, acquired


def test_a_family_that_missed_ten_times_in_a_row_is_left_out(world_of: Callable) -> None:
    world, start, acquired = crowded(world_of, (1,))

    def target(policy: EntropyTargeted, count: int) -> str | None:
        return policy.propose(world.context(observed=start, acquired=acquired[:count]), 1).target_family

    assert target(etal, 9) == "b"
    assert target(etal, 10) == "c"
    assert target(etal, 12) == "c"
    assert target(EntropyTargeted(patience=5), 4) == "b"
    assert target(EntropyTargeted(patience=5), 5) == "c"
    assert target(EntropyTargeted(patience=13), 12) == "b"


def test_one_gain_brings_a_family_back(world_of: Callable) -> None:
    """What was asked for before it was left out may still come in."""
    world, start, acquired = crowded(world_of, (1,))
    world.truth[236] = 5.0
    back = np.append(acquired, 236)
    assert etal.propose(world.context(observed=start, acquired=acquired), 1).target_family == "c"
    assert etal.propose(world.context(observed=start, acquired=back), 1).target_family == "b"


def test_when_every_family_is_left_out_all_are_admitted_again(world_of: Callable) -> None:
    world, start, acquired = crowded(world_of, (0, 1, 2))
    proposal = etal.propose(world.context(observed=start, acquired=acquired), 1)
    assert proposal.target_family == "b"
    assert proposal.reason.startswith(
        "all families brought no gain 10 times in a row and are admitted again; b has the lowest"
    )
    assert len(proposal.reason) <= 200


def test_the_reason_names_the_poorer_families_that_could_not_be_asked_for_and_why(world_of: Callable) -> None:
    world, start, acquired = crowded(world_of, (1,))
    asked = world.context(observed=start, acquired=acquired)
    proposal = etal.propose(asked, 1)
    assert proposal.target_family == "c"
    assert proposal.reason.startswith("c has the lowest entropy of those to ask for (h = ")
    assert "; b is poorer, but brought no gain 12 times in a row; expected gain" in proposal.reason
    of_b = np.flatnonzero(world.context(observed=start).pool.family_codes == 1)
    without = dataclasses.replace(asked, available=np.setdiff1d(asked.available, of_b))
    assert "; b is poorer, but has no candidate left; " in etal.propose(without, 1).reason


def test_a_family_left_out_counts_only_while_it_has_candidates(world_of: Callable) -> None:
    """With nothing left outside of the families left out, they are admitted again too."""
    world, start, acquired = crowded(world_of, (1,))
    left = np.arange(200, 240)
    proposal = etal.propose(world.context(observed=start, acquired=acquired, available=left), 1)
    assert proposal.target_family == "b"
    assert proposal.reason.startswith("all families brought no gain")


def test_values_that_are_all_equal_still_give_a_choice(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    world = world_of(rng.normal(size=(40, 3)), np.zeros(40, dtype=np.int64), ("a",), np.full(40, 0.7))
    proposal = etal.propose(world.context(observed=np.arange(12)), 3)
    assert len(proposal.choices) == 3
    assert all(math.isfinite(value) for value in proposal.details.values())


def test_features_that_are_all_equal_fall_to_the_lowest_index(world_of: Callable) -> None:
    truth = np.random.default_rng(0).normal(size=40)
    world = world_of(np.ones((40, 3)), np.zeros(40, dtype=np.int64), ("a",), truth)
    assert etal.propose(world.context(observed=np.arange(12)), 1).choices[0].index == 12


def test_a_single_value_is_enough_to_go_on(biased: Callable) -> None:
    world = biased(12)
    proposal = etal.propose(world.context(observed=world.start[:1]), 4)
    assert len({choice.index for choice in proposal.choices}) == 4


def test_a_large_family_is_learnt_from_a_part(biased: Callable) -> None:
    world = biased(13, per_family=200, start_per_family=60)
    small = EntropyTargeted(max_training_rows=10).propose(world.context(), 1)
    assert isinstance(small, Proposal)
    assert small.details["n_labelled"] > 10
    assert small.details["lengthscale"] != etal.propose(world.context(), 1).details["lengthscale"]


@pytest.mark.parametrize("options", [{"patience": 0}, {"patience": 2.5}, {"patience": True}, {"max_training_rows": 3}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="a whole number of at least"):
        EntropyTargeted(**options)


def test_it_evens_out_a_biased_dataset_where_random_draws_do_not(biased: Callable, campaign: Callable) -> None:
    """Forty acquisitions from a biased start, in six worlds."""
    ranges: dict[str, list[float]] = {"before": [], "etal": [], "random": []}
    for seed in range(6):
        before, after = campaign(biased(seed), etal, 40, seed)
        _, drawn = campaign(biased(seed), UniformRandom(), 40, seed)
        for name, point in (("before", before), ("etal", after), ("random", drawn)):
            assert point.entropy_range is not None
            ranges[name].append(point.entropy_range)
        assert min(after.entropies) > min(drawn.entropies)
    assert np.mean(ranges["etal"]) < 0.3 * np.mean(ranges["random"])
    assert np.mean(ranges["etal"]) < 0.1 * np.mean(ranges["before"])
