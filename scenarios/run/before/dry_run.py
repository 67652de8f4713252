"""The first requests of a campaign as they would be sent: decided as the agent would, and sent to nobody.

Nothing is written: no run folder, no database, no recording. Of a campaign that is resumed a copy of its journal is
read, and the requests are those that would come next.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from agent.campaign.context import pool_arrays
from agent.campaign.decide import Consequence
from agent.campaign.events import CampaignStarted, Event, LimitsChanged, RequestIssued
from agent.campaign.ledger import Change, Ledger
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.limits.pace import free_at
from agent.run_files import DATABASE, PACE
from agent.runtime.admission.pace import TurnMemory
from agent.runtime.asked import AskedAttempts, facts_of
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import PolicyRunner, make_policy_runner
from agent.runtime.sendable import features_of
from agent.store.read_only import reading_journal
from protocols.mapping.mapping import compile_mapping
from protocols.wire.codec import decode_payload
from protocols.wire.messages import CandidateRequest
from scenarios.run.before.leave import Leave, leave_of
from scenarios.run.request import RunRequest
from scenarios.settings.model import Scenario
from scenarios.world.initial_events import initial_events

NOT_YET: Final = "dry-run"
"""Random part of the attempt ids of a campaign that has not begun: a real one has another."""


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request that would be sent.

    Attributes:
        topic: Where to.
        payload: What, as the broker would get it.
        not_before: When at the earliest, where there is a pace.
        takes: What it takes of each stock, and costs, by name.
    """

    topic: str
    payload: bytes
    not_before: datetime | None
    takes: Mapping[str, float]

    @property
    def content(self) -> Any:
        """The payload as JSON; of a lab's own messages also a text that is none."""
        try:
            return json.loads(self.payload)
        except ValueError:
            return self.payload.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would be sent first.

    Attributes:
        campaign: Name of the campaign.
        broker: Where to, without a password.
        leave: Whether the lab may be driven there.
        requests: Those that would go out before any answer is there, in order.
        ended: Why none would; empty where some would.
        barred: Why candidates may not be asked for, with how many each reason keeps out.
        left: What is left of each supply when these are sent, by name [its unit].
        units: Unit of each supply.
    """

    campaign: str
    broker: str
    leave: Leave
    requests: tuple[PlannedRequest, ...]
    ended: str
    barred: Mapping[str, int]
    left: Mapping[str, float]
    units: Mapping[str, str]


def first_requests(request: RunRequest) -> DryRun:
    """Decide the first requests of a campaign, or the next ones of one that is resumed.

    Args:
        request: What to run.

    Raises:
        StoreError: When there is nothing to resume, or its journal is damaged or of another pool.
        CampaignHalted: When the policy fails.
    """
    scenario, pool = request.scenario, request.world.pool
    settings = scenario.campaign
    ledger = Ledger.of_journal(pool, _events(request), settings.code)
    if ledger.campaign.asking.limits != settings.limits.asking:
        ledger.take(Consequence((LimitsChanged(settings.limits.asking),)))
    plan = ledger.campaign.plan
    runner = make_policy_runner(pool_arrays(pool), plan.policy, plan.policy_options, settings.code)
    changes = asyncio.run(_decided(ledger, runner))
    campaign = ledger.campaign
    available = np.flatnonzero(campaign.statuses == int(CandidateStatus.AVAILABLE)).tolist()
    limits = campaign.asking
    return DryRun(
        campaign=request.campaign,
        broker=scenario.broker.redacted_url,
        leave=leave_of(request),
        requests=tuple(_planned(request, ledger, changes)),
        ended=campaign.finish_reason or campaign.standing_reason,
        barred=limits.reasons(campaign.pool, available) if limits.is_limiting else {},
        left=limits.left,
        units={name: supply.unit for name, supply in limits.limits.supplies.items()},
    )


def _events(request: RunRequest) -> Sequence[Event]:
    """Return the journal of a campaign that is resumed, else how it would begin."""
    if request.resume:
        with reading_journal(request.folder / DATABASE, request.database_url) as (store, _):
            return list(store.journal())
    plan, start = initial_events(request.scenario, request.world, campaign=request.campaign, uid=NOT_YET)
    return [CampaignStarted(plan.model_copy(update={"approval": request.scenario.approval})), start]


async def _decided(ledger: Ledger, runner: PolicyRunner) -> list[Change]:
    """Decide until nothing more follows without an answer; return all that did."""
    changes: list[Change] = []
    try:
        while True:
            settled = ledger.settle(runner.propose_inline)
            changes.extend(settled.changes)
            if settled.question is None:
                return changes
            proposal = await runner.propose(settled.question.context, settled.question.needed.count)
            changes.extend(ledger.take(ledger.answer(settled.question, proposal)))
    finally:
        await runner.close()


def _planned(request: RunRequest, ledger: Ledger, changes: Sequence[Change]) -> Iterator[PlannedRequest]:
    scenario, campaign = request.scenario, ledger.campaign
    settings, now = scenario.campaign, datetime.now(UTC)
    messages = MessageBuilder(
        campaign.plan,
        evaluation_deadline_s=settings.evaluation_deadline_s,
        clock=lambda: now,
        lab_weight=settings.lab_weight,
        features_of=features_of(campaign) if settings.send_features else None,
    )
    lab = scenario.lab
    mapping = None if lab is None else compile_mapping(lab, facts_of(campaign.plan, settings, campaign.pool))
    asked = AskedAttempts(campaign, messages)
    issued = [each.event for each in changes if isinstance(each.event, RequestIssued)]
    times = _times(request, scenario, len(issued), now)
    for event, not_before in zip(issued, times, strict=True):
        attempt = campaign.attempts[event.attempt_id]
        item = messages.request(attempt, campaign.pool.candidate(event.candidate_id))
        if mapping is None or event.recipient not in mapping.instruments:
            yield PlannedRequest(item.topic, item.payload, not_before, event.takes)
            continue
        ours = decode_payload(item.payload)
        assert isinstance(ours, CandidateRequest)  # noqa: S101 - it has just been written
        *setpoints, last = mapping.messages_for(ours, event.recipient, asked.features_of(event.candidate_id))
        for each in setpoints:
            yield PlannedRequest(each.topic, each.payload, not_before, {})
        yield PlannedRequest(last.topic, last.payload, not_before, event.takes)


def _times(request: RunRequest, scenario: Scenario, count: int, now: datetime) -> list[datetime | None]:
    """Return when each of some requests would go out at the earliest; None for each where there is no pace."""
    pace = scenario.campaign.limits.pace
    if not pace.is_pacing:
        return [None] * count
    sent = [*TurnMemory(request.folder / PACE if request.resume else None).turns.values()]
    times: list[datetime | None] = []
    for _ in range(count):
        at = free_at(pace, sent, max((now, *sent)))
        sent.append(at)
        times.append(at)
    return times
