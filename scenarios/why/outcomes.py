"""What became of what a decision chose: the rest of the journal, as far as it speaks of these candidates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.campaign.event_descriptions import Observation, changes_dataset, description_of, observations_of
from agent.campaign.events import Event, RequestIssued
from agent.campaign.ledger import Change, Ledger
from agent.campaign.state import Campaign
from agent.entropy.bias import BiasPoint
from scenarios.why.explanation import AttemptDescription, CandidateOutcome

AWAITED = "awaited"


def outcomes_of(
    ledger: Ledger, rest: Iterable[Event], chosen: Iterable[str], known: int
) -> dict[str, CandidateOutcome]:
    """Fold the rest of the journal and tell what became of each chosen candidate.

    Args:
        ledger: As the decision found it; it is folded on to the end.
        rest: The events from there on.
        chosen: Candidate ids.
        known: How many values the decision knew.

    Raises:
        StoreError: When an event cannot follow the ones before.
    """
    histories = {which: _CandidateHistory() for which in chosen}
    for event in rest:
        history = histories.get(getattr(event, "candidate_id", ""))
        before = None if history is None else (ledger.campaign.observations - known, ledger.point())
        change = ledger.fold_journalled(event)
        if history is not None and before is not None:
            history.note(change, *before)
    return {which: history.outcome(ledger.campaign, which) for which, history in histories.items()}


@dataclass(slots=True)
class _CandidateHistory:
    """What the journal says of one candidate, collected."""

    attempts: dict[str, AttemptDescription] = field(default_factory=dict)
    observed: Observation | None = None
    row: int | None = None
    meanwhile: int = 0
    before: BiasPoint | None = None
    after: BiasPoint | None = None
    reason: str = ""

    def note(self, change: Change, meanwhile: int, before: BiasPoint) -> None:
        """Note an event of the candidate.

        Args:
            change: The event, folded.
            meanwhile: Values that the decision did not know, before it.
            before: The bias before it.
        """
        event, row = change.event, description_of(change.event)
        if isinstance(event, RequestIssued):
            self.attempts[event.attempt_id] = AttemptDescription(
                event.attempt_id, event.attempt, event.recipient, AWAITED, takes=event.takes
            )
        if row.attempt_in_words is not None:
            self._end(getattr(event, "attempt_id", ""), row.attempt_in_words(event), getattr(event, "duration_s", None))
        if row.attempt_remark is not None:
            self._add(getattr(event, "attempt_id", ""), row.attempt_remark(event))
        if row.candidate_in_words is not None:
            self.reason = row.candidate_in_words(event)
        if changes_dataset(event):
            self.row, self.observed = change.sequence, next(observations_of(event), None)  # None: retracted
        if change.metrics is not None:
            self.meanwhile, self.before, self.after = max(0, meanwhile), before, change.metrics.point

    def outcome(self, campaign: Campaign, which: str) -> CandidateOutcome:
        status = campaign.status_of(which)
        for attempt in self.attempts.values():
            if attempt.disposition == AWAITED and attempt.attempt_id not in campaign.in_flight:
                self._end(attempt.attempt_id, "no longer awaited")
        return CandidateOutcome(
            status=status,
            reason=self.reason,
            attempts=tuple(self.attempts.values()),
            value=None if self.observed is None else self.observed.value,
            row=self.row,
            meanwhile=self.meanwhile,
            before=self.before,
            after=self.after,
            standard_deviation=None if self.observed is None else self.observed.standard_deviation,
            details={} if self.observed is None else self.observed.details,
        )

    def _end(self, attempt_id: str, disposition: str, duration_s: float | None = None) -> None:
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], disposition=disposition, duration_s=duration_s)

    def _add(self, attempt_id: str, remark: str) -> None:
        known = self.attempts[attempt_id]
        self.attempts[attempt_id] = replace(known, disposition=f"{known.disposition}; {remark}")
