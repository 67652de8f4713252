"""A moment of a run: the campaign as it stood when an observation had just come, or as it stands now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from agent.campaign.event_descriptions import in_words
from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.life_cycle import Phase as CampaignPhase
from agent.entropy.bias import MIN_DEFINED
from agent.store.tables import MESSAGE_COUNT
from protocols.errors import NotThere
from protocols.signing.signature import UNPROVEN
from scenarios.watch.reading.bands import BandCache
from scenarios.watch.reading.candidates import AT_ONCE
from scenarios.watch.reading.decisions import decision_card
from scenarios.watch.reading.history import History, written_at
from scenarios.watch.reading.requests import in_flight_at
from scenarios.watch.reading.spending import spent_at
from scenarios.watch.reading.standing import StandingAt
from scenarios.watch.state.moment import Best, Counts, FamilyMoment, InFlightShown, Moment
from scenarios.watch.state.runs import Phase

QUARANTINED: Final = "quarantined"
"""How the dispositions of messages begin that were none of ours."""


def moment_of(
    connection: Connection,
    history: History,
    bands: BandCache,
    key: str,
    observation: int | None,
    *,
    is_interrupted: bool,
) -> Moment:
    """Return a moment of a run.

    Args:
        connection: In the transaction in which the history was read.
        history: The run.
        bands: Of its families' entropies.
        key: Of the run.
        observation: Number of the observation; None: as it stands now.
        is_interrupted: Whether its agent is gone, though the campaign has not ended.

    Raises:
        StoreError: When there is no such observation.
    """
    course, is_latest = history.course, observation is None
    shown = len(course) - 1 if observation is None else observation
    if observation is not None and not 0 <= observation < len(course):
        known = f"a number from 0 to {len(course) - 1}" if len(course) else "a run with a start set"
        raise NotThere(f"The run {key} has no observation {observation}", expected=known)
    sequence = history.last if observation is None else course.sequence_of(observation)
    standing = history.standing.at(sequence)
    decision = history.decision_at(sequence)
    unclosed = history.requests.unclosed
    among = unclosed if sequence == history.last and len(unclosed) <= AT_ONCE else None
    in_flight = in_flight_at(connection, history.chronicle, sequence, among)
    has_point = shown >= 0
    return Moment(
        key=key,
        observation=shown if has_point else None,
        last_observation=len(course) - 1 if len(course) else None,
        sequence=sequence,
        last_sequence=history.last,
        at=history.last_at if is_latest else written_at(connection, sequence),
        is_latest=is_latest,
        phase=phase_shown(standing, is_interrupted=is_interrupted and is_latest),
        reason=standing.reason,
        since=standing.since_at,
        spent=_spent_at(connection, history, sequence),
        budget=history.chronicle.budget_at(sequence),
        abandoned=history.abandoned_at(sequence),
        families=tuple(_families(connection, history, bands, shown)) if has_point else (),
        metrics=figures_shown(history, shown) if has_point else {},
        starved_family=course.starved(shown) if has_point else None,
        best=tuple(_best(history, shown)) if has_point else (),
        found=_found(history, standing, shown) if has_point else None,
        in_flight=in_flight,
        in_flight_count=len(in_flight),
        decision=None if decision is None else decision_card(connection, history, decision, sequence),
        waiting_for=tuple(_waiting_for(standing, in_flight)),
        awaiting_approval=tuple(number for number, _ in standing.awaiting),
        held=standing.is_held_up,
        counts=_counts(connection, history) if is_latest else Counts(),
    )


def phase_shown(standing: StandingAt, *, is_interrupted: bool) -> Phase:
    """Return where a campaign is in its life, as people read it."""
    if standing.phase is CampaignPhase.NEW:
        return "interrupted" if is_interrupted else "preparing"
    if standing.phase is CampaignPhase.FINISHED:
        return "finished"
    if is_interrupted:
        return "interrupted"
    phases: Mapping[CampaignPhase, Phase] = {
        CampaignPhase.RUNNING: "running",
        CampaignPhase.PAUSED: "paused",
        CampaignPhase.STOPPING: "stopping",
    }
    return phases[standing.phase]


def compares_families(history: History) -> bool:
    """Tell whether the bias metrics say anything (see `BiasPoint.compares_families`)."""
    return not history.chronicle.plan.metrics or len(history.course.families) >= MIN_DEFINED


def figures_shown(history: History, observation: int) -> dict[str, float]:
    """Return the figures that say anything at an observation, by name, the policy's first; NaN where not defined."""
    figures = dict(history.course.figures_at(observation))
    if compares_families(history):
        return figures
    return {metric.name: figures[metric.name] for metric in history.chronicle.plan.metrics}


def _families(connection: Connection, history: History, bands: BandCache, observation: int) -> Iterable[FamilyMoment]:
    where = np.array([float(observation)])
    found = bands.at(connection, history, observation)
    for name in sorted(history.course.families):
        family = history.course.families[name]
        sizes, entropies = family.at(where)
        low, high = found.get(name) or (None, None)
        change = family.changed_at(observation)
        yield FamilyMoment(
            family=name, size=int(sizes[0]), entropy=float(entropies[0]), low=low, high=high, change=change
        )


def _best(history: History, observation: int) -> Iterable[Best]:
    shown = figures_shown(history, observation)
    for name, (where, value) in history.course.best_by(observation).items():
        if name in shown:
            yield Best(metric=name, value=value, observation=where)


def _found(history: History, standing: StandingAt, observation: int) -> str | None:
    """Return what holds of the mean gap: that it is even, or has stalled; None where neither does any more."""
    finding, gap = standing.finding, history.course.figures_at(observation)["mean_gap"]
    gain = history.chronicle.plan.stop.gain_nat
    if math.isnan(gap):
        return None
    match finding:
        case BecameEven() if gap <= finding.tolerance + gain:
            return in_words(finding)
        case GapStalled() if gap > finding.best - finding.gain:
            return in_words(finding)
        case _:
            return None


def _waiting_for(standing: StandingAt, in_flight: tuple[InFlightShown, ...]) -> Iterable[str]:
    busy = {each.recipient for each in in_flight}
    for instrument, reason in standing.away:
        if instrument in busy:
            yield f"{instrument} ({reason})"
    for number, is_overdue in standing.awaiting:
        yield f"approval of decision {number}{', for too long' * is_overdue}"


def _spent_at(connection: Connection, history: History, sequence: int) -> int:
    observation = history.course.observation_at(sequence)
    if observation < 0:
        return 0
    point = history.course.sequence_of(observation)
    return spent_at(connection, history.chronicle, sequence, since=point, spent=history.course.spent(observation))


def _counts(connection: Connection, history: History) -> Counts:
    rows = connection.execute(select(MESSAGE_COUNT.c.disposition, MESSAGE_COUNT.c.count)).all()
    counts = {str(row[0]): int(row[1]) for row in rows}
    return Counts(
        accepted=counts.get("candidate_result: accepted", 0),
        retries=history.requests.retries,
        duplicates=counts.get("candidate_result: duplicate", 0),
        quarantined=sum(by for name, by in counts.items() if name.startswith(QUARANTINED)),
        contradicted=counts.get("candidate_result: contradicts", 0),
        unproven=sum(counts.get(f"{QUARANTINED}: {reason}", 0) for reason in UNPROVEN),
    )
