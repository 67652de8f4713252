"""The clock of decisions that wait for a person."""

from __future__ import annotations

from agent.campaign import decide
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import Ordering
from agent.runtime.approvals import Approvals
from agent.runtime.transaction import ApprovalMissing
from protocols.wire.messages import ControlAction
from tests.support.campaigns import Play, small_plan, small_pool

POOL = small_pool(12)


def waiting(timeout_s: float | None) -> tuple[Play, Approvals]:
    approval = ApprovalSettings(required="first_n", first=2, timeout_s=timeout_s)
    play = Play(POOL, small_plan(POOL, approval=approval, parallel=2, ordering=Ordering.AS_COMPLETED))
    play.settle()
    return play, Approvals(play.campaign)


def test_a_decision_that_waits_for_too_long_is_told_once_the_journal_knows_it_not() -> None:
    play, approvals = waiting(60.0)
    assert approvals.wait_s(10.0) == 60.0
    assert approvals.overdue(69.0) == []
    assert approvals.overdue(70.0) == [ApprovalMissing(0, 60.0), ApprovalMissing(1, 60.0)]
    play.take(decide.decide_overdue(play.campaign, 0, 60.0))
    assert approvals.overdue(71.0) == [ApprovalMissing(1, 60.0)]
    play.steer(ControlAction.APPROVE_DECISION, decision=1)
    assert approvals.overdue(72.0) == []
    assert approvals.wait_s(72.0) is None


def test_without_a_limit_there_is_nothing_to_wait_for() -> None:
    _, approvals = waiting(None)
    assert (approvals.wait_s(0.0), approvals.overdue(1e9)) == (None, [])
