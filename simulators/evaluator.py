"""The one-method protocol of an evaluator: a request in, quantities out."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from protocols.wire.messages import CandidateRequest, FailureReason, Quantity


class EvaluationFailed(Exception):
    """An attempt that gives no result.

    Args:
        reason: One of the protocol's reasons.
        detail: What was found and what this evaluator would need.
    """

    def __init__(self, reason: FailureReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.value}: {detail}")


@runtime_checkable
class Evaluator(Protocol):
    """Evaluates one candidate; runs in a child process, so it may take long or crash."""

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the properties that `request.properties` names (and others, if they cost nothing).

        Raises:
            EvaluationFailed: When there is no result; anything else counts as a crash.
        """
        ...
