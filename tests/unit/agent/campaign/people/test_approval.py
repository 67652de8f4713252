"""Decisions that wait for a person: nothing of them goes out before, and no time lets one through."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.campaign import decide
from agent.campaign.events import ApprovalOverdue, DecisionMade, DecisionVetoed, DecisionWithdrawn, RequestIssued
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.approval import ApprovalSettings, needs_approval
from agent.campaign.plan import Ordering
from agent.pool.candidates import Candidate
from agent.pool.growth import NewCandidate
from protocols.wire.messages import ControlAction, ControlStatus
from tests.support.campaigns import Play, quantity, refold, small_plan, small_pool, state_of

POOL = small_pool(24)
ALWAYS = ApprovalSettings(required="always")
LEAD = Candidate("a", "trigonal", "PbTe")
SALT = Candidate("b", "cubic", "NaCl")
MADE = NewCandidate("c", "cubic", (0.1,), "CH4O")


def played(approval: ApprovalSettings = ALWAYS, **changes: object) -> Play:
    play = Play(POOL, small_plan(POOL, approval=approval, budget=6, **changes))
    play.settle()
    return play


@pytest.mark.parametrize(
    ("settings", "decision", "chosen", "new", "waits"),
    [
        ({"required": "never"}, 0, [LEAD], [], False),
        ({"required": "always"}, 99, [LEAD], [], True),
        ({"required": "first_n", "first": 2}, 1, [LEAD], [], True),
        ({"required": "first_n", "first": 2}, 2, [LEAD], [], False),
        ({"required": "rule", "elements": ("Pb",)}, 0, [SALT, LEAD], [], True),
        ({"required": "rule", "elements": ("Pb", "P")}, 0, [SALT], [], False),
        ({"required": "rule", "elements": ("O",)}, 0, [SALT], [MADE], True),
        ({"required": "rule", "families": ("trigonal",)}, 0, [LEAD], [], True),
        ({"required": "rule", "families": ("trigonal",)}, 0, [SALT], [MADE], False),
        ({"required": "rule", "new_candidates": True}, 0, [SALT], [], False),
        ({"required": "rule", "new_candidates": True}, 0, [SALT], [MADE], True),
    ],
)
def test_the_settings_say_which_decisions_wait(
    settings: dict[str, object], decision: int, chosen: list[Candidate], new: list[NewCandidate], waits: bool
) -> None:
    assert needs_approval(ApprovalSettings(**settings), decision, chosen, new) is waits


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"required": "rule"}, "says what the rule is"),
        ({"required": "always", "families": ("cubic",)}, "go with required"),
        ({"required": "rule", "elements": ("pb",)}, "'pb' is no chemical symbol"),
        ({"required": "sometimes"}, "never"),
        ({"required": "always", "timeout_s": 0}, "greater than 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ApprovalSettings(**settings)


def test_a_held_decision_asks_nobody_until_it_is_approved_and_then_as_ever() -> None:
    play = played()
    (made,) = play.of_kind(DecisionMade)
    assert (made.held, play.awaited, list(play.campaign.awaiting_approval)) == (True, [], [0])
    assert play.campaign.standing_reason == "decision 0 waits for approval"
    assert play.campaign.status_of(made.candidate_ids[0]) is CandidateStatus.HELD
    receipt = play.steer(ControlAction.APPROVE_DECISION, decision=0, operator="ada")
    assert receipt.status is ControlStatus.ACCEPTED
    assert [each.candidate_id for each in play.awaited] == list(made.candidate_ids)
    assert (play.awaited[0].number, play.awaited[0].decision, play.campaign.standing_reason) == (1, 0, "")
    play.answer(play.awaited[0])
    assert list(play.campaign.awaiting_approval) == [1]
    assert "does not wait" in play.steer(ControlAction.APPROVE_DECISION, decision=0).detail
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


def test_a_vetoed_decision_costs_nothing_and_its_candidates_are_never_chosen_again() -> None:
    play = played()
    play.steer(ControlAction.VETO_DECISION, decision=0, reason="no more gold")
    (vetoed,) = play.of_kind(DecisionVetoed)
    assert vetoed.reason == "no more gold"
    first, second = play.of_kind(DecisionMade)
    assert set(first.candidate_ids).isdisjoint(second.candidate_ids)
    assert (play.campaign.requested, play.campaign.spent) == (1, 0)
    assert play.campaign.status_of(first.candidate_ids[0]) is CandidateStatus.EXCLUDED
    play.steer(ControlAction.REQUEUE_CANDIDATE, first.candidate_ids[0])
    assert play.campaign.status_of(first.candidate_ids[0]) is CandidateStatus.AVAILABLE


def test_all_candidates_of_a_batch_are_asked_for_by_one_approval_and_each_has_its_own_turn() -> None:
    play = played(parallel=3, batch=3, recipients=("a", "b", "c"))
    play.steer(ControlAction.APPROVE_DECISION, decision=0)
    assert sorted(each.recipient for each in play.awaited) == ["a", "b", "c"]


def test_a_pause_holds_what_is_approved_and_what_is_resumed_goes_out() -> None:
    play = played()
    play.steer(ControlAction.PAUSE)
    play.steer(ControlAction.APPROVE_DECISION, decision=0)
    assert not play.of_kind(RequestIssued)
    play.steer(ControlAction.RESUME)
    assert len(play.of_kind(RequestIssued)) == 1


def test_a_stop_withdraws_what_waits_and_leaves_its_candidates_as_they_were() -> None:
    play = played()
    which = play.of_kind(DecisionMade)[0].candidate_ids[0]
    play.steer(ControlAction.STOP)
    assert [event.decision for event in play.of_kind(DecisionWithdrawn)] == [0]
    assert (play.campaign.phase, play.campaign.spent, play.campaign.requested) == (Phase.FINISHED, 0, 0)
    assert play.campaign.status_of(which) is CandidateStatus.AVAILABLE


@pytest.mark.parametrize("action", [ControlAction.EXCLUDE_CANDIDATE, ControlAction.ADD_OBSERVATION])
def test_a_candidate_that_is_closed_while_it_is_held_costs_nothing_and_ends_the_wait(action: ControlAction) -> None:
    play = played()
    which = play.of_kind(DecisionMade)[0].candidate_ids[0]
    fields = {"quantity": quantity(1.0)} if action is ControlAction.ADD_OBSERVATION else {}
    play.steer(action, which, **fields)
    assert list(play.campaign.awaiting_approval) == [1]
    assert play.campaign.requested == 1
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


def test_a_wait_that_is_too_long_holds_all_else_and_approves_nothing() -> None:
    play = played(
        ApprovalSettings(required="first_n", first=1, timeout_s=60.0), parallel=3, ordering=Ordering.AS_COMPLETED
    )
    assert len(play.awaited) == 2, "beside the decision that waits there is room for two"
    for _ in range(2):
        play.take(decide.decide_overdue(play.campaign, 0, 60.0))
    assert play.of_kind(ApprovalOverdue) == [ApprovalOverdue(0, 60.0)]
    while play.awaited:
        play.answer(play.awaited[0])
    assert len(play.of_kind(DecisionMade)) == 3
    assert play.campaign.standing_reason.endswith("for so long that nothing else is decided")
    assert decide.decide_overdue(play.campaign, 7, 60.0).events == ()
    play.steer(ControlAction.APPROVE_DECISION, decision=0)
    assert len(play.of_kind(DecisionMade)) > 3
