"""Our own policies keep what every policy keeps: the suite that authors of plug-ins run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial

import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Policy, Proposal
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import make_policy as policy_of
from agent.pool.candidates import Candidate
from scenarios.run.offline import play_answered
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.testing.policies import PolicyContract
from scenarios.testing.questions import Question
from scenarios.world.world import build_world

ONE_BY_ONE = ("coverage", "etal_reference", "random", "round_robin")
"""Policies that score all candidates once, or none at all."""

IN_SEQUENCE = (
    "etal", "expected_improvement", "fidelity_gain", "gap_gain", "joint_entropy", "probability_of_exceeding",
    "uncertainty",
)  # fmt: skip
"""Policies that score each choice given those before it."""

OF_THEIR_OWN = {
    "causal": "substituted_benzenes",
    "d_optimal": "substituted_benzenes",
    "target_mean": "substituted_benzenes",
    "molecule_edits": "qm9_edits",
}
"""Policies of pools of a kind of their own, each with a scenario that has one."""

TOLD = {"causal_reference"}
"""Policies that are told the answer, a graph of all rows: they are for comparisons (`tests/system/causal`)."""


class _Ours(PolicyContract):
    @pytest.fixture
    def make_policy(self, name: str) -> Callable[[], Policy]:
        return partial(policy_of, name, {})


@pytest.mark.parametrize("name", ONE_BY_ONE)
class TestPoliciesThatScoreAllAtOnce(_Ours):
    pass


@pytest.mark.parametrize("name", IN_SEQUENCE)
class TestPoliciesThatChooseInSequence(_Ours):
    chooses_in_sequence = True


@cache
def questions_of(scenario: str, budget: int = 12) -> tuple[Question, ...]:
    """What the campaign of a scenario asks its policy, where the lowest index is chosen and any value comes."""
    settings = load_scenario(scenario, Overrides({"budget": budget, "policy": "random"}, ())).settings
    world, asked = build_world(settings), list[Question]()

    def lowest(context: AcquisitionContext, count: int) -> Proposal:
        asked.append(Question(f"decision {len(asked)}", context, count))
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), reason="the lowest index")

    start = {world.pool.index_of[each]: (value,) for each, value in world.start_observations()}

    def answer(each: Candidate) -> tuple[float]:
        return (3.0 + math.sin(world.pool.index_of[each.candidate_id]),)

    play_answered(world.pool, answer, start, settings.campaign, lowest)
    return tuple(asked[:3])


class _OfDesigns(_Ours):
    chooses_in_sequence = True

    @staticmethod
    def questions() -> Sequence[Question]:
        return questions_of("substituted_benzenes")


@pytest.mark.parametrize("name", ["causal", "d_optimal", "target_mean"])
class TestPoliciesOfDesigns(_OfDesigns):
    pass


@pytest.mark.parametrize("name", ["molecule_edits"])
class TestPoliciesThatMakeMolecules(_OfDesigns):
    @staticmethod
    def questions() -> Sequence[Question]:
        return questions_of("qm9_edits")


def test_every_policy_of_ours_is_held_to_the_contract() -> None:
    assert {*ONE_BY_ONE, *IN_SEQUENCE, *OF_THEIR_OWN, *TOLD} == set(BUILT_IN)
