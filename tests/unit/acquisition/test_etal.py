"""The ET-AL policy: target, score, fantasies, and its outcomes at the edges."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from agent.acquisition.base import Policy, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.entropy import differential_entropy, expected_entropy_with_added
from agent.acquisition.etal import EntropyTargeted
from agent.acquisition.selection import expected_improvement
from agent.surrogate.gaussian_process import fit
from agent.surrogate.standardise import measure_columns
from protocols.errors import SettingsError

etal = EntropyTargeted()


def array(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int64)


def test_it_is_a_policy_that_needs_a_process_of_its_own() -> None:
    assert isinstance(etal, Policy)
    assert not etal.cheap


def test_it_aims_at_the_family_of_the_lowest_entropy_and_says_so(biased: Callable) -> None:
    world = biased(0)
    proposal = etal.propose(world.context(), 1)
    h = differential_entropy(world.truth[world.start[world.pool.family_codes[world.start] == 1]])
    assert proposal.target_family == "tetragonal"
    assert proposal.details["entropy_before"] == h
    assert proposal.details["n_labelled"] == 20
    assert proposal.reason.startswith(f"tetragonal is poorest (h = {h:.3f} nat, 20 values); expected gain ")
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


@pytest.mark.parametrize("seed", range(6))
def test_the_score_is_that_of_the_published_draws_within_their_error(seed: int) -> None:
    """1,000 draws a candidate, SciPy's entropy of each enlarged sample, expected improvement of their normal."""
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.normal(size=int(rng.integers(8, 90))))
    mean, std = rng.normal(size=4) * 1.5, rng.uniform(0.02, 0.8, size=4)
    h = differential_entropy(sample)
    assert h is not None
    after, spread = expected_entropy_with_added(sample, mean, std)
    ours = expected_improvement(after, spread, h)
    for c in range(4):
        draws = rng.normal(mean[c], std[c], size=1000)
        enlarged = np.column_stack((np.tile(sample, (1000, 1)), draws))
        entropies = stats.differential_entropy(enlarged, axis=1)
        theirs = expected_improvement(np.array([entropies.mean()]), np.array([entropies.std()]), h)[0]
        kurtosis = stats.kurtosis(entropies, fisher=False)
        # ∂EI/∂mean = Φ ≤ 1 and ∂EI/∂std = φ ≤ 0.4 carry the sampling errors of mean and deviation over.
        error = entropies.std() / math.sqrt(1000) * (1.0 + 0.4 * math.sqrt(max(kurtosis - 1.0, 0.0) / 4.0))
        assert abs(ours[c] - theirs) < 4.0 * error + 1e-6


def test_the_proposal_has_the_score_of_its_parts(biased: Callable) -> None:
    """Surrogate of the family alone, then score, by the public pieces."""
    world = biased(3)
    proposal = etal.propose(world.context(), 1)
    columns, family = measure_columns(world.pool.features), world.pool.family_codes == 1
    labelled = world.start[family[world.start]]
    available = np.setdiff1d(np.flatnonzero(family), labelled)
    gp = fit(columns.apply(world.pool.features[labelled]), world.truth[labelled])
    mean, std = gp.predict(columns.apply(world.pool.features[available]))
    sample = np.sort(world.truth[labelled])
    scores = expected_improvement(*expected_entropy_with_added(sample, mean, std), differential_entropy(sample))
    assert proposal.choices[0].index == available[np.argmax(scores)]
    assert proposal.choices[0].score == pytest.approx(scores.max(), rel=1e-12)
    assert proposal.details["lengthscale"] == gp.hyperparameters.lengthscale


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


def test_a_family_without_a_defined_entropy_comes_first_and_the_smallest_of_them_at_the_head(biased: Callable) -> None:
    world = biased(5)
    codes = world.pool.family_codes[world.start]
    kept = np.sort(np.concatenate((world.start[codes == 1], world.start[codes == 0][:4], world.start[codes == 2][:2])))
    proposal = etal.propose(world.context(observed=kept), 1)
    assert proposal.target_family == "trigonal"
    assert proposal.reason.startswith("trigonal has no defined entropy (2 values); largest predicted deviation")
    assert proposal.choices[0].score == proposal.details["predicted_std"]
    assert "entropy_before" not in proposal.details


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


def test_requests_in_flight_count_with_their_predicted_means(biased: Callable) -> None:
    world = biased(8)
    flight = np.sort([choice.index for choice in etal.propose(world.context(), 5).choices])
    then = etal.propose(world.context(pending=flight), 1)
    columns = measure_columns(world.pool.features)
    labelled = world.start[world.pool.family_codes[world.start] == 1]
    gp = fit(columns.apply(world.pool.features[labelled]), world.truth[labelled])
    predicted, _ = gp.predict(columns.apply(world.pool.features[flight]))
    assert then.target_family == "tetragonal"
    assert then.details["entropy_before"] == pytest.approx(
        differential_entropy(np.append(world.truth[labelled], predicted)), abs=1e-9
    )
    assert "20 values and 5 in flight" in then.reason
    assert then.choices[0].index not in flight


def test_predictions_that_are_all_equal_do_not_undo_an_entropy(world_of: Callable) -> None:
    """Thirty equal predictions among forty values would be ties enough; the family must not look unknown."""
    truth = np.random.default_rng(0).normal(size=100)
    world = world_of(np.ones((100, 2)), np.zeros(100, dtype=np.int64), ("a",), truth)
    proposal = etal.propose(world.context(observed=np.arange(40), pending=np.arange(40, 70)), 1)
    assert math.isfinite(proposal.details["entropy_before"])
    assert proposal.reason.startswith("a is poorest (h = ")


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
    kept = base.start[base.pool.family_codes[base.start] != 2]  # no entropy: the score is the deviation
    winner = etal.propose(base.context(observed=kept), 1).choices[0].index
    features = np.concatenate((base.pool.features, base.pool.features[winner : winner + 1]))
    codes = np.append(base.pool.family_codes, base.pool.family_codes[winner])
    world = world_of(features, codes, base.pool.families, np.append(base.truth, 0.0))
    then = etal.propose(world.context(observed=kept, pending=array(winner)), 1)
    assert then.target_family == "trigonal"
    assert then.reason.startswith("trigonal has no defined entropy (0 values and 1 in flight)")
    assert then.choices[0].index != len(base.truth)


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


def crowded(world_of: Callable, families: tuple[int, ...]) -> tuple[object, np.ndarray, np.ndarray]:
    """Families b < c < a by entropy, 64 values each; the latest six of some lie in the middle of their values.

    From 64 to 70 values the window of the estimator stays 8, so that all entropies compare.
    """
    rng = np.random.default_rng(11)
    truth = np.concatenate([scale * rng.normal(size=100) for scale in (1.0, 0.1, 0.5)])
    start = np.concatenate([np.arange(100 * code, 100 * code + 64) for code in range(3)])
    acquired = np.concatenate([np.arange(100 * code + 64, 100 * code + 70) for code in families])
    truth[acquired] = 1e-4 * rng.normal(size=len(acquired))
    world = world_of(rng.normal(size=(300, 3)), np.repeat([0, 1, 2], 100), ("a", "b", "c"), truth)
    return world, start, acquired


def test_a_family_that_missed_five_times_in_a_row_is_left_out(world_of: Callable) -> None:
    world, start, acquired = crowded(world_of, (1,))

    def target(policy: EntropyTargeted, count: int) -> str | None:
        return policy.propose(world.context(observed=start, acquired=acquired[:count]), 1).target_family

    assert target(etal, 4) == "b"
    assert target(etal, 5) == "c"
    assert target(etal, 6) == "c"
    assert target(EntropyTargeted(patience=7), 6) == "b"


def test_when_every_family_is_left_out_all_are_admitted_again(world_of: Callable) -> None:
    world, start, acquired = crowded(world_of, (0, 1, 2))
    proposal = etal.propose(world.context(observed=start, acquired=acquired), 1)
    assert proposal.target_family == "b"
    assert proposal.reason.startswith("all families missed 5 times in a row and are admitted again; b is poorest")
    assert len(proposal.reason) <= 200


def test_a_family_left_out_counts_only_while_it_has_candidates(world_of: Callable) -> None:
    """With nothing left outside of the families left out, they are admitted again too."""
    world, start, acquired = crowded(world_of, (1,))
    left = np.arange(180, 200)
    proposal = etal.propose(world.context(observed=start, acquired=acquired, available=left), 1)
    assert proposal.target_family == "b"
    assert proposal.reason.startswith("all families missed")


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
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
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
