"""The protocol of what runs evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from protocols.wire.messages import CandidateRequest
from simulators.evaluator import Measurement

Identity = Mapping[str, str]
"""What names an evaluator for ever: what it is, versions, parameters. Equal ones give equal values."""


class Executor(Protocol):
    """Runs one evaluation at a time per slot."""

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return what was measured.

        Raises:
            EvaluationFailed: With the reason to report.
            NoAnswer: When nothing is to be reported.
        """
        ...

    async def close(self) -> None:
        """End what it runs."""
        ...


class IdentifyingExecutor(Executor, Protocol):
    """An executor that can say whose values it gives."""

    async def identity(self) -> Identity | None:
        """Return what names its evaluator; None where nothing does, so that no value may be kept for another request.

        Raises:
            EvaluationFailed: When it cannot say now.
            SettingsError: When the evaluator cannot be made.
        """
        ...
