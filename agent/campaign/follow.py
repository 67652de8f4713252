"""What follows by itself from state and metrics: what was found, the next attempt, an abandoned candidate, the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.campaign.events import (
    MAX_REASON_LENGTH,
    CampaignFinished,
    CampaignPaused,
    CandidateAbandoned,
    DecisionWithdrawn,
    Event,
    RequestIssued,
)
from agent.campaign.lab.assignment import Assigner
from agent.campaign.life_cycle import Phase
from agent.campaign.presence import requeued
from agent.campaign.standing import AttemptFailure
from agent.campaign.state import Campaign
from agent.campaign.stop_rules import NOTHING_NOTICED, Noticed, due
from protocols.wire.attempt_ids import attempt_identity

NOT_NEEDED: Final = "the campaign was stopped before it was approved"
"""Why a decision is withdrawn."""

MAX_INTERRUPTIONS: Final = 20
"""Attempts of one candidate that may be interrupted, beside `max_attempts`: a restart is not the candidate's fault,
but a candidate that takes its simulator down every time must end as well."""


def react(campaign: Campaign, noticed: Noticed = NOTHING_NOTICED) -> tuple[Event, ...]:
    """Return the events that follow by themselves from the state, or none.

    Ask again after folding them: abandoning may pause the campaign, and the last outcome ends it.

    Args:
        campaign: The state.
        noticed: What its metrics say.
    """
    if campaign.phase in {Phase.NEW, Phase.FINISHED}:
        return ()
    if found := due(campaign, noticed):
        return found
    if events := tuple(_of_waiting(campaign)) or tuple(requeued(campaign)):
        return events
    if campaign.phase is Phase.RUNNING and campaign.abandoned_in_a_row >= campaign.plan.give_up_after:
        return (CampaignPaused(f"the last {campaign.abandoned_in_a_row} candidates were all abandoned"),)
    reason = _finish_reason(campaign)
    return (CampaignFinished(reason),) if reason else ()


def _of_waiting(campaign: Campaign) -> Iterator[Event]:
    """Yield what becomes of what waits: asked for, abandoned, or withdrawn with the campaign."""
    plan = campaign.plan
    if campaign.phase is Phase.STOPPING:
        yield from (DecisionWithdrawn(decision, NOT_NEEDED) for decision in campaign.awaiting_approval)
    assigner = Assigner(campaign)
    room = plan.parallel - len(campaign.in_flight)  # of those that an operator wants again some may have to wait
    for candidate_id, attempt_failure in _waiting(campaign):
        made = campaign.attempts_made.get(candidate_id, 0)
        interrupted = campaign.interruptions.get(candidate_id, 0)
        counted = made - interrupted - campaign.absence.forgiven.get(candidate_id, 0)
        used_up = counted >= plan.max_attempts or interrupted >= MAX_INTERRUPTIONS
        if attempt_failure.permanent or used_up or campaign.phase is Phase.STOPPING:
            yield CandidateAbandoned(candidate_id, _abandoned_reason(attempt_failure.reason, made))
        elif campaign.phase is Phase.RUNNING and room > 0:
            decision, turn = campaign.decision_of[candidate_id], campaign.requested + made + attempt_failure.place
            assigned = assigner.assign(candidate_id, decision, made + 1, turn=turn)
            if assigned.never:
                yield CandidateAbandoned(candidate_id, _abandoned_reason(assigned.why, made))
            elif assigned.recipient:
                room -= 1
                yield issue_request(campaign, candidate_id, decision, assigned.recipient, attempt=made + 1)


def issue_request(
    campaign: Campaign, candidate_id: str, decision: int, recipient: str, *, attempt: int
) -> RequestIssued:
    """Return the request of an attempt."""
    identity = attempt_identity(campaign.plan.uid, decision, candidate_id, attempt)
    index = campaign.pool.index_of.get(candidate_id)  # of none where it joins by this very decision
    source_id = "" if index is None else campaign.pool.candidates[index].source_id
    return RequestIssued(identity, candidate_id, decision, attempt, recipient, source_id)


def _waiting(campaign: Campaign) -> list[tuple[str, AttemptFailure]]:
    """Return the candidates that wait, with why; where slots are scarce the one first that was chosen first."""
    waiting = list(campaign.retry_pending.items())
    if campaign.lab.announced:
        waiting.sort(key=lambda each: campaign.decision_of[each[0]])
    return waiting


def _abandoned_reason(reason: str, attempts: int) -> str:
    if not attempts:
        return f"{reason} (nobody was asked for it)"[:MAX_REASON_LENGTH]
    return f"{reason} (after {attempts} attempt{'s' * (attempts != 1)})"[:MAX_REASON_LENGTH]


def _finish_reason(campaign: Campaign) -> str:
    if campaign.open_decisions or campaign.phase is Phase.PAUSED:
        return ""
    if campaign.phase is Phase.STOPPING:
        return "stopped by the operator"
    if campaign.asking_ended:
        return campaign.asking_ended[:MAX_REASON_LENGTH]
    if campaign.requested >= campaign.budget:
        return "the budget is spent"
    if not campaign.available_count and not campaign.may_grow:
        return "no candidate is left"
    return ""
