"""The policy fidelity_gain: what it asks for and where, and what it does where cheap values tell nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Policy, Proposal
from agent.acquisition.fidelities.fidelity_gain import DEFAULT_PAIRS, FidelityGain, of_target
from agent.acquisition.gap_gain import GapGain
from agent.acquisition.registry import make_policy
from agent.entropy.bias import measure_bias
from agent.entropy.target_properties import TargetProperty
from protocols.errors import SettingsError
from tests.support.biased_worlds import NONE
from tests.support.labs.two_methods import CHEAP, DEAR, TwoMethodWorld, two_method_world


def indices(proposal: Proposal) -> list[int]:
    return [choice.index for choice in proposal.choices]


def methods(world: TwoMethodWorld, rows: Sequence[int]) -> list[int]:
    assert world.pool.fidelities is not None
    return [int(world.pool.fidelities.method[row]) for row in rows]


def paired(world: TwoMethodWorld, pairs: int = DEFAULT_PAIRS) -> np.ndarray:
    """Rows of the first pairs, as the policy asks for them."""
    asked: list[int] = []
    for _ in range(pairs):
        asked += indices(FidelityGain().propose(world.context(acquired=np.array(asked, dtype=np.int64)), 1))
    return np.array(asked, dtype=np.int64)


def mean_gap(world: TwoMethodWorld, rows: Sequence[int]) -> float:
    known = np.union1d(world.world.start, [row for row in rows if row < world.n]).astype(np.int64)
    codes = world.pool.family_codes[known]
    found = measure_bias(world.pool.families, codes, world.values[known], world.world.measure).mean_gap
    assert found is not None
    return found


def test_it_is_a_policy_that_wants_to_see_every_method() -> None:
    policy = make_policy("fidelity_gain", {"model_share": 0.3, "pairs": 4, "cheap_lesson": 0.5})
    assert isinstance(policy, Policy)
    assert FidelityGain.uses_fidelities
    assert not FidelityGain.runs_inline


def test_the_first_cheap_values_are_of_candidates_whose_dear_value_is_known_and_spread_over_these() -> None:
    world = two_method_world(0)
    assert world.pool.fidelities is not None
    rows = paired(world)
    assert set(methods(world, rows.tolist())) == {CHEAP}
    candidates = world.pool.fidelities.candidate[rows]
    assert np.isin(candidates, world.world.start).all()
    rank = np.searchsorted(np.sort(world.values[world.world.start]), world.values[candidates]) / len(world.world.start)
    assert np.abs(np.sort(rank) - (np.arange(6) + 0.5) / 6).max() < 0.05


def test_cheap_values_that_tell_are_asked_for_and_the_gaps_close_for_less() -> None:
    """At the same cost, over worlds that features tell little of: with a cheap method, and with the dear one alone."""
    with_cheap, alone = [], []
    for seed in range(4):
        world = two_method_world(seed, error=0.05, rough=0.8)
        asked = world.play(FidelityGain(), 160)
        assert CHEAP in methods(world, asked[DEFAULT_PAIRS:])
        with_cheap.append(mean_gap(world, asked))
        alone.append(mean_gap(world, world.play(_OnTarget(GapGain()), 160)))
    assert np.mean(with_cheap) < np.mean(alone)


def test_a_cheap_method_that_tells_nothing_is_found_out() -> None:
    """After the pairs hardly a cheap value more is paid for, and the gaps close as far as gap_gain closes them."""
    world = two_method_world(1, error=np.inf)
    asked = world.play(FidelityGain(), 300)
    cheap = methods(world, asked[DEFAULT_PAIRS:]).count(CHEAP)
    assert cheap <= 20
    dear = world.play(_OnTarget(GapGain()), 300)
    assert mean_gap(world, asked) < mean_gap(world, dear) + 0.1


def test_it_chooses_as_gap_gain_where_no_cheap_value_can_be_had() -> None:
    """Both are at the mode of the same posterior, though found on other ways: the same candidates, but near ties."""
    world = two_method_world(2)
    rows = np.arange(world.n)
    same = 0
    acquired: list[int] = []
    for _ in range(10):
        known = np.array(acquired, dtype=np.int64)
        left = np.setdiff1d(rows, np.union1d(world.world.start, known))
        context = world.context(acquired=known, available=left)
        chosen = indices(FidelityGain().propose(context, 1))
        same += chosen == indices(GapGain().propose(replace(context, pool=replace(world.pool, fidelities=None)), 1))
        acquired += chosen
    assert same >= 8


def test_where_both_methods_cost_the_same_the_dear_one_is_asked() -> None:
    world = two_method_world(3, costs=(20, 20))
    policy = FidelityGain(pairs=0)
    assert set(methods(world, world.play(policy, 200))) == {DEAR}


def test_a_cheap_method_that_is_the_dear_one_in_disguise_is_asked_first() -> None:
    world = two_method_world(4, error=0.0)
    asked = world.play(FidelityGain(), 120)
    assert methods(world, asked).count(CHEAP) > methods(world, asked).count(DEAR) > 0


def test_the_budget_ends_with_the_last_dear_value_that_it_pays() -> None:
    world = two_method_world(0)
    proposal = FidelityGain().propose(world.context(cost_left=19), 3)
    assert proposal.choices == ()
    assert proposal.reason == "19 of the budget are left, and a value by dear, which alone counts, costs 20"


def test_a_cheap_value_that_leaves_no_dear_one_to_recommend_is_not_bought() -> None:
    world = two_method_world(0)
    acquired = paired(world)
    proposal = FidelityGain().propose(world.context(acquired=acquired, cost_left=20), 5)
    assert methods(world, indices(proposal)) == [DEAR]


@pytest.mark.parametrize("cost_left", [25, 47, 300])
def test_a_batch_never_costs_more_than_is_left(cost_left: int) -> None:
    world = two_method_world(0)
    assert world.pool.fidelities is not None
    chosen = indices(FidelityGain().propose(world.context(acquired=paired(world), cost_left=cost_left), 12))
    assert len(set(chosen)) == len(chosen) > 0
    assert int(world.pool.fidelities.cost[chosen].sum()) <= cost_left


def test_nothing_is_asked_again_where_nobody_knows_of_noise() -> None:
    world = two_method_world(5, repetitions=2, per_family=20)
    assert world.pool.fidelities is not None
    asked = world.play(FidelityGain(model_share=1.0), 700)
    assert world.pool.fidelities.replicate[asked].max() == 0


def test_a_doubtful_value_is_asked_again_where_its_noise_is_known() -> None:
    """A cheap value of great noise, whose repetitions cost next to nothing."""
    world = two_method_world(5, repetitions=4, per_family=20, noise=0.6, costs=(1, 400))
    assert world.pool.fidelities is not None
    asked = world.play(FidelityGain(), 1_600)
    again = world.pool.fidelities.replicate[asked]
    assert again.max() > 0
    seen: dict[tuple[int, int], int] = {}
    for row in asked:
        key = (int(world.pool.fidelities.candidate[row]), int(world.pool.fidelities.method[row]))
        assert world.pool.fidelities.replicate[row] == seen.get(key, 1 if row_is_known(world, row) else 0)
        seen[key] = int(world.pool.fidelities.replicate[row]) + 1


def row_is_known(world: TwoMethodWorld, row: int) -> bool:
    assert world.pool.fidelities is not None
    own = world.pool.fidelities
    return int(own.method[row]) == DEAR and int(own.candidate[row]) in world.world.start


def test_one_method_alone_is_gap_gain_s() -> None:
    world = two_method_world(6)
    context = replace(world.context(), pool=replace(world.pool, fidelities=None))
    assert FidelityGain().propose(context, 2) == GapGain().propose(context, 2)


def test_several_properties_are_gap_gain_s_on_the_target() -> None:
    world = two_method_world(6)
    context = world.context()
    targets = (TargetProperty(name="a", measure=context.measure), TargetProperty(name="b", measure=context.measure))
    several = replace(context, targets=targets, additional=-context.values[:, None])
    assert world.pool.fidelities is not None
    expected = GapGain().propose(of_target(several, world.pool.fidelities), 2)
    assert FidelityGain().propose(several, 2) == expected


def test_too_few_dear_values_are_drawn_by_the_seed() -> None:
    world = two_method_world(7)
    bare = replace(world, world=replace(world.world, start=NONE))
    proposal = FidelityGain().propose(bare.context(seed=3, cost_left=50), 5)
    assert methods(world, indices(proposal)) == [DEAR, DEAR]
    assert proposal.reason.startswith("0 values by dear are too few to predict from; drawn at random")
    assert FidelityGain().propose(bare.context(seed=3, cost_left=50), 5) == proposal


@pytest.mark.parametrize("options", [{"pairs": -1}, {"cheap_lesson": 1.5}, {"model_share": -0.1}, {"active_rows": 0}])
def test_an_option_out_of_its_range_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(options))):
        make_policy("fidelity_gain", options)


class _OnTarget:
    """A policy that sees the rows of the target alone."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        told = context.pool.fidelities
        assert told is not None
        if context.cost_left < told.costs[-1]:
            return Proposal((), "spent")
        return self._policy.propose(of_target(context, told), count)
