"""Orders of operators, approval and limits together: what is kept back stays, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from agent.campaign import decide, proposals
from agent.campaign.context import make_context
from agent.campaign.events import (
    CampaignFinished,
    CandidateAbandoned,
    DecisionMade,
    DecisionWithdrawn,
    LimitsChanged,
    RequestIssued,
    StopRuleFired,
)
from agent.campaign.life_cycle import Phase
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.stop_settings import StopSettings
from agent.pool.candidates import Candidate
from agent.pool.limits.settings import AskingLimits, Supply
from protocols.wire.messages import AddedCandidate, ControlAction, ControlStatus
from tests.support.campaigns import Play, first_available, quantity, refold, result_of, small_plan, small_pool, state_of

POOL = small_pool(24)
START = ("c000", "c001", "c002")


def stocked(available: float, **changes: Any) -> Play:
    limits = AskingLimits(stock={"Pd": Supply(available=available, per_request=1.0)})
    play = Play(POOL, small_plan(POOL, **({"budget": 8, "limits": limits} | changes)), START)
    play.settle()
    return play


def assert_same_after_a_refold(play: Play) -> None:
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


def test_what_a_held_decision_takes_is_kept_for_it_also_when_other_limits_come() -> None:
    play = stocked(2.0, parallel=2, approval=ApprovalSettings(required="always"))
    assert play.campaign.asking.left == {"Pd": 0.0}
    more = AskingLimits(stock={"Pd": Supply(available=2.0, per_request=1.0)}, parameters={"f0": (-99.0, 99.0)})
    play.fold(LimitsChanged(more))
    play.settle()
    assert len(play.of_kind(DecisionMade)) == 2
    for decision in (0, 1):
        assert play.steer(ControlAction.APPROVE_DECISION, decision=decision).status is ControlStatus.ACCEPTED
    assert len(play.of_kind(RequestIssued)) == 2
    assert not play.of_kind(CandidateAbandoned)
    assert_same_after_a_refold(play)


def test_a_veto_gives_the_share_back_and_it_is_used() -> None:
    play = stocked(1.0, parallel=2, approval=ApprovalSettings(required="first_n", first=1))
    assert len(play.of_kind(DecisionMade)) == 1
    play.steer(ControlAction.VETO_DECISION, decision=0)
    assert [each.takes for each in play.of_kind(RequestIssued)] == [{"Pd": 1.0}]
    assert_same_after_a_refold(play)


def test_what_may_not_be_asked_for_again_is_not_requeued() -> None:
    play = stocked(2.0)
    while play.awaited:
        play.answer(play.awaited[0])
    measured = play.of_kind(RequestIssued)[0].candidate_id
    assert play.of_kind(CampaignFinished)
    refused = play.steer(ControlAction.SET_BUDGET, budget=20)
    assert (refused.status, "may be asked for" in refused.detail) == (ControlStatus.REFUSED, True)
    running = stocked(2.0, parallel=1)
    running.answer(running.awaited[0])
    running.steer(ControlAction.RETRACT_OBSERVATION, measured)
    refused = running.steer(ControlAction.REQUEUE_CANDIDATE, measured)
    assert (refused.status, "too little is left of Pd" in refused.detail) == (ControlStatus.REFUSED, True)


def test_a_candidate_that_takes_less_than_nothing_is_never_asked_for() -> None:
    limits = AskingLimits(stock={"Pd": Supply(available=3.0, column="f0")}, parameters={"f0": (-99.0, 99.0)})
    play = Play(POOL, small_plan(POOL, budget=20, limits=limits), START)
    play.settle()
    while play.awaited:
        play.answer(play.awaited[0])
    taken = [each.takes["Pd"] for each in play.of_kind(RequestIssued)]
    assert min(taken) >= 0.0
    assert sum(taken) <= 3.0


@pytest.mark.parametrize("action", [ControlAction.AMEND_OBSERVATION, ControlAction.RETRACT_OBSERVATION])
def test_what_a_policy_says_of_values_that_were_corrected_meanwhile_is_dropped(action: ControlAction) -> None:
    play = Play(POOL, small_plan(POOL, budget=8), START)
    needed = proposals.decision_needed(play.campaign)
    assert needed is not None
    asked_at, context = play.campaign.sequence, make_context(play.campaign, play.arrays)
    amended = {"quantity": quantity(0.5)} if action is ControlAction.AMEND_OBSERVATION else {}
    order = play.campaign, START[0], amended
    play.fold(*decide.decide_control(order[0], _control(action, order[1], **order[2])).events)
    answer = first_available(context, needed.count)
    assert proposals.decide_proposal(play.campaign, needed, asked_at, answer).events == ()


def _control(action: ControlAction, which: str, **fields: Any) -> Any:
    from tests.support.campaigns import control

    return control(action, which, **fields)


def test_a_stop_rule_withdraws_what_waits_for_a_person() -> None:
    stop = StopSettings(when_even="stop", tolerance_nat=10.0)
    plan = small_plan(POOL, budget=6, parallel=2, stop=stop, approval=ApprovalSettings(required="always"))
    play = Play(POOL, plan, POOL.candidate_ids[:18])
    play.settle()
    play.steer(ControlAction.APPROVE_DECISION, decision=0)
    play.answer(play.awaited[0])
    play.take(decide.Consequence((StopRuleFired("when_even", 1, 0.0, "when_even: it is even", ""),)))
    assert play.of_kind(DecisionWithdrawn)
    assert not play.campaign.awaiting_approval
    assert play.campaign.phase is Phase.FINISHED


def test_a_campaign_that_was_stopped_and_reopened_is_not_taken_for_a_broken_lab() -> None:
    play = Play(POOL, small_plan(POOL, budget=12, parallel=12, max_attempts=1, give_up_after=5))
    play.settle()
    play.steer(ControlAction.STOP)
    for attempt in play.awaited:
        play.expire(attempt)
    assert play.campaign.phase is Phase.FINISHED
    assert play.steer(ControlAction.SET_BUDGET, budget=14).status is ControlStatus.ACCEPTED
    assert play.campaign.phase is Phase.RUNNING
    assert play.campaign.in_flight


def test_what_a_policy_has_drawn_of_its_pool_does_not_change_because_the_pool_grows() -> None:
    play = Play(POOL, small_plan(POOL, budget=4, policy="causal_reference"), START)
    new = AddedCandidate(candidate_id="zz", family="family-0", features=(0.0, 0.0, 0.0))
    refused = play.steer(ControlAction.ADD_CANDIDATES, candidates=(new,))
    assert (refused.status, "drawn of the pool at its start" in refused.detail) == (ControlStatus.REFUSED, True)


def test_additions_with_and_without_parameters_may_join_a_pool_that_has_none() -> None:
    play = Play(POOL, small_plan(POOL, budget=4), START)
    for name, parameters in (("a1", ()), ("a2", (quantity(1.0, name="t", unit="K"),)), ("a3", ())):
        new = AddedCandidate(candidate_id=name, family="family-0", features=(0.0, 0.0, 0.0), parameters=parameters)
        assert play.steer(ControlAction.ADD_CANDIDATES, candidates=(new,)).status is ControlStatus.ACCEPTED


def test_approval_by_elements_looks_at_what_a_candidate_is_made_of_and_assumes_the_worst_of_what_nobody_knows() -> None:
    from agent.campaign.people.approval import needs_approval

    rule = ApprovalSettings(required="rule", elements=("Pb",))
    assert needs_approval(rule, 0, [Candidate("x", "f", "PbO2")], ())
    assert needs_approval(rule, 0, [Candidate("x", "f", "sample 7")], ())
    assert not needs_approval(rule, 0, [Candidate("x", "f", "SnO2")], ())


def test_a_failure_that_comes_again_is_known_by_its_id() -> None:
    play = Play(POOL, small_plan(POOL, budget=4), START)
    play.settle()
    first = play.awaited[0]
    play.fail(first)
    assert play.campaign.attempts[first.attempt_id].failed_by
    play.take(decide.decide_result(play.campaign, result_of(play.awaited[0])))
