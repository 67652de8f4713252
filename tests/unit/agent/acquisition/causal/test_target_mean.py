"""Target mean: the acquisition against brute force over what each measurement would leave."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.causal.asked_designs import BelievedDesigns
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.target_mean import TargetMean, discrepancy, told_of_target
from agent.causal.belief import Belief
from tests.support.samples.closures import context_of, made_up_bed, play

BED = made_up_bed()
ACQUIRED = play(BED, Causal(), 14)
CONTEXT = context_of(BED, ACQUIRED)
TARGET = 4.0


@pytest.fixture(scope="module")
def belief() -> Belief:
    return BelievedDesigns("test", estimate="guess").known(CONTEXT).stated


def weights_of(mean: np.ndarray) -> np.ndarray:
    width = 1.06 * mean.std() * len(mean) ** -0.2
    density = np.array([np.exp(-0.5 * ((m - mean) / width) ** 2).sum() for m in mean])
    return (1.0 / density) / (1.0 / density).sum()


def variance_of_discrepancy(belief: Belief) -> np.ndarray:
    mean, std = belief.predict()
    return 2.0 * std**4 + 4.0 * std**2 * (mean - TARGET) ** 2


def test_it_is_the_fall_of_the_weighted_variance_of_the_discrepancy(belief: Belief) -> None:
    weights = weights_of(belief.predict()[0])
    before = weights @ variance_of_discrepancy(belief)
    falls = [before - weights @ variance_of_discrepancy(belief.after(i)) for i in range(len(BED.truth))]
    np.testing.assert_allclose(told_of_target(belief, TARGET), falls, atol=1e-10)


def test_the_variance_of_a_squared_discrepancy_is_what_draws_have(belief: Belief) -> None:
    rng = np.random.default_rng(0)
    mean, std = belief.predict()
    draws = mean[:6] + std[:6] * rng.normal(size=(400_000, 6))
    drawn = ((draws - TARGET) ** 2).var(axis=0)
    np.testing.assert_allclose(drawn, variance_of_discrepancy(belief)[:6], rtol=0.03)
    np.testing.assert_allclose(((draws - TARGET) ** 2).mean(axis=0), discrepancy(belief, TARGET)[:6], rtol=0.03)


@pytest.mark.parametrize("criterion", ["variance", "discrepancy"])
def test_the_best_of_what_is_left_is_chosen(belief: Belief, criterion: str) -> None:
    scores = told_of_target(belief, TARGET) if criterion == "variance" else -discrepancy(belief, TARGET)
    made = TargetMean(target=TARGET, criterion=criterion, estimate="guess")
    proposal = made.propose(CONTEXT, 2)
    best = CONTEXT.available[np.argmax(scores[CONTEXT.available])]
    assert proposal.choices[0].index == best
    assert "4" in proposal.reason
    assert proposal.choices[1].index != best


def test_the_greedy_choice_comes_near_the_target() -> None:
    made = TargetMean(target=TARGET, criterion="discrepancy", estimate="guess")
    acquired = play(BED, made, 24)
    off = np.abs(BED.truth[acquired] - TARGET)
    assert off[14:].mean() < 0.7 * np.abs(BED.truth - TARGET).mean()


def test_without_a_target_it_is_the_largest_value_so_far() -> None:
    largest = float(CONTEXT.values.max())
    proposals = [TargetMean(target=each, estimate="guess").propose(CONTEXT, 1) for each in (None, largest)]
    assert proposals[0] == proposals[1]


def test_candidates_that_are_all_alike_count_alike() -> None:
    n = 4
    alike = Belief(np.ones(n), np.eye(n), np.full(n, 0.1), np.empty((0, n)), ())
    gains = told_of_target(alike, TARGET)
    np.testing.assert_allclose(gains, gains[0])
