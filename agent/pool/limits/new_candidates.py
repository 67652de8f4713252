"""Whether a candidate that is made now may be asked for: what a policy that makes any is told of the limits."""

from __future__ import annotations

from dataclasses import dataclass

from agent.pool.growth import NewCandidate
from agent.pool.limits.judge import Judge
from agent.pool.limits.settings import AskingLimits, place_of


@dataclass(frozen=True, slots=True)
class LimitsOnNew:
    """The limits of a campaign as they stand.

    Attributes:
        limits: The settings.
        room: What requests may still take of each supply, in its order [their units].
    """

    limits: AskingLimits
    room: tuple[float, ...]

    def takes(self, new: NewCandidate, feature_names: tuple[str, ...]) -> dict[str, float]:
        """Return what a request of it would take, by name of the supply [its unit].

        Args:
            new: The candidate.
            feature_names: Of the pool that it is to join.
        """
        judge = Judge(self.limits, feature_names)
        taken = judge.takes(judge.facts_of(new.as_candidate(), new.features))
        return dict(zip(self.limits.supplies, taken, strict=True))

    def why_not(self, new: NewCandidate, feature_names: tuple[str, ...]) -> str:
        """Return why it may not be asked for, in words; empty where it may. Arguments as of `takes`."""
        judge = Judge(self.limits, feature_names)
        if reason := judge.why_barred(judge.facts_of(new.as_candidate(), new.features)):
            return reason
        for (name, taken), room in zip(self.takes(new, feature_names).items(), self.room, strict=True):
            if not 0.0 <= taken <= room:
                return f"too little is left of {name} ({place_of(name)})"
        return ""
