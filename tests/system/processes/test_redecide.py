"""The same question gets the same answer today, or the difference is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.campaign.events import CampaignStarted, DecisionMade, Event
from scenarios.why.explanation import Verdict
from scenarios.why.redecide import propose_again
from tests.support.campaigns import Play, small_plan
from tests.support.samples.decided import VERSIONS, decided_journal, decided_plan, smooth_pool

POOL = smooth_pool()
JOURNAL = decided_journal(POOL, decided_plan(POOL, budget=4))


def with_plan(journal: list[Event], **changes: Any) -> list[Event]:
    started = journal[0]
    assert isinstance(started, CampaignStarted)
    return [replace(started, plan=started.plan.model_copy(update=changes)), *journal[1:]]


def with_made(journal: list[Event], decision: int, **changes: Any) -> list[Event]:
    return [
        replace(event, **changes) if isinstance(event, DecisionMade) and event.decision == decision else event
        for event in journal
    ]


@pytest.mark.parametrize("decision", [0, 3])
def test_the_same_decision_comes_out_again(decision: int) -> None:
    again = propose_again(JOURNAL, POOL, decision, VERSIONS)
    assert (again.verdict, again.why, again.notes) == (Verdict.SAME, "", ())
    made = [event for event in JOURNAL if isinstance(event, DecisionMade)][decision]
    assert again.candidate_ids == made.candidate_ids
    assert again.runner_up == made.runner_up


def test_a_batch_comes_out_again() -> None:
    journal = decided_journal(POOL, decided_plan(POOL, "random", parallel=3, batch=3, budget=6))
    assert propose_again(journal, POOL, 1, VERSIONS).verdict is Verdict.SAME


def test_another_choice_is_told_with_both() -> None:
    journal = decided_journal(POOL, decided_plan(POOL, "random"))
    other = with_plan(journal, seed=8)
    again = propose_again(other, POOL, 0, VERSIONS)
    made = next(event for event in journal if isinstance(event, DecisionMade))
    assert again.verdict is Verdict.DIFFERS
    assert again.why == f"{again.candidate_ids[0]} instead of {made.candidate_ids[0]}"


def test_the_same_choice_with_another_score_or_runner_up_is_noted() -> None:
    changed = with_made(JOURNAL, 1, scores=(0.125,), runner_up=None)
    again = propose_again(changed, POOL, 1, VERSIONS)
    assert again.verdict is Verdict.SAME
    assert "0.125 then" in again.notes[0]
    assert again.notes[1] == f"the runner-up is nobody then, {again.runner_up} now"


def test_other_versions_are_named_when_the_fingerprint_differs() -> None:
    other = with_made(JOURNAL, 0, fingerprint="0" * 12)
    again = propose_again(other, POOL, 0, VERSIONS | {"numpy": "of now"})
    assert again.verdict is Verdict.SAME
    assert again.notes[0].startswith("the fingerprint is 000000000000 then, ")
    assert again.notes[0].endswith(": numpy at the time then, of now now")


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("no.such.module:Policy", "there is no 'no.such.module' that is installed"),
        ("unheard_of", "There is no policy 'unheard_of'"),
        ("tests.support.user_policies:Raising", "the matrix is singular"),
        ("tests.support.user_policies:CheapAndRaising", "the matrix is singular"),
        ("tests.support.user_policies:Fatal", "ended with code 3"),
        ("tests.support.user_policies:Silent", "propose returned a NoneType"),
    ],
)
def test_a_policy_that_cannot_answer_is_told_and_brings_nothing_down(policy: str, words: str) -> None:
    again = propose_again(with_plan(JOURNAL, policy=policy), POOL, 0, VERSIONS)
    assert again.verdict is Verdict.NOT_ASKED
    assert words in again.why
    assert again.candidate_ids == ()


def test_a_policy_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.why.redecide.LONGEST_PROPOSAL_S", 0.2)
    again = propose_again(with_plan(JOURNAL, policy="tests.support.user_policies:Slow"), POOL, 0, VERSIONS)
    assert (again.verdict, again.why) == (Verdict.NOT_ASKED, "The policy did not answer within 0.2 s")


def test_a_proposal_outside_of_the_pool_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = "tests.support.user_policies:Beyond"
    again = propose_again(with_plan(JOURNAL, policy=policy), POOL, 0, VERSIONS)
    assert again.why == "the policy of today proposes what is not in the pool"


def test_a_policy_that_asks_for_nothing_today_is_told_with_its_reason() -> None:
    policy = "tests.support.user_policies:Content"
    again = propose_again(with_plan(JOURNAL, policy=policy), POOL, 0, VERSIONS)
    assert again.verdict is Verdict.DIFFERS
    assert again.why.startswith("nothing (all is even) instead of c0")


def test_options_that_the_policy_does_not_take_any_more_are_told() -> None:
    again = propose_again(with_plan(JOURNAL, policy_options={"zeal": 3}), POOL, 0, VERSIONS)
    assert "cannot be made with these options" in again.why


def test_a_decision_in_a_campaign_that_waits_for_its_order_comes_out_again() -> None:
    play = Play(POOL, small_plan(POOL, policy="tests.support.user_policies:First", parallel=3, budget=6))
    play.settle()
    play.answer(play.awaited[2])
    play.answer(play.awaited[0])
    assert propose_again(play.journal, POOL, 3, VERSIONS).verdict is Verdict.SAME
