"""How a campaign stood at any row of its journal: phase and reason, approvals that were waited for, who was away."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from operator import attrgetter

from agent.campaign.events import (
    ApprovalOverdue,
    BecameEven,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CandidateExcluded,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    GapStalled,
    InstrumentAway,
    InstrumentBack,
    ObservationAdded,
)
from agent.campaign.life_cycle import PHASES, Phase
from agent.campaign.people.approval import waits_in_words
from scenarios.watch.reading.chronicle import Entry


@dataclass(frozen=True, slots=True)
class StandingAt:
    """How a campaign stands from a row of its journal on.

    Attributes:
        sequence: That row.
        phase: Where it is in its life.
        pause_reason: Why it was paused or stopped last; empty where it goes on.
        finish_reason: Why it ended; empty before.
        awaiting: Decisions that wait for approval, oldest first -> whether for too long.
        away: Instruments that are away -> why.
        finding: What was found of the mean gap last: that it is even, or stalled; None before.
        since: Row since which phase and reason are what they are.
        since_at: When that row was written.
    """

    sequence: int = 0
    phase: Phase = Phase.NEW
    pause_reason: str = ""
    finish_reason: str = ""
    awaiting: tuple[tuple[int, bool], ...] = ()
    away: tuple[tuple[str, str], ...] = ()
    finding: BecameEven | GapStalled | None = None
    since: int = 0
    since_at: str = ""

    @property
    def is_held_up(self) -> bool:
        """Whether a decision has waited for so long that nothing else is decided."""
        return any(is_overdue for _, is_overdue in self.awaiting)

    @property
    def reason(self) -> str:
        """Why it is paused, stopping or finished, or what it waits for, as `Standing.standing_reason` says it."""
        match self.phase:
            case Phase.PAUSED | Phase.STOPPING:
                return self.pause_reason
            case Phase.FINISHED:
                return self.finish_reason
            case _:
                return waits_in_words([decision for decision, _ in self.awaiting], is_held_up=self.is_held_up)


class StandingCourse:
    """How a campaign stood, as far as its journal was read."""

    def __init__(self) -> None:
        self._steps: list[StandingAt] = [StandingAt()]
        self._held: dict[int, set[str]] = {}

    def at(self, sequence: int) -> StandingAt:
        """Return how it stood at a row of the journal."""
        place = bisect_right(self._steps, sequence, key=attrgetter("sequence"))
        return self._steps[max(place - 1, 0)]

    def add(self, entry: Entry) -> None:
        """Take in the next of the rare rows."""
        before = self._steps[-1]
        after = self._folded(before, entry)
        if after == before:
            return
        stands = (after.phase, after.pause_reason, len(after.awaiting), after.is_held_up)
        if stands != (before.phase, before.pause_reason, len(before.awaiting), before.is_held_up):
            after = replace(after, since=entry.sequence, since_at=entry.at)
        self._steps.append(replace(after, sequence=entry.sequence))

    def _folded(self, now: StandingAt, entry: Entry) -> StandingAt:
        event = entry.event
        phases = PHASES.get(type(event))
        if phases is not None:
            now = replace(now, phase=phases.get(now.phase, now.phase))
        match event:
            case CampaignPaused() | CampaignStopping():
                now = replace(now, pause_reason=event.reason)
            case CampaignResumed():
                now = replace(now, pause_reason="")
            case CampaignFinished():
                now = replace(now, finish_reason=event.reason)
            case BudgetSet():
                now = replace(now, finish_reason="")
            case InstrumentAway():
                now = replace(now, away=(*_without(now.away, event.instrument), (event.instrument, event.reason)))
            case InstrumentBack():
                now = replace(now, away=_without(now.away, event.instrument))
            case BecameEven() | GapStalled():
                now = replace(now, finding=event)
            case _:
                now = self._approvals(now, entry)
        return now

    def _approvals(self, now: StandingAt, entry: Entry) -> StandingAt:
        event = entry.event
        match event:
            case DecisionMade():
                if event.held:
                    self._held[event.decision] = set(event.candidate_ids)
                    now = replace(now, awaiting=(*now.awaiting, (event.decision, False)))
            case DecisionApproved() | DecisionVetoed() | DecisionWithdrawn():
                now = self._no_longer(now, event.decision)
            case ApprovalOverdue():
                awaiting = tuple((each, late or each == event.decision) for each, late in now.awaiting)
                now = replace(now, awaiting=awaiting)
            case CandidateExcluded() | ObservationAdded():
                for decision, candidates in list(self._held.items()):
                    candidates.discard(event.candidate_id)
                    now = now if candidates else self._no_longer(now, decision)
            case _:
                pass
        return now

    def _no_longer(self, now: StandingAt, decision: int) -> StandingAt:
        self._held.pop(decision, None)
        return replace(now, awaiting=tuple(each for each in now.awaiting if each[0] != decision))


def _without(away: tuple[tuple[str, str], ...], instrument: str) -> tuple[tuple[str, str], ...]:
    return tuple(each for each in away if each[0] != instrument)
