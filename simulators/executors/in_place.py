"""Evaluates in this process: for look-ups of microseconds, which cannot hang."""

from __future__ import annotations

from protocols.wire.messages import CandidateRequest
from simulators.evaluator import Evaluator, Measurement, identity_of
from simulators.executors.executor import Identity


class InPlaceExecutor:
    """Evaluates in this process (`simulators.executors.executor.IdentifyingExecutor`)."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return the measurement at once."""
        return Measurement.of(self._evaluator.evaluate(request))

    async def identity(self) -> Identity | None:
        """Return what names the evaluator."""
        return identity_of(self._evaluator)

    async def close(self) -> None:
        """Nothing runs."""
