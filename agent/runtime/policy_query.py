"""The one open question to the policy: asked in the background, answered through the loop's inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent.campaign.ledger import Question
from agent.runtime.policy_runner import PolicyRunner
from agent.runtime.transaction import PolicyAnswer


class PolicyQuery:
    """Asks the policy for one decision at a time.

    Args:
        policy_runner: Runs the policy.
        answer: Takes what it proposed; may wait.
    """

    def __init__(self, policy_runner: PolicyRunner, answer: Callable[[PolicyAnswer], Awaitable[None]]) -> None:
        self.is_open = False
        self._policy_runner = policy_runner
        self._answer = answer
        self._asking: asyncio.Task[None] | None = None

    def ask(self, group: asyncio.TaskGroup, question: Question) -> None:
        """Ask in a task of the group; further questions wait until this one is closed."""
        self.is_open = True
        self._asking = group.create_task(self._ask(question))

    def close(self) -> None:
        """Let the next question be asked: the answer to this one was received."""
        self.is_open = False

    async def shut_down(self) -> None:
        """End the question that is open, then the policy's process."""
        if self._asking is not None:
            self._asking.cancel()  # first: it would take the end of its child for a fault of the policy
        await self._policy_runner.close()

    async def _ask(self, question: Question) -> None:
        proposal = await self._policy_runner.propose(question.context, question.needed.count)
        await self._answer(PolicyAnswer(question.needed, question.based_on, proposal))
