"""What became of what a decision chose: the rest of the journal, as far as it speaks of these candidates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from agent.campaign.events import (
    AttemptFailed,
    CandidateExcluded,
    CandidateSetAside,
    Event,
    LateResultKept,
    ObservationAdded,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
)
from agent.campaign.life_cycle import Standing
from agent.campaign.state import Campaign
from agent.entropy.bias import BiasPoint, measure_bias
from scenarios.why.explanation import AttemptTold, Outcome
from scenarios.why.folding import apply

AWAITED = "awaited"


def outcomes_of(campaign: Campaign, rest: Iterable[Event], chosen: Iterable[str], known: int) -> dict[str, Outcome]:
    """Fold the rest of the journal and tell what became of each chosen candidate.

    Args:
        campaign: As the decision found it; it is folded on to the end.
        rest: The events from there on.
        chosen: Candidate ids.
        known: How many values the decision knew.

    Raises:
        StoreError: When an event cannot follow the ones before.
    """
    tales = {which: _Tale() for which in chosen}
    for event in rest:
        tale = tales.get(getattr(event, "candidate_id", ""))
        if tale is not None and isinstance(event, ResultAccepted | ObservationAdded):
            tale.meanwhile = campaign.observations - known
            tale.before = bias_of(campaign)
            apply(campaign, event)
            tale.after, tale.row, tale.value = bias_of(campaign), campaign.sequence, event.value
        else:
            apply(campaign, event)
        if tale is not None:
            tale.note(event)
    return {which: tale.outcome(campaign, which) for which, tale in tales.items()}


def bias_of(campaign: Campaign) -> BiasPoint:
    """Return the bias of everything that is observed."""
    observed = np.flatnonzero(campaign.standing == Standing.OBSERVED)
    pool, values = campaign.pool, np.column_stack((campaign.values[observed], campaign.further[observed]))
    return measure_bias(pool.families, pool.family_codes[observed], values, campaign.terms.aspects)


@dataclass(slots=True)
class _Tale:
    """What the journal says of one candidate, collected."""

    attempts: dict[str, AttemptTold] = field(default_factory=dict)
    value: float | None = None
    row: int | None = None
    meanwhile: int = 0
    before: BiasPoint | None = None
    after: BiasPoint | None = None
    reason: str = ""

    def note(self, event: Event) -> None:
        match event:
            case RequestIssued():
                told = AttemptTold(event.attempt_id, event.attempt, event.recipient, AWAITED)
                self.attempts[event.attempt_id] = told
            case ResultAccepted():
                self._end(event.attempt_id, f"observed by {event.simulator}", event.duration_s)
            case AttemptFailed():
                detail = f": {event.detail}" if event.detail else ""
                self._end(event.attempt_id, f"failed ({event.reason}{detail})")
            case RequestExpired():
                self._end(event.attempt_id, "no answer in its time")
            case LateResultKept():
                self._end(event.attempt_id, f"a result came too late and is kept for audit ({event.why})")
            case CandidateSetAside() | CandidateExcluded():
                self.reason = event.reason
            case ObservationAdded():
                self.reason = "observed by hand"
            case _:
                pass

    def outcome(self, campaign: Campaign, which: str) -> Outcome:
        standing = campaign.standing_of(which)
        for attempt in self.attempts.values():
            if attempt.fate == AWAITED and attempt.attempt_id not in campaign.in_flight:
                self._end(attempt.attempt_id, "no longer awaited")
        return Outcome(
            standing=standing,
            reason=self.reason,
            attempts=tuple(self.attempts.values()),
            value=self.value,
            row=self.row,
            meanwhile=self.meanwhile,
            before=self.before,
            after=self.after,
        )

    def _end(self, attempt_id: str, fate: str, duration_s: float | None = None) -> None:
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], fate=fate, duration_s=duration_s)
