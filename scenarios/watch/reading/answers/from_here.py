"""What another policy would have done from a decision on: the campaign as that decision found it, and recorded answers.

What was known when the decision was made is the start, with what was in flight then and was answered: that came to any
policy. What the campaign had closed stays closed. The budget is what was left. A candidate that was never measured has
no answer, and is counted as unknown, never guessed (see `scenarios.what_if.what_if`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.acquisition.built_in import BUILT_IN
from agent.campaign.events import DecisionMade, Event
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.plan import CampaignPlan, CampaignPlanSettings
from agent.campaign.state import Campaign
from agent.pool.candidates import Candidate
from agent.run_files import DATABASE, RECORDING
from agent.settings import CampaignSettings
from agent.store.read_only import reading_journal
from protocols.errors import SettingsError, StoreError
from scenarios.display.progress import no_progress
from scenarios.replay.replay import asking
from scenarios.run.offline import Measured, OfflineRun, play_answered
from scenarios.settings.stored import arithmetic_of
from scenarios.sources.recording_source import Source, open_source
from scenarios.sources.scenario import Overrides, layered_over
from scenarios.what_if.what_if import NEVER_GIVE_UP

CLOSED: Final = (int(CandidateStatus.EXCLUDED), int(CandidateStatus.ABANDONED), int(CandidateStatus.RETRACTED))
"""Where a candidate is closed without a value."""


def what_if_from(folder: Path, database: str | None, policy: str, decision: int) -> dict[str, Any]:
    """Play the rest of a campaign by another policy; return what is told of it as plain values.

    Args:
        folder: Of the run.
        database: Of another database than the folder's own, or than it remembers.
        policy: The other policy, with its options as they are by default.
        decision: The first decision that it makes.

    Raises:
        StoreError: When there is no such decision, or the run's pool cannot be made again.
        SettingsError: When there is no such policy, or this cannot be played.
    """
    with reading_journal(folder / DATABASE, database) as (store, _):
        events = list(store.journal())
    source = open_source(folder / RECORDING, None, no_progress)
    row, recorded = _decisions(events, decision)
    then = Ledger.of_journal(source.world.pool, events[: row - 1])
    now = Ledger.of_journal(source.world.pool, events)
    settings = _settings(source, then.campaign, policy)
    other = _played(source, then.campaign, now.campaign, settings)
    first = then.observation + (len(_start(then.campaign, now.campaign)) - then.campaign.observations)
    return {
        "measured": len(other.acquired),
        "unknown": len(other.unknown),
        "first_difference": _first_difference(recorded, other.events, decision),
        "trajectory": _columns(other, first),
        "is_final": True,
    }


def _decisions(events: Sequence[Event], decision: int) -> tuple[int, list[DecisionMade]]:
    """Return the journal's row of a decision, and the decisions from there on.

    Raises:
        StoreError: When there is none.
    """
    made = [(row, event) for row, event in enumerate(events, 1) if isinstance(event, DecisionMade)]
    if not 0 <= decision < len(made):
        raise StoreError(f"The journal holds no decision {decision}", expected=f"one of {len(made)}")
    return made[decision][0], [event for _, event in made[decision:]]


def _settings(source: Source, then: Campaign, policy: str) -> CampaignSettings:
    """Return the settings of the rest of the campaign, by another policy."""
    plan = then.plan
    if plan.fidelities:
        raise SettingsError(
            "A campaign that chooses among methods cannot be played on from a decision",
            expected="a campaign with one method",
            action="`entropilot what-if` plays it from its beginning",
        )
    left = then.budget - then.requested
    if left < 1:
        raise SettingsError("Nothing is left of the budget at this decision", expected="an earlier decision")
    given = layered_over(source.scenario, f"recording {source.path.name}", Overrides({"policy": policy}, ())).campaign
    told = {name: getattr(plan, name) for name in CampaignPlanSettings.model_fields}
    told |= {"policy": policy, "policy_options": given.policy_options, "property": plan.property_name}
    told |= {"additional_properties": given.additional_properties, "budget": left, "give_up_after": NEVER_GIVE_UP}
    other = given.model_copy(update=told)
    return other.keeping_metrics_of(_as_it_was(given, plan)) if plan.policy in BUILT_IN else other


def _as_it_was(given: CampaignSettings, plan: CampaignPlan) -> CampaignSettings:
    return given.model_copy(update={"policy": plan.policy, "policy_options": plan.policy_options})


def _start(then: Campaign, now: Campaign) -> dict[int, Measured]:
    """Return what is known at the beginning: values of then, and of what was in flight then, by pool index."""
    pool = then.pool
    known = {int(index): then for index in np.flatnonzero(~np.isnan(then.values))}
    for attempt in then.in_flight.values():
        index = pool.index_of[attempt.candidate_id]
        if not np.isnan(now.values[index]):
            known[index] = now
    return {index: _measured(campaign, index) for index, campaign in sorted(known.items())}


def _measured(campaign: Campaign, index: int) -> Measured:
    values = (float(campaign.values[index]), *campaign.additional[index].tolist())
    return Measured(values, tuple(campaign.uncertainties[index].tolist()))


def _played(source: Source, then: Campaign, now: Campaign, settings: CampaignSettings) -> OfflineRun:
    pool, start = then.pool, _start(then, now)

    def answer(candidate: Candidate) -> Measured | None:
        index = now.pool.index_of[candidate.candidate_id]
        return None if np.isnan(now.values[index]) else _measured(now, index)

    closed = np.flatnonzero(np.isin(then.statuses, CLOSED))
    pending = [pool.index_of[each.candidate_id] for each in then.in_flight.values()]
    excluded = {int(index) for index in (*closed.tolist(), *pending)} - start.keys()
    with arithmetic_of(source.header), asking(pool, settings) as ask:
        return play_answered(
            pool, answer, start, settings, ask, excluded=[pool.candidate_ids[index] for index in sorted(excluded)]
        )


def _first_difference(recorded: Sequence[DecisionMade], other: Sequence[Event], decision: int) -> int | None:
    made = [event for event in other if isinstance(event, DecisionMade)]
    for place, (one, two) in enumerate(zip(recorded, made, strict=False)):
        if set(one.candidate_ids) != set(two.candidate_ids):
            return decision + place
    return None


def _columns(other: OfflineRun, first: int) -> dict[str, list[float | None]]:
    """Return the trajectory as columns, numbered as the campaign's own."""
    points = other.trajectory.points
    columns: dict[str, list[float | None]] = {"observation": [float(first + number) for number, _ in points]}
    for _, point in points:
        for metric, value in point.figures:
            columns.setdefault(metric.name, []).append(value)
    return columns
