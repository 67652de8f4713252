"""A recorded decision, and how one that is made again is compared with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from agent.acquisition.base import Choice, Proposal
from agent.campaign.events import DecisionMade, PolicyExhausted
from agent.pool.candidates import Pool
from protocols.errors import invariant

SCORE_TOLERANCE: Final = 1e-9
"""Largest relative difference of two scores that are the same but for the last bits of two machines."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, or would be: as recorded, or as the policy of today has it.

    Attributes:
        decision: Its number.
        candidate_ids: Chosen; none when the policy had nothing more to ask for.
        scores: Of each; None where a policy gives none, and where only the requests are recorded.
        runner_up: The best one that was not chosen.
        runner_up_score: Its score.
        target_family: Family that the policy aimed at.
        reason: In its words.
        details: Additional figures of the policy; they are kept, not compared.
        is_whole: Whether all of this is known; of a recording without notes there are only the candidates.
    """

    decision: int
    candidate_ids: tuple[str, ...]
    scores: tuple[float | None, ...] = ()
    runner_up: str | None = None
    runner_up_score: float | None = None
    target_family: str | None = None
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)
    is_whole: bool = True

    @classmethod
    def of(cls, event: DecisionMade | PolicyExhausted) -> Self:
        """Return what an event of the journal says.

        Raises:
            InvariantViolation: When it has scores of some of its candidates only.
        """
        if isinstance(event, PolicyExhausted):
            return cls(event.decision, (), reason=event.reason, details=event.details)
        candidates, scores = len(event.candidate_ids), len(event.scores)
        invariant(
            scores in {0, candidates}, f"decision {event.decision} has {candidates} candidates and {scores} scores"
        )
        return cls(
            event.decision,
            event.candidate_ids,
            event.scores,
            event.runner_up,
            event.runner_up_score,
            event.target_family,
            event.reason,
            event.details,
        )

    @classmethod
    def proposed(cls, decision: int, proposal: Proposal, pool: Pool) -> Self:
        """Return what a policy answered."""
        runner_up = proposal.runner_up
        return cls(
            decision,
            tuple(_name(choice, pool) for choice in proposal.choices),
            tuple(_finite(choice.score) for choice in proposal.choices),
            None if runner_up is None else _name(runner_up, pool),
            None if runner_up is None else _finite(runner_up.score),
            proposal.target_family,
            proposal.reason,
            proposal.details,
        )

    def as_proposal(self, pool: Pool) -> Proposal:
        """Return the proposal that leads to this decision, so that what follows can be followed."""
        choices = tuple(
            Choice(pool.index_of[candidate_id], score)
            for candidate_id, score in zip(self.candidate_ids, self._score_of_each, strict=True)
        )
        runner_up = None if self.runner_up is None else Choice(pool.index_of[self.runner_up], self.runner_up_score)
        return Proposal(choices, self.reason, runner_up, self.target_family, self.details)

    @property
    def _score_of_each(self) -> tuple[float | None, ...]:
        return self.scores or (None,) * len(self.candidate_ids)

    def other_figure(self, other: Self) -> str:
        """Return the first figure beside the candidates that differs, in words; empty when none does."""
        if not (self.is_whole and other.is_whole):
            return ""
        both = zip(self.candidate_ids, self._score_of_each, other._score_of_each, strict=True)  # of the same candidates
        for candidate_id, then, now in both:
            if not same_score(then, now):
                return f"the score of {candidate_id} is {describe_score(then)} then, {describe_score(now)} now"
        if self.runner_up != other.runner_up:
            return f"the runner-up is {self.runner_up or 'nobody'} then, {other.runner_up or 'nobody'} now"
        if not same_score(self.runner_up_score, other.runner_up_score):
            scores = [describe_score(each.runner_up_score) for each in (self, other)]
            return f"the runner-up's score is {scores[0]} then, {scores[1]} now"
        if self.target_family != other.target_family:
            return f"the family aimed at is {self.target_family} then, {other.target_family} now"
        return ""


def _name(choice: Choice, pool: Pool) -> str:
    return pool.candidate_ids[choice.index] if 0 <= choice.index < len(pool) else f"index {choice.index}"


def same_score(one: float | None, other: float | None) -> bool:
    """Tell whether two scores are the same but for rounding; a policy may give none."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE)


def _finite(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None


def describe_score(score: float | None) -> str:
    """Return a score in as many digits as tell two of them apart."""
    return "none" if score is None else f"{score:.9g}"
