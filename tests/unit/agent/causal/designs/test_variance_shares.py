"""What each kind of factor explains of a variance: Sobol's indices, of kinds, and what is believed of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.causal.belief import Belief
from agent.causal.designs.variance_shares import INTERPLAY, believed_shares, kinds_of, true_shares
from agent.pool.designs import Designs, make_designs
from tests.support.samples.closures import made_up_bed, rows_of

LEVELS = {"a": "pqr", "b": "pqr", "c": "xy", "d": "123"}
CELLS = list(itertools.product(*LEVELS.values()))
COLUMNS = dict(zip(LEVELS, zip(*CELLS, strict=True), strict=True))
TEXTS = [f"m{number:02d}" for number in range(len(CELLS))]
DESIGNS = make_designs(COLUMNS, range(len(CELLS)), TEXTS, queried="a", reference="p")


def values(**effects: float) -> np.ndarray:
    """Effects of factors and, by names such as `a_c`, of products of two, all of mean 0."""
    codes = {factor: np.array([LEVELS[factor].index(row[k]) for row in CELLS]) for k, factor in enumerate(LEVELS)}
    centred = {factor: code - code.mean() for factor, code in codes.items()}
    terms = [size * np.prod([centred[each] for each in name.split("_")], axis=0) for name, size in effects.items()]
    return np.sum(terms, axis=0)


def believed(mean: np.ndarray, covariance: np.ndarray) -> Belief:
    n = len(mean)
    return Belief(mean, covariance, np.zeros(n), np.zeros((0, n)), ())


def test_factors_of_the_same_levels_are_one_kind() -> None:
    assert kinds_of(DESIGNS) == ((0, 1), (2,), (3,))


def test_shares_are_those_of_the_parts_that_a_sum_is_made_of() -> None:
    parts = {"a": 0.4, "a_b": 0.5, "c": 1.0, "d": 0.3, "b_d": 0.8}
    variances = {name: float(values(**{name: size}).var()) for name, size in parts.items()}
    whole = sum(variances.values())
    told = true_shares(DESIGNS, values(**parts))
    assert told["a and b"] == pytest.approx((variances["a"] + variances["a_b"]) / whole)
    assert told["c"] == pytest.approx(variances["c"] / whole)
    assert told["d"] == pytest.approx(variances["d"] / whole)
    assert told[INTERPLAY] == pytest.approx(variances["b_d"] / whole)


def test_a_kind_takes_part_in_what_it_explains_and_in_its_interplay() -> None:
    mean = values(a=0.4, c=1.0, b_d=0.8)
    shares = {each.name: each for each in believed_shares(DESIGNS, believed(mean, np.zeros((len(mean), len(mean)))))}
    told = true_shares(DESIGNS, mean)
    assert shares["d"].own == pytest.approx(0.0, abs=1e-12)
    assert shares["d"].total == pytest.approx(told[INTERPLAY])
    assert shares["a and b"].total == pytest.approx(told["a and b"] + told[INTERPLAY])
    assert shares["c"].total == pytest.approx(shares["c"].own)


def test_of_what_is_known_the_interval_has_no_width_and_holds_the_truth() -> None:
    mean = values(a=0.4, c=1.0, b_d=0.8)
    truth = true_shares(DESIGNS, mean)
    for each in believed_shares(DESIGNS, believed(mean, 1e-12 * np.eye(len(mean)))):
        assert each.low <= each.own <= each.high
        assert each.high - each.low < 1e-5
        assert each.own == pytest.approx(truth[each.name], abs=1e-5)


def test_what_is_not_known_widens_the_interval_and_goes_to_the_interplay() -> None:
    mean = values(a=0.4, c=1.0)
    sure = {each.name: each for each in believed_shares(DESIGNS, believed(mean, 0.01 * np.eye(len(mean))))}
    unsure = {each.name: each for each in believed_shares(DESIGNS, believed(mean, 0.25 * np.eye(len(mean))))}
    assert unsure["c"].high - unsure["c"].low > 2.0 * (sure["c"].high - sure["c"].low)
    assert unsure[INTERPLAY].own > sure[INTERPLAY].own > 0.0


def test_the_same_belief_has_the_same_shares_in_any_unit() -> None:
    mean, covariance = values(a=0.4, c=1.0), 0.1 * np.eye(len(CELLS))
    told = believed_shares(DESIGNS, believed(mean, covariance))
    assert believed_shares(DESIGNS, believed(mean, covariance)) == told
    other = believed_shares(DESIGNS, believed(1000.0 * mean, 1e6 * covariance))
    for one, another in zip(told, other, strict=True):
        figures = [(each.own, each.low, each.high, each.total) for each in (one, another)]
        assert figures[1] == pytest.approx(figures[0], rel=1e-9)


def test_of_a_constant_nothing_is_explained() -> None:
    shares = believed_shares(DESIGNS, believed(np.full(len(CELLS), 3.0), np.zeros((len(CELLS), len(CELLS)))))
    assert [each.own for each in shares[:-1]] == [0.0, 0.0, 0.0]


def test_a_candidate_of_several_designs_counts_in_each() -> None:
    bed = made_up_bed()
    designs = bed.pool.designs
    assert designs is not None
    table = np.zeros((6, 6, 3))
    table[tuple(designs.codes.T)] = bed.truth[designs.candidate]
    told = true_shares(designs, bed.truth)
    assert told["place"] == pytest.approx(table.mean(axis=(0, 1)).var() / table.var())
    assert told["x and y"] == pytest.approx(table.mean(axis=2).var() / table.var())


def test_a_closure_with_holes_has_no_shares() -> None:
    holed: Designs | None = made_up_bed(rows_of()[:-1]).pool.designs
    assert holed is not None
    assert holed.missing_cells == 1
    n = int(holed.candidate.max()) + 1
    assert true_shares(holed, np.arange(float(n))) == {}
    assert believed_shares(holed, believed(np.arange(float(n)), np.eye(n))) == ()
