"""Asks the policy what a recording says that it answered, compares, and goes on with what is recorded.

So one other decision does not make all that follow incomparable: each is judged on the state that the recorded one was
made on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.pool.candidates import Pool
from agent.replay.decisions import Decision

Ask = Callable[[AcquisitionContext, int], Proposal]
"""Puts a question to the policy of today."""

Compared = Callable[[Decision, Decision, AcquisitionContext], None]
"""Told of the recorded decision, today's, and what both could look at."""

NOTHING_RECORDED: Final[Mapping[int, Decision]] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that the policy has not answered yet."""

    context: AcquisitionContext
    count: int
    based_on: int


class FollowingAcquirer:
    """Stands where the policy stands in a run.

    Args:
        pool: The candidates.
        ask: Asks the policy again; None believes the recording.
        compared: Told of every decision that was made again.
        sequence: Returns the number of the journal's last row.
    """

    def __init__(self, pool: Pool, ask: Ask | None, compared: Compared, sequence: Callable[[], int]) -> None:
        self._pool = pool
        self._ask = ask
        self._compared = compared
        self._sequence = sequence
        self.recorded: Mapping[int, Decision] = NOTHING_RECORDED
        """Decisions that the step at hand made at once, by number."""
        self.asked: Asked | None = None

    def propose_now(self, context: AcquisitionContext, count: int) -> Proposal | None:
        """Answer as recorded when the step at hand decided at once; else keep the question."""
        recorded = self.recorded.get(context.decision)
        if recorded is not None:
            self.asked = None
            return self.followed(context, count, recorded)
        if self.asked is None:
            self.asked = Asked(context, count, self._sequence())
        return None

    def followed(self, context: AcquisitionContext, count: int, recorded: Decision) -> Proposal:
        """Ask again, compare, and return what is recorded.

        Raises:
            CampaignHalted: When the policy of today failed.
        """
        if self._ask is not None:
            today = Decision.proposed(context.decision, self._ask(context, count), self._pool)
            self._compared(recorded, today, context)
        return recorded.as_proposal(self._pool)

    def own(self, asked: Asked) -> Proposal | None:
        """Answer a question whose recorded answer was dropped; None where nobody answers again."""
        return None if self._ask is None else self._ask(asked.context, asked.count)
