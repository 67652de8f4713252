"""Input that nobody wishes for has a defined outcome each: the table in `agent.acquisition.etal`, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.acquisition import shared_surrogate
from agent.acquisition.base import Proposal
from agent.acquisition.etal import EntropyTargeted
from agent.entropy.measure import default_resolution
from agent.pool.candidates import Candidate, make_pool
from agent.surrogate import queries
from agent.surrogate.errors import SurrogateError
from agent.surrogate.standardise import Standardisation, measure_columns
from protocols.errors import TableError
from tests.support.biased_worlds import World

etal = EntropyTargeted()


def is_sound(proposal: Proposal) -> bool:
    """Distinct choices, finite figures, not negative scores."""
    indices = [choice.index for choice in proposal.choices]
    scores = [choice.score for choice in proposal.choices if choice.score is not None]
    finite = all(math.isfinite(figure) for figure in (*scores, *proposal.details.values()))
    return len(set(indices)) == len(indices) > 0 and finite and all(score >= 0.0 for score in scores)


def one_family(world_of: Callable, features: np.ndarray, truth: np.ndarray) -> World:
    return world_of(features, np.zeros(len(truth), dtype=np.int64), ("a",), truth)


def test_candidates_with_the_same_features_are_candidates_each(world_of: Callable) -> None:
    """Every row ten times: equal scores, the lowest index first, and a batch that does not take them all of one row."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 2))
    features = np.repeat(rows, 10, axis=0)
    world = one_family(world_of, features, np.repeat(rows[:, 0], 10))
    context = world.context(observed=np.arange(0, 100, 10))
    proposal = etal.propose(context, 4)
    assert is_sound(proposal)
    assert proposal.choices[0].index % 10 in {0, 1}  # the first of its row that is not labelled
    assert len({choice.index // 10 for choice in proposal.choices}) > 1
    alone = etal.propose(context, 1)
    assert alone.runner_up is not None
    assert alone.runner_up.index == alone.choices[0].index + 1
    assert alone.runner_up.score == alone.choices[0].score


@pytest.mark.parametrize("lengthscales", ["one", "each"])
def test_features_that_are_all_constant_leave_candidates_equal(world_of: Callable, lengthscales: str) -> None:
    truth = np.random.default_rng(0).normal(size=40)
    world = one_family(world_of, np.full((40, 3), 7.0), truth)
    proposal = EntropyTargeted(lengthscales=lengthscales).propose(world.context(observed=np.arange(12)), 3)
    assert is_sound(proposal)
    assert [choice.index for choice in proposal.choices] == [12, 13, 14]


def test_one_constant_feature_changes_nothing(biased: Callable) -> None:
    world = biased(0)
    more = np.column_stack((world.pool.features, np.full(len(world.truth), 3.0)))
    pool = type(world.pool)(world.pool.candidate_ids, more, world.pool.family_codes, world.pool.families)
    assert etal.propose(type(world)(pool, world.truth, world.start).context(), 3) == etal.propose(world.context(), 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_feature_that_is_not_finite_is_refused_with_the_pool(bad: float) -> None:
    features = np.array([[1.0, 2.0], [3.0, bad]])
    with pytest.raises(TableError, match=r"Feature 'y' of candidate 'b' is (nan|inf).*Expected.*finite.*What to do"):
        make_pool([Candidate("a", "f"), Candidate("b", "f")], features, ("x", "y"))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_feature_that_is_not_finite_is_refused_by_the_surrogate_too(biased: Callable, bad: float) -> None:
    """For pools that were made in another way."""
    world = biased(0)
    world.pool.features[5, 2] = bad
    with np.errstate(invalid="ignore"), pytest.raises(SurrogateError, match=r"column 2.*not finite"):
        etal.propose(world.context(), 1)


def test_a_family_without_a_labelled_row_comes_first_and_is_predicted_from_the_others(biased: Callable) -> None:
    world = biased(6)
    kept = world.start[world.pool.family_codes[world.start] != 2]
    proposal = etal.propose(world.context(observed=kept), 6)
    assert is_sound(proposal)
    assert proposal.target_family == "trigonal"
    assert proposal.reason.startswith("trigonal has no entropy (0 values); largest predicted deviation")
    families = world.pool.family_codes[[choice.index for choice in proposal.choices]]
    assert families[0] == 2  # then those in flight give it an entropy, and it is compared


def test_values_that_are_all_equal_have_the_entropy_of_the_resolution(world_of: Callable) -> None:
    """Anything else gains, so the largest deviation is chosen; no tie makes the entropy infinite."""
    rng = np.random.default_rng(0)
    world = one_family(world_of, rng.normal(size=(40, 3)), np.full(40, 0.7))
    context = world.context(observed=np.arange(12))
    proposal = etal.propose(context, 3)
    assert is_sound(proposal)
    assert proposal.details["entropy_before"] == context.measure.entropy(np.full(12, 0.7))
    assert proposal.details["expected_gain"] > 0.0


def test_equal_values_acquired_over_and_over_leave_the_family_out(world_of: Callable) -> None:
    rng = np.random.default_rng(0)
    truth = np.concatenate((np.full(50, 0.7), rng.normal(size=50)))
    world = world_of(rng.normal(size=(100, 2)), np.repeat([0, 1], 50), ("a", "b"), truth)
    start = np.concatenate((np.arange(10), np.arange(50, 60)))
    assert etal.propose(world.context(observed=start), 1).target_family == "a"
    after = world.context(observed=start, acquired=np.arange(10, 20))
    assert etal.propose(after, 1).target_family == "b"


@pytest.mark.parametrize("count", [1, 5])
def test_one_candidate_left_is_chosen_without_a_runner_up(biased: Callable, count: int) -> None:
    world = biased(1)
    left = np.setdiff1d(np.arange(480), world.start)[-1:]
    proposal = etal.propose(world.context(available=left), count)
    assert is_sound(proposal)
    assert [choice.index for choice in proposal.choices] == left.tolist()
    assert proposal.runner_up is None


def test_no_candidate_left_is_said(biased: Callable) -> None:
    world = biased(1)
    proposal = etal.propose(world.context(available=np.empty(0, dtype=np.int64)), 1)
    assert proposal.choices == ()
    assert proposal.reason == "no candidate is available"


@pytest.mark.parametrize("which", ["one", "both ends", "every family"])
def test_outliers_of_a_million_deviations_leave_all_figures_finite(biased: Callable, which: str) -> None:
    world = biased(2)
    by_family = [world.start[world.pool.family_codes[world.start] == code] for code in range(3)]
    deviation = float(world.truth.std())
    world.truth[by_family[1][0]] = 1e6 * deviation
    if which != "one":
        world.truth[by_family[1][1]] = -1e6 * deviation
    if which == "every family":
        world.truth[[by_family[0][0], by_family[2][0]]] = 1e6 * deviation
    assert is_sound(etal.propose(world.context(), 4))
    flight = np.array([choice.index for choice in etal.propose(world.context(), 4).choices])
    assert is_sound(etal.propose(world.context(pending=np.sort(flight)), 1))


def test_an_outlier_in_one_family_leaves_the_others_as_they_are(biased: Callable) -> None:
    """The poorest of the others is enriched as if the outlier were not there; what it hits counts as rich."""
    world, hit = biased(2), biased(2)
    outlier = hit.start[hit.pool.family_codes[hit.start] == 0][3]
    hit.truth[outlier] = 1e6 * float(world.truth.std())
    plain, beside = etal.propose(world.context(), 3), etal.propose(hit.context(), 3)
    assert plain.target_family == beside.target_family == "tetragonal"
    assert beside.details["entropy_before"] == pytest.approx(plain.details["entropy_before"], abs=0.01)
    assert [c.index for c in beside.choices] == [c.index for c in plain.choices]


def test_an_outlier_does_not_make_all_other_values_equal() -> None:
    """The default resolution is a part of the spread of most values, not of a deviation that one value makes."""
    x = np.random.default_rng(0).normal(size=200)
    assert default_resolution(np.append(x, 1e6)) == pytest.approx(default_resolution(x), rel=0.05)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_pool_larger_than_memory_is_streamed_from_its_file(
    biased: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labelled: bool
) -> None:
    """Features in a memory map, no covariance kept, blocks of 50 rows at most: the proposals of the pool in memory.

    Also for a family without a labelled row, which is predicted from the others. The statistics of the columns are
    those of one block for both (test_standardise has blocks of any size): where their last bits differ, a search of
    lengthscales may end elsewhere by a thousandth.
    """
    world = biased(3)
    kept = world.start if labelled else world.start[world.pool.family_codes[world.start] != 1]
    path = tmp_path / "features.f64"
    world.pool.features.tofile(path)
    mapped = np.memmap(path, dtype=np.float64, mode="r", shape=world.pool.features.shape)
    pool = type(world.pool)(world.pool.candidate_ids, mapped, world.pool.family_codes, world.pool.families)
    in_memory = etal.propose(world.context(observed=kept), 3)
    read: list[int] = []

    def apply(columns: Standardisation, rows: np.ndarray) -> np.ndarray:
        read.append(len(rows))
        return original(columns, rows)

    original = Standardisation.apply
    monkeypatch.setattr(Standardisation, "apply", apply)
    monkeypatch.setattr(queries, "KEPT_BYTES", 0)
    monkeypatch.setattr(queries, "BLOCK_ROWS", 50)
    monkeypatch.setattr(shared_surrogate, "BLOCK_ROWS", 50)
    streamed = EntropyTargeted(memory_mib=0).propose(type(world)(pool, world.truth, kept).context(), 3)
    assert max(read) <= 50
    assert [c.index for c in streamed.choices] == [c.index for c in in_memory.choices]
    assert streamed.choices[0].score == pytest.approx(in_memory.choices[0].score, rel=1e-6)


def test_the_statistics_of_an_empty_row_of_features_are_no_columns() -> None:
    """A table without a numeric column: all candidates are alike."""
    assert measure_columns(np.empty((5, 0))).apply(np.empty((2, 0))).shape == (2, 0)
