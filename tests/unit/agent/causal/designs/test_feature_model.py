"""The model of features: what it follows, and the features that it leaves out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.causal.designs.blocks import CAUTION
from agent.causal.designs.closure import Closure, closure_of
from agent.causal.designs.closure_model import conditioned
from agent.causal.designs.feature_model import MOST_FEATURES, STARTS, FeatureModel
from agent.pool.designs import make_designs
from tests.support.samples.closures import Bed, made_up_bed

ROWS = np.arange(0, 50, 2)
NONE = np.zeros(len(ROWS))


def error(bed: Bed, features: np.ndarray, values: np.ndarray | None = None) -> float:
    """Root of the mean squared error of what was not seen."""
    assert bed.pool.designs is not None
    truth = bed.truth if values is None else values
    prior = FeatureModel(closure_of(bed.pool.designs), features).fit(ROWS, truth[ROWS], NONE)
    known = np.full(len(ROWS), prior.nugget)
    mean, _ = conditioned(prior.mean, prior.covariance, ROWS, truth[ROWS], known)
    rest = np.setdiff1d(np.arange(len(truth)), ROWS)
    return float(np.sqrt(np.mean((mean - truth)[rest] ** 2)))


def test_a_good_estimate_among_the_features_is_followed() -> None:
    bed = made_up_bed()
    assert error(bed, bed.pool.features) < 0.6 * error(bed, bed.pool.features[:, 1:])


def test_what_groups_add_is_found_without_any_feature() -> None:
    bed = made_up_bed()
    assert bed.pool.designs is not None
    adds = closure_of(bed.pool.designs).group_counts @ np.arange(6.0)
    assert error(bed, np.empty((len(adds), 0)), adds) < 0.2 * adds.std()


def test_a_constant_feature_is_left_out() -> None:
    bed = made_up_bed()
    constant = np.column_stack((bed.pool.features, np.full(len(bed.truth), 7.0)))
    assert error(bed, constant) == error(bed, bed.pool.features)


def test_many_features_share_two_blocks() -> None:
    bed = made_up_bed()
    noise = np.random.default_rng(1).normal(size=(len(bed.truth), MOST_FEATURES))
    many = np.column_stack((bed.pool.features, noise))
    assert np.isfinite(error(bed, many))
    assert bed.pool.designs is not None
    assert len(FeatureModel(closure_of(bed.pool.designs), many)._blocks) == 9


def test_the_unit_and_the_level_of_the_property_change_nothing_but_themselves() -> None:
    bed = made_up_bed()
    assert error(bed, bed.pool.features, 64.0 * bed.truth - 4096.0) == pytest.approx(
        64.0 * error(bed, bed.pool.features)
    )


def test_one_site_has_neither_pairs_nor_interactions() -> None:
    designs = make_designs(
        {"x": ["a", "a", "b", "b"], "y": ["p", "q"] * 2}, [0, 1, 2, 3], ["A", "AA", "BBB", "BBBB"], queried="x"
    )
    model = FeatureModel(closure_of(designs), np.empty((4, 0)))
    prior = model.fit(np.array([0, 3]), np.array([1.0, 2.0]), np.zeros(2))
    assert prior.mean.tolist() == [1.5] * 4
    assert np.linalg.eigvalsh(prior.covariance).min() > 0.0


@pytest.mark.parametrize("count", [0, 1])
def test_it_begins_with_no_value_or_one(count: int) -> None:
    bed = made_up_bed()
    assert bed.pool.designs is not None
    model = FeatureModel(closure_of(bed.pool.designs), bed.pool.features)
    prior = model.fit(ROWS[:count], bed.truth[ROWS[:count]], NONE[:count])
    assert np.isfinite(prior.covariance).all()


def test_with_one_site_what_a_group_makes_is_more_irregular_than_what_it_was_put_on() -> None:
    columns = {"group": ["-", "k"] * 3, "atom": ["1", "1", "2", "2", "3", "3"]}
    designs = make_designs(columns, range(6), ["C", "CC", "D", "DD", "E", "EE"], queried="group", reference="-")
    prior = FeatureModel(closure_of(designs), np.empty((6, 0))).fit(np.arange(0), np.empty(0), np.empty(0))
    caution = np.diag(prior.cautious - prior.covariance)
    np.testing.assert_allclose(caution[::2], (CAUTION - 1.0) * STARTS["own"])
    np.testing.assert_allclose(caution[1::2], (CAUTION - 1.0) * (STARTS["own"] + STARTS["interaction"]))


def of_three_places(truth_of: Callable[[int, int, int], float]) -> tuple[Closure, np.ndarray]:
    """A closure of a group and two place factors of five levels each, whose candidates have no features."""
    rows = [(x, y, z) for x in range(4) for y in range(5) for z in range(5)]
    columns = {name: [f"{name}{row[k]}" for row in rows] for k, name in enumerate("xyz")}
    texts = ["A" * (1 + number) for number in range(len(rows))]
    made = make_designs(columns, range(len(rows)), texts, queried="x")
    return closure_of(made), np.array([truth_of(*row) for row in rows])


def test_a_place_that_was_not_seen_is_known_by_its_factors() -> None:
    closure, truth = of_three_places(lambda x, y, z: 0.5 * x + np.sin(2.0 * y) + 0.3 * z)
    seen = np.flatnonzero([(number // 5) % 5 != 2 or number % 5 != 3 for number in range(len(truth))])
    rows = np.sort(np.random.default_rng(2).permutation(seen)[:40])
    prior = FeatureModel(closure, np.empty((len(truth), 0))).fit(rows, truth[rows], np.zeros(len(rows)))
    mean, _ = conditioned(prior.mean, prior.covariance, rows, truth[rows], np.full(len(rows), prior.nugget))
    unseen = np.setdiff1d(np.arange(len(truth)), seen)
    assert np.abs(mean - truth)[unseen].max() < 0.1 * truth.std()


def test_until_two_values_differ_no_scale_is_known() -> None:
    bed = made_up_bed()
    assert bed.pool.designs is not None
    model = FeatureModel(closure_of(bed.pool.designs), bed.pool.features)
    for number, values in ((0, []), (1, [0.003]), (3, [0.003] * 3), (1, [0.0])):
        assert not model.fit(ROWS[:number], np.array(values), NONE[:number]).has_scale
    assert model.fit(ROWS[:2], np.array([0.003, 0.004]), NONE[:2]).has_scale
    one, other = (model.fit(ROWS[:1], np.array([value]), NONE[:1]) for value in (0.003, 3.0))
    assert other.covariance == pytest.approx(1e6 * one.covariance)
