"""The model of vectors: what it predicts, in which unit, and that it is a pure function of its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.designs.closure import closure_of
from agent.causal.designs.closure_model import ClosurePrior, conditioned
from agent.causal.designs.vector_estimate import vector_estimate
from agent.causal.designs.vector_model import VectorModel
from tests.support.samples.closures import Bed, made_up_bed

ROWS = np.arange(0, 50, 2)
NONE = np.zeros(len(ROWS))


def model_of(bed: Bed, factor: float = 1.0) -> VectorModel:
    assert bed.pool.designs is not None
    closure = closure_of(bed.pool.designs)
    estimate = factor * bed.pool.features[:, 0]
    return VectorModel(closure, vector_estimate(closure, estimate), float(estimate.std()))


def predicted(prior: ClosurePrior, bed: Bed, factor: float = 1.0) -> np.ndarray:
    values = factor * bed.truth[ROWS]
    return conditioned(prior.mean, prior.covariance, ROWS, values, np.full(len(ROWS), prior.nugget))[0]


def test_it_predicts_the_rest_far_better_than_their_mean_and_than_the_estimate() -> None:
    bed = made_up_bed()
    rest = np.setdiff1d(np.arange(len(bed.truth)), ROWS)
    off = predicted(model_of(bed).fit(ROWS, bed.truth[ROWS], NONE), bed) - bed.truth
    assert np.sqrt(np.mean(off[rest] ** 2)) < 0.25 * bed.truth.std()
    by_estimate = bed.pool.features[:, 0] - bed.truth
    assert np.sqrt(np.mean(off[rest] ** 2)) < 0.8 * np.sqrt(np.mean(by_estimate[rest] ** 2))


def test_what_is_irregular_in_the_estimate_too_is_learned_from_other_candidates() -> None:
    bed = made_up_bed()
    rng = np.random.default_rng(3)
    irregular = rng.normal(size=len(bed.truth))
    truth = bed.truth + 0.8 * irregular
    rest = np.setdiff1d(np.arange(len(truth)), ROWS)

    def error(shared: np.ndarray) -> float:
        estimate = np.column_stack((np.abs(bed.truth + shared), bed.pool.features[:, 1]))
        told = replace(bed, pool=replace(bed.pool, features=estimate), truth=truth)
        off = predicted(model_of(told).fit(ROWS, truth[ROWS], NONE), told) - truth
        return float(np.sqrt(np.mean(off[rest] ** 2)))

    assert error(irregular) < 0.6 * error(rng.permutation(irregular))


def test_before_any_value_it_follows_the_estimate() -> None:
    bed = made_up_bed()
    prior = model_of(bed).fit(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    assert np.corrcoef(prior.mean, bed.pool.features[:, 0])[0, 1] > 0.9
    assert prior.nugget > 0.0


def test_the_unit_of_the_property_changes_nothing_but_the_unit() -> None:
    bed = made_up_bed()
    plain = model_of(bed).fit(ROWS, bed.truth[ROWS], NONE)
    scaled = model_of(bed, 64.0).fit(ROWS, 64.0 * bed.truth[ROWS], NONE)
    np.testing.assert_array_equal(scaled.mean, 64.0 * plain.mean)
    np.testing.assert_array_equal(scaled.covariance, 64.0**2 * plain.covariance)


def test_the_same_rows_give_the_same_bits_whatever_came_before() -> None:
    bed = made_up_bed()
    model = model_of(bed)
    model.fit(ROWS[:7], bed.truth[ROWS[:7]], NONE[:7])
    again, fresh = (each.fit(ROWS, bed.truth[ROWS], NONE) for each in (model, model_of(bed)))
    np.testing.assert_array_equal(again.mean, fresh.mean)
    np.testing.assert_array_equal(again.cautious, fresh.cautious)


def test_caution_adds_variance_where_it_is_irregular_and_nowhere_else() -> None:
    bed = made_up_bed()
    prior = model_of(bed).fit(ROWS, bed.truth[ROWS], NONE)
    added = prior.cautious - prior.covariance
    assert (np.diag(added) > 0.0).all()
    np.testing.assert_allclose(added - np.diag(np.diag(added)), 0.0, atol=1e-12)


def test_values_that_came_with_an_uncertainty_are_followed_less() -> None:
    bed = made_up_bed()
    wrong = bed.truth[ROWS].copy()
    wrong[3] += 5.0
    uncertain = NONE.copy()
    uncertain[3] = 25.0
    off = []
    for noise in (NONE, uncertain):
        prior = model_of(bed).fit(ROWS, wrong, noise)
        mean, _ = conditioned(prior.mean, prior.covariance, ROWS, wrong, prior.nugget + noise)
        off.append(np.abs(mean - bed.truth).mean())
    assert off[1] < 0.8 * off[0]


def test_values_that_are_all_equal_are_no_obstacle() -> None:
    bed = made_up_bed()
    prior = model_of(bed).fit(ROWS, np.full(len(ROWS), 2.0), NONE)
    assert np.isfinite(prior.mean).all()
    assert np.linalg.eigvalsh(prior.covariance).min() > -1e-9


@pytest.mark.parametrize("group", ["k", "q"])
def test_it_learns_what_a_group_adds(group: str) -> None:
    """A group whose estimate is off is put right by a few of its values."""
    bed = made_up_bed(seed=2)
    designs = bed.pool.designs
    assert designs is not None
    has = closure_of(designs).group_counts[:, designs.groups.index(group)] > 0.0
    prior = model_of(bed).fit(ROWS, bed.truth[ROWS], NONE)
    rest = has & ~np.isin(np.arange(len(has)), ROWS)
    before = bed.pool.features[rest, 0] - bed.truth[rest]
    after = predicted(prior, bed)[rest] - bed.truth[rest]
    assert np.sqrt(np.mean(after**2)) < np.sqrt(np.mean(before**2))
