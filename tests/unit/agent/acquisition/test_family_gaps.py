"""The loss over all gaps, its expected fall, and the nodes that the expectation stands on."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.family_gaps import expected_fall, nodes, squared_gaps

H = np.array([1.0, 0.2, -0.5])


def loss_after(code: int, change: float) -> float:
    h = H.copy()
    h[code] += change
    return float(np.square(h.max() - h).sum())


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_fall_is_the_mean_over_the_nodes_of_what_each_closes(code: int) -> None:
    """Below, at and above the richest; T is taken anew each time."""
    added, weights = np.array([[-0.3, 0.4, 1.7, 2.5]]), np.array([0.1, 0.2, 0.3, 0.4])
    expected = sum(w * (squared_gaps(H) - loss_after(code, d)) for d, w in zip(added[0], weights, strict=True))
    assert expected_fall(H, code, added, weights, credit=1.0)[0] == pytest.approx(expected)


def test_a_fall_of_the_richest_earns_its_credit_and_its_rise_counts_whole() -> None:
    weights = np.ones(1)
    falls, rises = np.array([[-0.4]]), np.array([[0.4]])
    whole = squared_gaps(H) - loss_after(0, -0.4)
    assert whole > 0.0
    for credit in (0.0, 0.25, 1.0):
        assert expected_fall(H, 0, falls, weights, credit)[0] == pytest.approx(credit * whole)
        assert expected_fall(H, 0, rises, weights, credit)[0] == pytest.approx(squared_gaps(H) - loss_after(0, 0.4))


def test_raising_a_poor_family_closes_more_than_a_less_poor_one_by_as_much() -> None:
    added = np.array([[0.2]])
    poorest, middle = (expected_fall(H, code, added, np.ones(1), 0.0)[0] for code in (2, 1))
    assert poorest > middle > 0.0


def test_one_family_has_no_gaps() -> None:
    assert squared_gaps(np.array([0.3])) == 0.0
    assert expected_fall(np.array([0.3]), 0, np.array([[0.5], [-0.5]]), np.ones(1), 1.0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("properties", [1, 2, 3])
def test_nodes_have_the_moments_of_a_normal(properties: int) -> None:
    at, weights = nodes(properties)
    assert at.shape == (properties, len(weights))
    assert weights.sum() == pytest.approx(1.0)
    assert at @ weights == pytest.approx(np.zeros(properties), abs=1e-12)
    assert (at * weights) @ at.T == pytest.approx(np.eye(properties), abs=0.08 if properties > 1 else 2e-3)
