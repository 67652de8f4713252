"""Conditioning on some components, against the textbook."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.closure_model import conditioned
from agent.surrogate.errors import SurrogateError


def test_conditioning_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(8, 8))
    mean, C = rng.normal(size=8), root @ root.T
    rows, values, noise = np.array([6, 1, 3]), rng.normal(size=3), np.array([0.1, 0.2, 0.3])
    S = C[np.ix_(rows, rows)] + np.diag(noise)
    gain = C[:, rows] @ np.linalg.inv(S)
    found_mean, found = conditioned(mean, C, rows, values, noise)
    np.testing.assert_allclose(found_mean, mean + gain @ (values - mean[rows]))
    np.testing.assert_allclose(found, C - gain @ C[rows], atol=1e-12)


def test_no_values_change_nothing() -> None:
    mean, C = np.ones(3), np.eye(3)
    empty = np.empty(0)
    assert conditioned(mean, C, np.empty(0, dtype=np.int64), empty, empty) == (mean, C)


def test_what_is_no_covariance_is_refused() -> None:
    with pytest.raises(SurrogateError, match="2 values has no Cholesky factor"):
        conditioned(np.zeros(2), -np.eye(2), np.array([0, 1]), np.zeros(2), np.full(2, 1e-3))
