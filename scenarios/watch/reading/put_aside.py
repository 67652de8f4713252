"""What was put aside: candidates that are closed without a value that counts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from agent.campaign.event_descriptions import description_of
from agent.campaign.events import (
    CandidateAbandoned,
    CandidateExcluded,
    DecisionMade,
    DecisionVetoed,
    ObservationRetracted,
)
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.life_cycle import Phase as CampaignPhase
from scenarios.watch.reading.candidates import WORDS, courses_of
from scenarios.watch.reading.chronicle import Entry
from scenarios.watch.reading.history import History
from scenarios.watch.reading.source import MAX_ROWS
from scenarios.watch.state.tables import SetAside

CLOSED: Final = frozenset({CandidateStatus.ABANDONED, CandidateStatus.EXCLUDED, CandidateStatus.RETRACTED})
"""Where a candidate is closed without a value."""


def set_aside(connection: Connection, history: History) -> list[SetAside]:
    """Return the candidates that are closed without a value that counts, the latest first."""
    last: dict[str, tuple[Entry, str]] = {}
    held = {
        entry.event.decision: entry.event.candidate_ids
        for entry in history.chronicle.entries
        if isinstance(entry.event, DecisionMade)
    }
    for entry in history.chronicle.entries:
        match entry.event:
            case CandidateAbandoned() | CandidateExcluded() | ObservationRetracted():
                words = description_of(entry.event).candidate_in_words
                last[entry.event.candidate_id] = (entry, "" if words is None else words(entry.event))
            case DecisionVetoed():
                for which in held.get(entry.event.decision, ()):
                    last[which] = (entry, f"its decision was vetoed: {entry.event.reason}")
            case _:
                pass
    courses = courses_of(connection, history.chronicle, last)
    is_over = history.standing.at(history.last).phase in {CampaignPhase.STOPPING, CampaignPhase.FINISHED}
    shown = []
    for which, (entry, reason) in sorted(last.items(), key=lambda each: -each[1][0].sequence):
        status = courses[which].at(history.last).status
        if status in CLOSED:
            shown.append(
                SetAside(
                    candidate=which,
                    name=courses[which].name,
                    family=courses[which].family,
                    status=WORDS[status],
                    reason=reason,
                    at=entry.at,
                    can_requeue=not is_over,
                )
            )
    return shown[:MAX_ROWS]
