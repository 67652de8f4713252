"""The belief over effects: conditioning in closed form, whatever order values and requests come in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.belief import NORMAL_90, Belief
from agent.causal.query_gain import query_gain


def belief(observes: bool, seed: int = 0) -> Belief:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    H = rng.normal(size=(9, 6)) if observes else None
    return Belief(
        mean=rng.normal(size=6),
        covariance=root @ root.T,
        noise=rng.uniform(0.1, 0.5, 9 if observes else 6),
        queries=rng.normal(size=(3, 6)),
        query_names=("a", "b", "c"),
        observes=H,
        factor=1.5,
    )


@pytest.mark.parametrize("observes", [False, True])
def test_the_gain_is_what_the_summed_variance_of_the_queries_falls_by(observes: bool) -> None:
    before = belief(observes)
    total = float(np.square(before.query_stds).sum())
    for candidate, gain in enumerate(query_gain(before)):
        after = before.after(candidate)
        assert total - float(np.square(after.query_stds).sum()) == pytest.approx(gain, rel=1e-9)


@pytest.mark.parametrize("observes", [False, True])
def test_values_one_by_one_are_values_at_once(observes: bool) -> None:
    prior = belief(observes)
    rows, values = [1, 4, 2], [0.3, -1.0, 2.0]
    H = np.eye(6) if prior.observes is None else prior.observes
    one_by_one = prior
    for row, value in zip(rows, values, strict=True):
        one_by_one = one_by_one.learned(row, value, float(prior.noise[row]))
    S = H[rows] @ prior.covariance @ H[rows].T + np.diag(prior.noise[rows])
    gain = prior.covariance @ H[rows].T @ np.linalg.inv(S)
    assert one_by_one.mean == pytest.approx(prior.mean + gain @ (np.array(values) - H[rows] @ prior.mean))
    assert one_by_one.covariance == pytest.approx(prior.covariance - gain @ H[rows] @ prior.covariance)


def test_a_request_changes_widths_and_no_mean() -> None:
    prior = belief(observes=True)
    asked = prior.after(3)
    assert (asked.mean == prior.mean).all()
    assert asked.covariance == pytest.approx(prior.learned(3, 7.0, float(prior.noise[3])).covariance)
    assert asked.mean_half_width < prior.mean_half_width


def test_half_widths_are_those_of_ninety_per_cent_with_the_stated_factor() -> None:
    known = belief(observes=False)
    assert known.half_widths == pytest.approx(NORMAL_90 * 1.5 * known.query_stds)
    assert known.mean_half_width == pytest.approx(known.half_widths.mean())


def test_what_is_known_exactly_is_asked_for_no_more() -> None:
    known = replace(belief(observes=False), noise=np.zeros(6)).learned(2, 1.0, 0.0)
    assert query_gain(known)[2] == pytest.approx(0.0, abs=1e-9)
    assert known.predict()[0][2] == pytest.approx(1.0)
