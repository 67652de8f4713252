"""A campaign that is resumed decides the same to the bit, wherever it was interrupted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.acquisition.base import Policy
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.d_optimal import DOptimal
from agent.acquisition.causal.exploiting import ExpectedImprovement, ProbabilityOfExceeding
from agent.acquisition.causal.target_mean import TargetMean
from tests.support.samples.closures import context_of, made_up_bed

BED = made_up_bed()
MADE: dict[str, Callable[[], Policy]] = {
    "causal": lambda: Causal(estimate="guess", width=0.6, threshold=4.0),
    "causal without estimate": lambda: Causal(width=0.0),
    "d_optimal": DOptimal,
    "expected_improvement": ExpectedImprovement,
    "probability_of_exceeding": lambda: ProbabilityOfExceeding(model="auto", estimate="guess"),
    "target_mean": lambda: TargetMean(target=4.0, estimate="guess"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_policy_that_lived_through_and_a_fresh_one_propose_the_same(name: str) -> None:
    lived: Policy = MADE[name]()
    acquired: list[int] = []
    for decision in range(26):
        context = context_of(BED, acquired, decision=decision)
        proposal = lived.propose(context, 1)
        if decision % 5 == 3:
            assert MADE[name]().propose(context, 1) == proposal
            in_flight = context_of(BED, acquired[:-2], acquired[-2:], decision=decision)
            assert MADE[name]().propose(in_flight, 2) == lived.propose(in_flight, 2)
        acquired.append(proposal.choices[0].index)


@pytest.mark.parametrize("name", MADE)
def test_the_seed_decides_the_start_and_nothing_else(name: str) -> None:
    first, second = (MADE[name]().propose(context_of(BED, campaign_seed=seed), 3) for seed in (1, 2))
    assert first.choices != second.choices
    acquired = list(range(0, 24, 2))
    later = [MADE[name]().propose(context_of(BED, acquired, campaign_seed=seed), 2) for seed in (1, 2)]
    assert later[0] == later[1]
