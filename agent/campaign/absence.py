"""What is known of those who are away, and of candidates that nobody answered for: a part of the campaign's state.

Every recipient counts as there until the journal says otherwise. What is decided by it is in
`agent.campaign.presence`; this only folds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_REQUEUES: Final = 3
"""Times that one candidate comes back after nobody answered for it: a lab is repaired now and then, and a candidate
that silences it every time must end as well."""


@dataclass(slots=True)
class Absence:
    """Who is away, and what that has cost no attempt.

    Attributes:
        away: Recipients that are away -> why.
        handed_on: Attempts of each candidate that ended because their recipient was away.
        forgiven: Attempts of each candidate that count no more: what was handed on, and all before it came back.
        failed: Candidates that an instrument has failed with: they are not silent, whatever comes later.
        unanswered: Candidates abandoned only because no answer came, oldest first.
        requeued: How often each came back.
        returning: Those that are to come back as soon as there is room.
        why: The reason of their coming back.
    """

    away: dict[str, str] = field(default_factory=dict)
    handed_on: dict[str, int] = field(default_factory=dict)
    forgiven: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    unanswered: dict[str, None] = field(default_factory=dict)
    requeued: dict[str, int] = field(default_factory=dict)
    returning: dict[str, None] = field(default_factory=dict)
    why: str = ""

    def hand_on(self, candidate_id: str) -> None:
        """Note an attempt that ended because its recipient was away."""
        self.handed_on[candidate_id] = self.handed_on.get(candidate_id, 0) + 1
        self.forgive(candidate_id, 1)

    def forgive(self, candidate_id: str, attempts: int) -> None:
        """Let so many attempts of a candidate count no more."""
        self.forgiven[candidate_id] = self.forgiven.get(candidate_id, 0) + attempts

    def abandon(self, candidate_id: str, *, in_silence: bool) -> None:
        """Note a candidate that is abandoned; only after silence may it come back."""
        if in_silence and candidate_id not in self.failed and self.requeued.get(candidate_id, 0) < MAX_REQUEUES:
            self.unanswered[candidate_id] = None

    def close(self, candidate_id: str) -> None:
        """Forget a candidate that has its outcome after all."""
        self.unanswered.pop(candidate_id, None)
        self.returning.pop(candidate_id, None)

    def recall(self, why: str) -> None:
        """Let all come back that nobody answered for."""
        self.returning |= self.unanswered
        self.unanswered.clear()
        self.why = why

    def requeue(self, candidate_id: str) -> None:
        """Note a candidate that has come back."""
        self.close(candidate_id)
        self.requeued[candidate_id] = self.requeued.get(candidate_id, 0) + 1
