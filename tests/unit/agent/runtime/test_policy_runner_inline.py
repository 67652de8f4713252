"""A policy that costs nothing is asked in this process, and a wrong name is refused before anything starts."""

from __future__ import annotations

import dataclasses

import pytest

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.registry import make_policy
from agent.campaign.context import pool_arrays
from agent.runtime.policy_runner import make_policy_runner
from protocols.errors import SettingsError
from tests.support.campaigns import Play, small_plan, small_pool

MINE = "tests.support.user_policies"


POOL = small_pool(40)


ARRAYS = pool_arrays(POOL)


def contexts(count: int) -> list[AcquisitionContext]:
    """The contexts of a campaign's first decisions."""
    played = Play(POOL, small_plan(POOL, budget=30, parallel=2), [f"c{i:03d}" for i in range(15)])
    played.settle()
    while len(played.contexts) < count:
        played.answer(played.awaited[0])
    return played.contexts[:count]


async def test_a_cheap_policy_decides_within_the_step() -> None:
    policy_runner = make_policy_runner(ARRAYS, "random", {})
    context = contexts(1)[0]
    now = policy_runner.propose_inline(context, 3)
    assert now == await policy_runner.propose(context, 3)
    assert now is not None
    assert len({choice.index for choice in now.choices}) == 3
    await policy_runner.close()


def test_an_unknown_policy_and_wrong_options_are_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError, match="There is no policy"):
        make_policy_runner(ARRAYS, "rondom", {})
    with pytest.raises(SettingsError, match="cannot be made with these options"):
        make_policy_runner(ARRAYS, f"{MINE}:Farthest", {"signum": 1})


async def test_a_context_that_names_a_policy_is_answered_by_it_within_the_step() -> None:
    policy_runner = make_policy_runner(ARRAYS, "random", {})
    context = contexts(1)[0]
    for named in ("", "round_robin", ""):
        asked = dataclasses.replace(context, policy=named)
        expected = make_policy(named or "random", {}).propose(context, 3)
        assert policy_runner.propose_inline(asked, 3) == await policy_runner.propose(asked, 3) == expected
    await policy_runner.close()
