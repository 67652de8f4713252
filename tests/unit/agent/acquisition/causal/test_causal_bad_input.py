"""Bad input of the policies over designs: a clear outcome each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.d_optimal import DOptimal
from agent.acquisition.causal.exploiting import ExpectedImprovement, ProbabilityOfExceeding
from agent.acquisition.causal.target_mean import TargetMean
from agent.acquisition.registry import make_policy
from protocols.errors import SettingsError, TableError
from tests.support.samples.closures import Bed, context_of, made_up_bed, play, rows_of

BED = made_up_bed()
POLICIES = [Causal, DOptimal, ExpectedImprovement, ProbabilityOfExceeding, TargetMean]


def without_designs() -> Bed:
    return replace(BED, pool=replace(BED.pool, designs=None))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"width": -0.1}, "option width is -0.1"),
        ({"width": float("nan")}, "option width is nan"),
        ({"then": "rest"}, "option then is 'rest'"),
        ({"then": "act"}, "no threshold to act on"),
        ({"threshold": "high"}, "option threshold is 'high'"),
        ({"threshold": float("inf")}, "option threshold is inf"),
        ({"threshold": True}, "option threshold is True"),
        ({"start": -1}, "option start is -1"),
        ({"start": 2.5}, "option start is 2.5"),
        ({"model": "vector"}, "option model is 'vector'.*did you mean 'vectors'"),
        ({"model": 3}, "option model is 3"),
        ({"estimate": 3}, "option estimate is 3"),
        ({"trust_log": "yes"}, "option trust_log is 'yes'"),
        ({"treshold": 5.0}, "treshold.*use threshold instead"),
    ],
)
def test_a_wrong_option_is_refused_when_the_policy_is_made(options: dict[str, object], found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        make_policy("causal", options)


@pytest.mark.parametrize(
    ("name", "options", "found"),
    [
        ("target_mean", {"criterion": "mean"}, "option criterion is 'mean'"),
        ("target_mean", {"target": "six"}, "option target is 'six'"),
        ("expected_improvement", {"model": "simple"}, "option model is 'simple'"),
        ("probability_of_exceeding", {"threshold": []}, r"option threshold is \[\]"),
        ("d_optimal", {"start": -3}, "option start is -3"),
    ],
)
def test_a_wrong_option_of_the_others_as_well(name: str, options: dict[str, object], found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        make_policy(name, options)


@pytest.mark.parametrize("policy", [Causal(), DOptimal(), TargetMean(), ExpectedImprovement(model="auto", start=0)])
def test_a_pool_without_designs_is_refused_by_who_needs_them(policy: Causal) -> None:
    with pytest.raises(SettingsError, match=r"candidates are made by designs.*table of designs"):
        policy.propose(context_of(without_designs()), 1)


@pytest.mark.parametrize("policy", [ExpectedImprovement(), ProbabilityOfExceeding()])
def test_plain_policies_do_without_designs(policy: ExpectedImprovement) -> None:
    acquired = play(without_designs(), policy, 13)
    assert len(set(acquired)) == 13
    first = policy.propose(context_of(without_designs()), 1)
    assert first.reason == "a candidate drawn at random, number 1 of 10 to start from"


@pytest.mark.parametrize("make", POLICIES)
def test_an_empty_admissible_set_is_no_proposal(make: type[Causal]) -> None:
    context = context_of(BED, list(range(len(BED.truth))))
    proposal = make().propose(context, 1)
    assert proposal.choices == ()
    assert proposal.reason == "no candidate is available"


@pytest.mark.parametrize("make", POLICIES)
def test_more_than_is_left_is_all_that_is_left(make: type[Causal]) -> None:
    left = [3, 17]
    context = context_of(BED, [index for index in range(len(BED.truth)) if index not in left])
    policy = Causal(width=0.0, start=0) if make is Causal else make(start=0)
    proposal = policy.propose(context, 10)
    assert sorted(choice.index for choice in proposal.choices) == left


def test_an_estimate_that_the_pool_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(SettingsError, match=r"no feature 'gues'.*guess, noise"):
        Causal(estimate="gues", start=0).propose(context_of(BED), 1)


def test_an_estimate_that_is_constant_is_told() -> None:
    constant = replace(BED.pool, features=np.full((len(BED.truth), 2), 1.5))
    with pytest.raises(SettingsError, match=r"'guess' is 1\.5 for every candidate"):
        Causal(estimate="guess", start=0).propose(context_of(replace(BED, pool=constant)), 1)


@pytest.mark.parametrize("policy", [Causal(width=0.0), ExpectedImprovement(), ExpectedImprovement(model="features")])
def test_constant_features_are_no_obstacle(policy: Causal) -> None:
    constant = replace(BED, pool=replace(BED.pool, features=np.full((len(BED.truth), 2), 1.5)))
    assert len(set(play(constant, policy, 16))) == 16


def test_values_that_are_all_equal_are_no_obstacle() -> None:
    equal = replace(BED, truth=np.full(len(BED.truth), 2.0))
    for policy in (Causal(width=0.0, estimate="guess"), Causal(width=0.0), ExpectedImprovement(), TargetMean()):
        assert len(set(play(equal, policy, 16))) == 16


@pytest.mark.parametrize("threshold", [1e3, 1e12])
def test_a_threshold_that_nothing_reaches_is_said(threshold: float) -> None:
    acquired = play(BED, Causal(), 12)
    for policy in (
        Causal(width=100.0, threshold=threshold, estimate="guess"),
        ProbabilityOfExceeding(threshold=threshold),
    ):
        proposal = policy.propose(context_of(BED, acquired), 1)
        assert proposal.reason == f"nothing is likely to exceed {threshold:g}; this is the most likely (0)"
        assert proposal.choices[0].score == 0.0


def test_a_closure_with_holes_is_played_through() -> None:
    holes = made_up_bed([row for k, row in enumerate(rows_of()) if k % 7])
    for policy in (Causal(width=0.0, estimate="guess"), DOptimal(), TargetMean(estimate="guess")):
        assert len(set(play(holes, policy, 20))) == 20


def test_a_closure_of_other_groups_needs_no_other_settings() -> None:
    """Three groups, two places: nothing of the other closure is left in the policy."""
    small = made_up_bed([row for row in rows_of() if row[2] != "near" and set(row[:2]) <= {"-", "k", "q"}])
    acquired = play(small, Causal(width=0.0, estimate="guess", start=4), len(small.truth) + 5)
    assert sorted(acquired) == list(range(len(small.truth)))


def test_designs_that_make_no_closure_are_refused_where_they_are_read() -> None:
    with pytest.raises(TableError, match="occurs in one design"):
        made_up_bed([*rows_of(("-", "k", "m")), ("p", "-", "near")])
