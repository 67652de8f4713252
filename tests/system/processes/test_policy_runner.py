"""Where a policy runs changes nothing about what it proposes, and its failure ends the campaign clearly."""

from __future__ import annotations

import asyncio
import dataclasses
import os

import numpy as np
import psutil
import pytest
from threadpoolctl import threadpool_limits

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.registry import make_policy
from agent.campaign.context import pool_arrays
from agent.entropy.measure import EntropyMeasure
from agent.runtime.policy_runner import ChildPolicyRunner, InlinePolicyRunner, PolicyRunner, make_policy_runner
from protocols.errors import CampaignHalted
from tests.support.campaigns import Play, small_plan, small_pool
from tests.support.user_policies import Growing

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


async def proposals(policy_runner: PolicyRunner, asked: list[AcquisitionContext], wanted: int = 2) -> list[Proposal]:
    try:
        return [await policy_runner.propose(context, wanted) for context in asked]
    finally:
        await policy_runner.close()


@pytest.mark.parametrize("policy", ["etal", "gap_gain", "uncertainty", "random"])
async def test_a_child_proposes_the_same_as_the_policy_in_this_process(policy: str) -> None:
    asked = contexts(4)
    with threadpool_limits(1, user_api="blas"):  # as the child has it
        here = await proposals(InlinePolicyRunner(make_policy(policy, {})), asked)
    there = await proposals(ChildPolicyRunner(ARRAYS, policy, {}), asked)
    for mine, its in zip(here, there, strict=True):
        assert [choice.index for choice in its.choices] == [choice.index for choice in mine.choices]
        # The last bits may differ with the place of an array in memory; decisions are made with a tolerance above it.
        for one, other in zip(mine.choices, its.choices, strict=True):
            assert one.score is other.score is None or other.score == pytest.approx(one.score, rel=1e-9)
        assert its.target_family == mine.target_family


async def test_a_child_started_anew_proposes_the_same_to_the_last_bit() -> None:
    asked = contexts(3)
    first, second = [await proposals(ChildPolicyRunner(ARRAYS, "etal", {}), asked) for _ in range(2)]
    assert first == second


async def test_a_child_is_asked_and_not_waited_for_within_the_transaction() -> None:
    child = ChildPolicyRunner(ARRAYS, "etal", {})
    answer: object = child.propose_inline(contexts(1)[0], 1)  # type: ignore[func-returns-value]
    assert answer is None
    await child.close()


async def test_a_user_s_own_policy_runs_in_a_child_with_its_options_even_if_it_prints() -> None:
    policy_runner = make_policy_runner(ARRAYS, f"{MINE}:Farthest", {"sign": -1.0})
    asked = contexts(2)
    first, second = await proposals(policy_runner, asked, wanted=1)
    available = asked[0].available
    assert first.choices[0].index == available[np.argmin(POOL.features[available, 0])]
    assert first.details["process"] == second.details["process"] != os.getpid()


async def test_a_policy_in_a_child_is_told_which_entropy_the_campaign_means() -> None:
    policy_runner = ChildPolicyRunner(ARRAYS, f"{MINE}:NamesTheMeasure", {})
    asked = [dataclasses.replace(contexts(1)[0], measure=EntropyMeasure("gaussian_kernel", 0.5))]
    (answer,) = await proposals(policy_runner, asked, wanted=1)
    assert answer.reason == "gaussian_kernel to 0.5"


async def test_a_child_knows_what_has_joined_the_pool_after_it_was_started_and_after_another_campaign() -> None:
    plan = small_plan(POOL, budget=6, policy="mine", grows_pool=True)
    played = Play(POOL, plan, [f"c{i:03d}" for i in range(15)], Growing().propose)
    played.settle()
    while played.awaited:
        played.answer(played.awaited[0])
    assert len(played.contexts[-1].pool.candidate_ids) == len(POOL) + 10
    asked = [*played.contexts, played.contexts[2], contexts(1)[0], played.contexts[-1]]
    expected = [Growing().propose(context, 2) for context in asked]
    assert await proposals(ChildPolicyRunner(ARRAYS, f"{MINE}:Growing", {}), asked) == expected
    child = ChildPolicyRunner(ARRAYS, f"{MINE}:Growing", {})
    for context, answer in zip(asked, expected, strict=True):
        assert await child.propose(context, 2) == answer
        await child.close()  # the next question starts it anew


async def test_no_child_is_left_after_close() -> None:
    before = {child.pid for child in psutil.Process().children()}
    policy_runner = make_policy_runner(ARRAYS, f"{MINE}:Farthest", {})
    await policy_runner.propose(contexts(1)[0], 1)
    started = {child.pid for child in psutil.Process().children()} - before
    assert len(started) == 1
    await policy_runner.close()
    assert not any(psutil.pid_exists(pid) for pid in started)


async def test_a_context_that_names_a_policy_is_answered_by_it_in_a_child_and_one_child_runs_at_a_time() -> None:
    before = {child.pid for child in psutil.Process().children()}
    policy_runner = make_policy_runner(ARRAYS, f"{MINE}:Farthest", {})
    context = contexts(1)[0]
    seen, answers = set(), []
    for named in ("", "uncertainty", ""):
        answers.append(await policy_runner.propose(dataclasses.replace(context, policy=named), 2))
        now = {child.pid for child in psutil.Process().children()} - before
        assert len(now) == 1
        seen |= now
    await policy_runner.close()
    assert len(seen) == 3
    assert not any(psutil.pid_exists(pid) for pid in seen)
    own, rest, again = answers
    assert own.reason == again.reason == "the farthest"
    (other,) = await proposals(ChildPolicyRunner(ARRAYS, "uncertainty", {}), [context])
    assert rest == other


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("Raising", "ArithmeticError: the matrix is singular"),
        ("CheapAndRaising", "ArithmeticError: the matrix is singular"),
        ("Fatal", "it ended with code 3 .asked twice"),
        ("Silent", "NoneType"),
        ("Unpicklable", "pickle"),
    ],
)
async def test_a_policy_that_fails_halts_the_campaign_and_says_how(policy: str, says: str) -> None:
    policy_runner = make_policy_runner(ARRAYS, f"{MINE}:{policy}", {})
    context = contexts(1)[0]
    with pytest.raises(CampaignHalted, match=rf"{policy}.*{says}.*--resume"):
        _ = policy_runner.propose_inline(context, 1) or await policy_runner.propose(context, 1)
    await policy_runner.close()


async def test_a_child_that_is_killed_with_a_question_open_is_asked_again_and_answers_the_same() -> None:
    asked = contexts(3)
    expected = await proposals(ChildPolicyRunner(ARRAYS, "etal", {}), asked)
    deaths: list[str] = []
    policy_runner = ChildPolicyRunner(ARRAYS, "etal", {}, on_death=deaths.append)
    answers = []
    for context in asked:
        before = set(psutil.Process().children())
        asking = asyncio.create_task(policy_runner.propose(context, 2))
        while not (children := set(psutil.Process().children()) - before):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        children.pop().kill()
        answers.append(await asking)
        await policy_runner.close()
    assert answers == expected
    assert deaths == ["it ended with code -9"] * 3


async def test_a_child_that_died_is_started_anew_at_the_next_question() -> None:
    policy_runner = ChildPolicyRunner(ARRAYS, f"{MINE}:Fatal", {})
    for _ in range(2):
        with pytest.raises(CampaignHalted, match="code 3"):
            await policy_runner.propose(contexts(1)[0], 1)
    await policy_runner.close()


async def test_a_cancelled_question_kills_the_child_so_that_its_answer_is_not_taken_for_the_next_one() -> None:
    policy_runner = ChildPolicyRunner(ARRAYS, f"{MINE}:Slow", {})
    before = set(psutil.Process().children())
    asking = asyncio.create_task(policy_runner.propose(contexts(1)[0], 1))
    while not (children := set(psutil.Process().children()) - before):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await policy_runner.close()
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
