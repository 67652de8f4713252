"""Evaluates in child processes on this machine, one for each slot, each killed at the deadline of its request."""

from __future__ import annotations

import asyncio
from typing import Final

from protocols.concurrency.child import Child, ChildDied
from protocols.wire.codec import encode
from protocols.wire.messages import CandidateRequest, FailureReason, cut
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.executor import Identity
from simulators.executors.frames import opening_frame, read_opening_reply, read_reply
from simulators.settings import SimulatorSettings

CHILD_MODULE: Final = "simulators.executors.child"
"""What a child runs."""

START_TIMEOUT_S: Final = 120.0
"""How long a child may take to import its calculator and make its references, on a loaded machine."""


class ChildExecutor:
    """Evaluates in child processes (`simulators.executors.executor.IdentifyingExecutor`).

    Args:
        settings: The simulator's; the children make the evaluator of them.
    """

    def __init__(self, settings: SimulatorSettings) -> None:
        self._opening = opening_frame(settings)
        self._idle = [Child(CHILD_MODULE) for _ in range(settings.concurrency)]
        self._all = tuple(self._idle)
        self._free = asyncio.Semaphore(settings.concurrency)
        self._identity: Identity | None = None
        self._is_identified = False

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Evaluate in a free child; see `Executor`.

        Raises:
            SettingsError: When the child cannot make its evaluator: no request would ever succeed.
        """
        async with self._free:
            child = self._idle.pop()
            try:
                return await self._ask(child, request)
            finally:
                self._idle.append(child)

    async def identity(self) -> Identity | None:
        """Return what names the evaluator, as the first child says; it is started for that, and evaluates later."""
        if not self._is_identified:
            async with self._free:
                child = self._idle.pop()
                try:
                    await self._open(child)
                except (TimeoutError, ChildDied) as error:
                    reason = getattr(error, "reason", f"not started after {START_TIMEOUT_S:g} s")
                    raise _crashed(reason) from None
                finally:
                    self._idle.append(child)
        return self._identity

    async def close(self) -> None:
        """Kill the children."""
        for child in self._all:
            await child.stop()

    async def _ask(self, child: Child, request: CandidateRequest) -> Measurement:
        try:
            await self._open(child)
            reply = await child.ask(encode(request), timeout_s=request.deadline_s)
        except TimeoutError:
            raise deadline_exceeded(request) from None
        except ChildDied as error:
            raise _crashed(error.reason) from None
        return read_reply(reply, request.candidate_id)

    async def _open(self, child: Child) -> None:
        """Start a child that does not run, and have it make its evaluator."""
        if not child.is_running:
            await child.start()
            self._identity = read_opening_reply(await child.ask(self._opening, timeout_s=START_TIMEOUT_S))
            self._is_identified = True


def deadline_exceeded(request: CandidateRequest) -> EvaluationFailed:
    """Return the failure of an evaluation that was stopped at its deadline."""
    detail = f"not finished after {request.deadline_s:g} s; the evaluating process was stopped"
    return EvaluationFailed(FailureReason.DEADLINE_EXCEEDED, detail)


def _crashed(reason: str) -> EvaluationFailed:
    return EvaluationFailed(FailureReason.CRASHED, cut(f"the evaluating process: {reason}"))
