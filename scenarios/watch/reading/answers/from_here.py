"""What another policy would have done from a decision on: the campaign as that decision found it, and recorded answers.

The journal is folded up to the decision, with the other policy in its plan, and played on from there: so the same
policy makes the same decisions, as long as the lab answered and no operator stepped in. What was in flight is answered
as it was recorded. A candidate that was never measured has no answer, and is counted as unknown, never guessed (see
`scenarios.what_if.what_if`). What operators did afterwards, and failures of the lab, are not played again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.acquisition.registry import policy_fingerprint
from agent.campaign.events import CampaignStarted, DecisionMade, Event, ResultAccepted
from agent.campaign.ledger import Change, Ledger
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from agent.pool.candidates import Candidate
from agent.pool.measurements import Measurement
from agent.run_files import DATABASE, RECORDING
from agent.settings import CampaignSettings
from agent.store.read_only import reading_journal
from protocols.errors import NotPossibleNow, NotThere, SettingsError
from scenarios.display.progress import no_progress
from scenarios.replay.replay import asking
from scenarios.run.offline import KnownValues, Measured
from scenarios.run.offline_campaign import OfflineCampaign
from scenarios.settings.stored import arithmetic_of
from scenarios.sources.recording_source import Source, open_source
from scenarios.sources.scenario import Overrides, layered_over
from scenarios.what_if.what_if import NEVER_GIVE_UP


def what_if_from(folder: Path, database: str | None, policy: str, decision: int) -> dict[str, Any]:
    """Play the rest of a campaign by another policy; return what is told of it as plain values.

    Args:
        folder: Of the run.
        database: Of another database than the folder's own, or than it remembers.
        policy: The other policy, with its options as they are by default; of the campaign's own with its options.
        decision: The first decision that it makes.

    Raises:
        StoreError: When there is no such decision, or the run's pool cannot be made again.
        SettingsError: When there is no such policy, or this cannot be played.
    """
    with reading_journal(folder / DATABASE, database) as (store, _):
        events = list(store.journal())
    source = open_source(folder / RECORDING, None, no_progress)
    row, recorded = _decisions(events, decision)
    settings = _settings(source, _plan_of(events), policy)
    before = [_with_policy(event, settings) for event in events[: row - 1]]
    played, lab = _played(source, before, Ledger.of_journal(source.world.pool, events).campaign, settings)
    rest = played.changes[len(before) :]
    return {
        "measured": sum(isinstance(change.event, ResultAccepted) for change in rest),
        "unknown": len(lab.unknown),
        "first_difference": _first_difference(recorded, rest, decision),
        "trajectory": _columns(played.changes, len(before)),
        "is_final": True,
    }


def _decisions(events: Sequence[Event], decision: int) -> tuple[int, list[DecisionMade]]:
    """Return the journal's row of a decision, and the decisions from there on.

    Raises:
        StoreError: When there is none.
    """
    made = [(row, event) for row, event in enumerate(events, 1) if isinstance(event, DecisionMade)]
    if not 0 <= decision < len(made):
        raise NotThere(f"The journal holds no decision {decision}", expected=f"one of {len(made)}")
    return made[decision][0], [event for _, event in made[decision:]]


def _plan_of(events: Sequence[Event]) -> CampaignPlan:
    if not events or not isinstance(events[0], CampaignStarted):
        raise NotPossibleNow("The journal of this run is empty", expected="a run that has begun")
    return events[0].plan


def _settings(source: Source, plan: CampaignPlan, policy: str) -> CampaignSettings:
    """Return the settings of the campaign with another policy.

    Raises:
        SettingsError: When there is no such policy, or it does not fit the campaign.
    """
    if plan.fidelities:
        raise SettingsError(
            "A campaign that chooses among methods cannot be played on from a decision",
            expected="a campaign with one method",
            action="`entropilot what-if` plays it from its beginning",
        )
    given = layered_over(source.scenario, f"recording {source.path.name}", Overrides({"policy": policy}, ())).campaign
    options = plan.policy_options if policy == plan.policy else given.policy_options
    return given.model_copy(update={"policy": policy, "policy_options": options})


def _with_policy(event: Event, settings: CampaignSettings) -> Event:
    """Return an event of the journal; its beginning with the other policy in the plan."""
    if not isinstance(event, CampaignStarted):
        return event
    plan = event.plan
    metered_by, metered_options = plan.metered_by
    changes: dict[str, Any] = {
        "policy": settings.policy,
        "policy_options": settings.policy_options,
        "fingerprint": policy_fingerprint(settings.policy, settings.policy_options, settings.code),
        "metrics_of": metered_by,
        "metrics_options": metered_options,
        "give_up_after": NEVER_GIVE_UP,
        "approval": ApprovalSettings(),
    }
    return replace(event, plan=plan.model_copy(update=changes))


def _played(
    source: Source, before: Sequence[Event], recorded: Campaign, settings: CampaignSettings
) -> tuple[OfflineCampaign, KnownValues]:
    def answer(candidate: Candidate, _asked: Measurement) -> Measured | None:
        index = recorded.pool.index_of.get(candidate.candidate_id)
        if index is None or np.isnan(recorded.values[index]):
            return None
        values = (float(recorded.values[index]), *recorded.additional[index].tolist())
        return Measured(values, tuple(recorded.uncertainties[index].tolist()))

    pool = source.world.pool
    lab = KnownValues(_plan_of(before), answer, lambda: played.campaign.pool)
    with arithmetic_of(source.header), asking(pool, settings) as ask:
        played = OfflineCampaign(pool, lab, ask)
        played.begin_with(before)
        played.play()
    return played, lab


def _first_difference(recorded: Sequence[DecisionMade], rest: Sequence[Change], decision: int) -> int | None:
    made = [change.event for change in rest if isinstance(change.event, DecisionMade)]
    for place, (one, two) in enumerate(zip(recorded, made, strict=False)):
        if set(one.candidate_ids) != set(two.candidate_ids):
            return decision + place
    return None


def _columns(changes: Sequence[Change], before: int) -> dict[str, list[float | None]]:
    """Return the trajectory as columns, from the last observation that was known on; numbered as the campaign's own."""
    points = [change.metrics for change in changes if change.metrics is not None]
    known = sum(change.metrics is not None for change in changes[:before])
    columns: dict[str, list[float | None]] = {}
    for each in points[max(known - 1, 0) :]:
        columns.setdefault("observation", []).append(float(each.observation))
        for metric, value in each.point.figures:
            columns.setdefault(metric.name, []).append(value)
    return columns
