"""A recorded decision, and how one that is made again is compared with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from agent.acquisition.base import Choice, Proposal
from agent.campaign.events import DecisionMade, PolicyExhausted
from agent.pool.candidates import Pool
from agent.pool.growth import NewCandidate
from protocols.errors import invariant
from protocols.tables.blocks.sorted_ids import Ids, IdsWithAdded

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
        added: Candidates that join the pool with it.
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
    added: tuple[NewCandidate, ...] = ()
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
            event.added,
        )

    @classmethod
    def proposed(cls, decision: int, proposal: Proposal, candidate_ids: Ids) -> Self:
        """Return what a policy answered that saw these candidates, in the order of the pool."""
        runner_up = proposal.runner_up
        added = tuple(each.plain() for each in proposal.new_candidates)
        named = IdsWithAdded(candidate_ids, [each.candidate_id for each in added])
        return cls(
            decision,
            tuple(_name(choice, named) for choice in proposal.choices),
            tuple(_finite(choice.score) for choice in proposal.choices),
            None if runner_up is None else _name(runner_up, named),
            None if runner_up is None else _finite(runner_up.score),
            proposal.target_family,
            proposal.reason,
            proposal.details,
            added,
        )

    def as_proposal(self, pool: Pool) -> Proposal:
        """Return the proposal that leads to this decision, so that what follows can be followed.

        Args:
            pool: The candidates that the policy saw.
        """
        joined = {each.candidate_id: index for index, each in enumerate(self.added, len(pool))}

        def chosen(candidate_id: str, score: float | None) -> Choice:
            return Choice(joined[candidate_id] if candidate_id in joined else pool.index_of[candidate_id], score)

        choices = tuple(map(chosen, self.candidate_ids, self._score_of_each))
        runner_up = None if self.runner_up is None else chosen(self.runner_up, self.runner_up_score)
        return Proposal(choices, self.reason, runner_up, self.target_family, self.details, self.added)

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
        return _other_addition(self.added, other.added)


def _name(choice: Choice, candidate_ids: Sequence[str]) -> str:
    return candidate_ids[choice.index] if 0 <= choice.index < len(candidate_ids) else f"index {choice.index}"


def same_score(one: float | None, other: float | None) -> bool:
    """Tell whether two scores are the same but for rounding; a policy may give none."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE)


def _other_addition(then: Sequence[NewCandidate], now: Sequence[NewCandidate]) -> str:
    """Return how the candidates that join the pool differ, in words; empty where they do not."""
    if len(then) == len(now) and all(map(_same_addition, then, now)):
        return ""
    first, second = (", ".join(each.candidate_id for each in added) or "nobody" for added in (then, now))
    return f"to the pool comes {first} then, {second} now" + (", with other content" if first == second else "")


def _same_addition(one: NewCandidate, other: NewCandidate) -> bool:
    """Tell whether two candidates are the same but for the last bits of their features."""
    same = replace(one, features=()) == replace(other, features=()) and len(one.features) == len(other.features)
    return same and all(map(same_score, one.features, other.features))


def _finite(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None


def describe_score(score: float | None) -> str:
    """Return a score in as many digits as tell two of them apart."""
    return "none" if score is None else f"{score:.9g}"
