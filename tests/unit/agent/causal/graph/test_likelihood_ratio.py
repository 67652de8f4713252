"""The first of some variables: against its definition, near ties, and how many pairs are looked at."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.causal.graph import likelihood_ratio
from agent.causal.graph.entropies import entropies
from agent.causal.graph.likelihood_ratio import Residuals
from agent.causal.graph.variables import standardise
from tests.support.samples.causal import EXPONENTIAL, LAPLACE, STUDENT, UNIFORM, named, random_system


def order_of(Z: np.ndarray) -> list[int]:
    """The order that `Residuals` gives to standardised rows, shape (d, n)."""
    residuals = Residuals(Z, Z @ Z.T / Z.shape[1])
    left, order = list(range(len(Z))), []
    while left:
        m = residuals.take_first(left, left)
        left.remove(m)
        order.append(m)
    return order


def order_by_definition(Z: np.ndarray) -> list[int]:
    """All pairs of all residuals, written down, in double precision."""
    left, order = list(range(len(Z))), []
    rows = Z.copy()
    f = Z.shape[1] / (Z.shape[1] - 1)

    def residual(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return one - f * (one @ other) / (other @ other) * other

    def entropy(row: np.ndarray) -> float:
        return float(entropies(row[None] / row.std(), np.ones((1, 1)))[0])

    while left:
        against = dict.fromkeys(left, 0.0)
        for i, j in itertools.permutations(left, 2):
            z, w = rows[i] / rows[i].std(), rows[j] / rows[j].std()
            difference = entropy(w) + entropy(residual(z, w)) - entropy(z) - entropy(residual(w, z))
            against[i] += min(0.0, difference) ** 2
        m = min(left, key=lambda i: against[i])
        order.append(m)
        left.remove(m)
        for i in left:
            rows[i] = residual(rows[i], rows[m])
    return order


def nearly_symmetric(seed: int, n: int = 400) -> np.ndarray:
    """Two causes that are alike but for 1e-5 in one value, and their effect; standardised, shape (3, 2 n)."""
    rng = np.random.default_rng(seed)
    a, b, e = rng.uniform(-1, 1, size=(3, n))
    rows = np.column_stack((np.append(a, b), np.append(b, a), np.tile(a + b + e, 2)))
    rows[0, 0] += 1e-5
    return standardise(named(rows)).Z


@pytest.mark.parametrize("noise", [UNIFORM, LAPLACE, EXPONENTIAL, STUDENT])
@pytest.mark.parametrize(("n", "d"), [(21, 4), (200, 6), (5000, 5)])
def test_the_order_is_that_of_the_definition(n: int, d: int, noise: object) -> None:
    for seed in range(4):
        variables, _ = random_system(seed, n, d, noise)  # type: ignore[arg-type]
        Z = standardise(variables).Z
        assert order_of(Z) == order_by_definition(Z)


def test_near_ties_are_decided_in_double_precision_where_single_precision_would_decide_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = [nearly_symmetric(seed) for seed in range(20)]
    truth = [order_by_definition(Z) for Z in samples]
    assert [order_of(Z) for Z in samples] == truth
    monkeypatch.setattr(likelihood_ratio, "SINGLE_ERROR", 0.0)
    assert [order_of(Z) for Z in samples] != truth


def test_variables_that_nothing_tells_apart_come_in_their_order() -> None:
    rng = np.random.default_rng(0)
    a, b, e = rng.uniform(-1, 1, size=(3, 400))
    rows = np.column_stack((np.append(a, b), np.append(b, a), np.tile(a + b + e, 2)))
    for columns in ([0, 1, 2], [1, 0, 2]):
        assert order_of(standardise(named(rows[:, columns])).Z)[:2] == [0, 1]


def test_single_precision_errs_by_less_than_is_allowed_for() -> None:
    for seed, (n, noise) in enumerate(
        itertools.product((21, 200, 1000, 5000), (UNIFORM, LAPLACE, EXPONENTIAL, STUDENT))
    ):
        columns = standardise(random_system(seed, n, 7, noise)[0])
        everything, nothing_known = np.eye(7), np.full(7, np.nan)
        pairs = [
            likelihood_ratio._Pairs(Z, everything, columns.correlations, (1.0, 1.0), nothing_known)
            for Z in (columns.Z.astype(np.float32), columns.Z)
        ]
        for each in pairs:
            each.nearest(range(7), np.zeros(7), np.inf)  # looks at all
        allowed = likelihood_ratio.SINGLE_ERROR * pairs[0].longest
        assert 0.0 < np.abs(pairs[0].roots() - pairs[1].roots()).max() < allowed
        assert 0.0 < np.abs(pairs[0]._D - pairs[1]._D).max() < allowed


def test_most_pairs_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(Z: np.ndarray, W: np.ndarray) -> np.ndarray:
        made.append(len(W))
        return entropies(Z, W)

    monkeypatch.setattr(likelihood_ratio, "entropies", counted)
    order_of(standardise(random_system(0, 1000, 20)[0]).Z)
    all_of_them = sum(k * k for k in range(2, 21))
    assert sum(made) < 0.5 * all_of_them


def test_two_variables_that_are_one_tell_nothing_of_each_other() -> None:
    rng = np.random.default_rng(0)
    a, e = rng.uniform(-1, 1, size=(2, 500))
    Z = standardise(named(np.column_stack((a + e, a, -2.0 * a)))).Z
    residuals = Residuals(Z, Z @ Z.T / 500)
    assert residuals.determined([0, 1, 2]) == []
    assert residuals.take_first([0, 1, 2], [0, 1, 2]) == 1
    assert residuals.determined([0, 2]) == [2]
