"""What follows by itself from state and metrics: what was found, the next attempt, an abandoned candidate, the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

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
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.presence import requeued
from agent.campaign.standing import AttemptFailure
from agent.campaign.state import Campaign
from agent.campaign.stop_rules import NOTHING_NOTICED, Noticed, due
from agent.pool.growth import NewCandidate
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
    if campaign.phase is Phase.STOPPING or campaign.is_stopped_by_rule:
        yield from (DecisionWithdrawn(decision, NOT_NEEDED) for decision in campaign.awaiting_approval)
    assigner, takes = Assigner(campaign), list[Mapping[str, float]]()
    room = campaign.plan.parallel - len(campaign.in_flight)  # of those that an operator wants again some may wait
    for candidate_id, why in _waiting(campaign):
        made = campaign.attempts_made.get(candidate_id, 0)
        if _is_given_up(campaign, candidate_id, why):
            yield CandidateAbandoned(candidate_id, _abandoned_reason(why.reason, made))
        elif campaign.phase is Phase.RUNNING and room > 0:
            if limit := _why_limited(campaign, candidate_id, takes):
                yield CandidateAbandoned(candidate_id, f"{why.reason}; for another attempt {limit}"[:MAX_REASON_LENGTH])
                continue
            decision, turn = campaign.decision_of[candidate_id], campaign.chosen_count + made + why.place
            assigned = assigner.assign(candidate_id, decision, made + 1, turn=turn)
            if assigned.never:
                yield CandidateAbandoned(candidate_id, _abandoned_reason(assigned.why, made))
            elif assigned.recipient:
                room -= 1
                issued = issue_request(campaign, candidate_id, decision, assigned.recipient, attempt=made + 1)
                if not campaign.asking.has_reserved(candidate_id):
                    takes.append(issued.takes)
                yield issued


def _is_given_up(campaign: Campaign, candidate_id: str, why: AttemptFailure) -> bool:
    """Tell whether a candidate that waits gets no further attempt."""
    made, interrupted = campaign.attempts_made.get(candidate_id, 0), campaign.interruptions.get(candidate_id, 0)
    counted = made - interrupted - campaign.absence.forgiven.get(candidate_id, 0)
    used_up = counted >= campaign.plan.max_attempts or interrupted >= MAX_INTERRUPTIONS
    return why.permanent or used_up or campaign.phase is Phase.STOPPING


def _why_limited(campaign: Campaign, candidate_id: str, takes: list[Mapping[str, float]]) -> str:
    """Return which limit is against one more request of a candidate, beside those that `takes` tells of."""
    asking, pool = campaign.asking, campaign.pool
    if not asking.is_limiting or asking.has_reserved(candidate_id):
        return ""
    index = pool.index_of[candidate_id]
    return asking.why_barred(pool, index) or asking.lacking([*takes, asking.takes_of(pool, index)])


def issue_request(
    campaign: Campaign,
    candidate_id: str,
    decision: int,
    recipient: str,
    *,
    attempt: int,
    new: NewCandidate | None = None,
) -> RequestIssued:
    """Return the request of an attempt.

    Args:
        campaign: The state.
        candidate_id: Whom it asks for.
        decision: Which decision chose it.
        recipient: Who is asked.
        attempt: Number of the attempt, from 1.
        new: The candidate, where it joins the pool by this very decision.
    """
    pool, asking = campaign.pool, campaign.asking
    identity = attempt_identity(campaign.plan.uid, decision, candidate_id, attempt)
    if new is not None:
        takes = asking.on_new().takes(new, pool.feature_names) if asking.is_limiting else {}
        return RequestIssued(identity, candidate_id, decision, attempt, recipient, takes=takes)
    index = pool.index_of[candidate_id]
    source_id, takes = pool.candidates[index].source_id, asking.takes_of(pool, index)
    return RequestIssued(identity, candidate_id, decision, attempt, recipient, source_id, takes)


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
    if not campaign.affordable_count:
        return "the budget is spent"
    if not campaign.choosable_count and not campaign.may_grow:
        return _nothing_left(campaign)
    return ""


def _nothing_left(campaign: Campaign) -> str:
    """Say that no candidate is left to choose, and which limit keeps out most of those that are."""
    is_left = campaign.statuses == int(CandidateStatus.AVAILABLE)
    if (known := campaign.pool.fidelities) is not None:
        is_left &= known.is_candidate if campaign.rest_policy else True
        if is_left.any() and not (is_left & (known.cost <= campaign.cost_left)).any():
            return "the budget is spent: what is left of it pays none of the measurements that are left"
    left = np.flatnonzero(is_left).tolist()
    reasons = campaign.asking.reasons(campaign.pool, left) if campaign.asking.is_limiting else {}
    if not reasons:
        return "no candidate is left"
    first, count = next(iter(reasons.items()))
    told = f"no candidate is left that may be asked for: of {len(left)}, {count}: {first}"
    return told[:MAX_REASON_LENGTH]
