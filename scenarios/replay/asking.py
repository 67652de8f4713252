"""Asks the policy what a recording says that it answered, compares, and goes on with what is recorded.

So one other decision does not make all that follow incomparable: each is judged on the state that the recorded one was
made on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent.acquisition.base import AcquisitionContext, Ask, Proposal
from agent.campaign.ledger import Question
from agent.campaign.proposals import DecisionNeeded
from agent.pool.candidates import Pool
from scenarios.replay.decisions import Decision

OnDecision = Callable[[Decision, Decision, AcquisitionContext], None]
"""Called with the recorded decision, today's, and what both could look at."""

NOTHING_RECORDED: Final[Mapping[int, Decision]] = {}


class FollowingPolicyRunner:
    """Stands where the policy stands in a run.

    Args:
        pool: Returns the candidates, with all that has joined them.
        ask: Asks the policy again; None believes the recording.
        compared: Called with every decision that was made again.
        sequence: Returns the number of the journal's last row.
    """

    def __init__(
        self, pool: Callable[[], Pool], ask: Ask | None, compared: OnDecision, sequence: Callable[[], int]
    ) -> None:
        self._pool = pool
        self._ask = ask
        self._compared = compared
        self._sequence = sequence
        self.recorded: Mapping[int, Decision] = NOTHING_RECORDED
        """Decisions that the transaction at hand made at once, by number."""
        self._asked: list[Question] = []

    @property
    def asked(self) -> Question | None:
        """The question that was not answered yet; of several it may be, the first."""
        return self._asked[0] if self._asked else None

    def withdraw(self) -> Sequence[Question]:
        """Forget the question; return what it may be, in the order in which it may have been asked."""
        asked, self._asked = self._asked, []
        return asked

    def ask_as_well(self, question: Question) -> None:
        """Note that an open question may have been asked again by now; an answer to another count is dropped."""
        if self._asked:
            still = [each for each in self._asked if each.needed == question.needed]
            self._asked = [*still, question]

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        """Answer as recorded when the transaction at hand decided at once; else keep the question."""
        recorded = self.recorded.get(context.decision)
        if recorded is not None:
            self.withdraw()
            self.followed([self._question(context, count)], recorded)
            return recorded.as_proposal(self._pool())
        if not self._asked:
            self._asked.append(self._question(context, count))
        return None

    def followed(self, asked: Sequence[Question], recorded: Decision) -> Question:
        """Ask again, and compare; of several questions it may have been, return the one that was answered.

        Raises:
            CampaignHalted: When the policy of today failed.
        """
        if self._ask is None:
            return asked[-1]
        for each in asked:
            answer = self._ask(each.context, each.needed.count)
            today = Decision.proposed(each.needed.decision, answer, each.context.pool.candidate_ids)
            if set(today.candidate_ids) == set(recorded.candidate_ids):
                break
        self._compared(recorded, today, each.context)
        return each

    def _question(self, context: AcquisitionContext, count: int) -> Question:
        return Question(DecisionNeeded(context.decision, count, context.policy), self._sequence(), context)

    def own(self, asked: Question) -> Proposal | None:
        """Answer a question whose recorded answer was dropped; None where nobody answers again."""
        return None if self._ask is None else self._ask(asked.context, asked.needed.count)
