"""What follows by itself from state and metrics: what was found, the next attempt, an abandoned candidate, the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from agent.campaign.events import (
    MAX_REASON_LENGTH,
    CampaignFinished,
    CampaignPaused,
    CandidateAbandoned,
    Event,
    RequestIssued,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.presence import recipient_of, requeued
from agent.campaign.state import Campaign
from agent.campaign.stop_rules import NOTHING_NOTICED, Noticed, due
from agent.pool.growth import NewCandidate
from protocols.wire.attempt_ids import attempt_identity

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
    plan = campaign.plan
    events: list[Event] = []
    takes: list[Mapping[str, float]] = []
    for candidate_id, attempt_failure in campaign.retry_pending.items():
        made = campaign.attempts_made[candidate_id]
        interrupted = campaign.interruptions.get(candidate_id, 0)
        counted = made - interrupted - campaign.absence.forgiven.get(candidate_id, 0)
        used_up = counted >= plan.max_attempts or interrupted >= MAX_INTERRUPTIONS
        if attempt_failure.permanent or used_up or campaign.phase is Phase.STOPPING:
            events.append(CandidateAbandoned(candidate_id, _abandoned_reason(attempt_failure.reason, made)))
        elif campaign.phase is Phase.RUNNING:
            decision = campaign.decision_of[candidate_id]
            again = issue_request(campaign, candidate_id, decision, attempt=made + 1, turn=campaign.requested + made)
            takes.append(again.takes)
            if lacking := campaign.asking.lacking(takes):
                takes.pop()
                events.append(
                    CandidateAbandoned(candidate_id, f"{attempt_failure.reason}; for another attempt {lacking}")
                )
            else:
                events.append(again)
    if events := events or list(requeued(campaign)):
        return tuple(events)
    if campaign.phase is Phase.RUNNING and campaign.abandoned_in_a_row >= plan.give_up_after:
        return (CampaignPaused(f"the last {campaign.abandoned_in_a_row} candidates were all abandoned"),)
    reason = _finish_reason(campaign)
    return (CampaignFinished(reason),) if reason else ()


def issue_request(
    campaign: Campaign, candidate_id: str, decision: int, *, attempt: int, turn: int, new: NewCandidate | None = None
) -> RequestIssued:
    """Return the request of an attempt; those recipients that are there have their turns.

    Args:
        campaign: The state.
        candidate_id: Whom it asks for.
        decision: Which decision chose it.
        attempt: Number of the attempt, from 1.
        turn: Whose turn it is.
        new: The candidate, where it joins the pool by this very decision.
    """
    plan, pool, asking = campaign.plan, campaign.pool, campaign.asking
    recipient = recipient_of(campaign, turn)
    identity = attempt_identity(plan.uid, decision, candidate_id, attempt)
    if new is not None:
        takes = asking.on_new().takes(new, pool.feature_names) if asking.is_limiting else {}
        return RequestIssued(identity, candidate_id, decision, attempt, recipient, takes=takes)
    index = pool.index_of[candidate_id]
    source_id, takes = pool.candidates[index].source_id, asking.takes_of(pool, index)
    return RequestIssued(identity, candidate_id, decision, attempt, recipient, source_id, takes)


def _abandoned_reason(reason: str, attempts: int) -> str:
    return f"{reason} (after {attempts} attempt{'s' * (attempts != 1)})"[:MAX_REASON_LENGTH]


def _finish_reason(campaign: Campaign) -> str:
    if campaign.open_decisions or campaign.phase is Phase.PAUSED:
        return ""
    if campaign.phase is Phase.STOPPING:
        return "stopped by the operator"
    if asking_ended := _asking_ended(campaign):
        return asking_ended[:MAX_REASON_LENGTH]
    if campaign.requested >= campaign.plan.budget:
        return "the budget is spent"
    if not campaign.choosable_count and not campaign.may_grow:
        return _nothing_left(campaign)
    return ""


def _nothing_left(campaign: Campaign) -> str:
    """Say that no candidate is left to choose, and which limit keeps out most of those that are."""
    left = np.flatnonzero(campaign.statuses == int(CandidateStatus.AVAILABLE)).tolist()
    reasons = campaign.asking.reasons(campaign.pool, left) if campaign.asking.is_limiting else {}
    if not reasons:
        return "no candidate is left"
    first, count = next(iter(reasons.items()))
    told = f"no candidate is left that may be asked for: of {len(left)}, {count}: {first}"
    return told[:MAX_REASON_LENGTH]


def _asking_ended(campaign: Campaign) -> str:
    """Return why nothing more is asked for, though there are budget and candidates."""
    if campaign.fired is not None and campaign.is_stopped_by_rule:
        return f"the stop rule {campaign.fired.reason}"
    if campaign.policy_exhausted is not None:
        return f"the policy has nothing more to ask for: {campaign.policy_exhausted}"
    return ""
