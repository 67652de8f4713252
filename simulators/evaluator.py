"""The one-method protocol of an evaluator: a request in, quantities out, with how they were measured if it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from protocols.wire.messages import CandidateRequest, FailureReason, Quantity, RawFile
from protocols.wire.structure import CrystalStructure


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


@dataclass(frozen=True, slots=True)
class Measurement:
    """What an evaluation gives.

    Attributes:
        quantities: What was measured.
        provenance: How: method, parameters, what was done, versions. Short texts and finite numbers, by name.
        replicates: Single measurements behind the value of the first property asked for, in its unit.
        conditions: What it was measured at.
        remarks: Whatever else there is to tell. Short texts and finite numbers, by name.
        files: Where raw measurements are kept.
        structure: The crystal as it ended, where the evaluation changed it.
    """

    quantities: tuple[Quantity, ...]
    provenance: Mapping[str, str | float] = field(default_factory=dict)
    replicates: tuple[float, ...] = ()
    conditions: tuple[Quantity, ...] = ()
    remarks: Mapping[str, str | float] = field(default_factory=dict)
    files: tuple[RawFile, ...] = ()
    structure: CrystalStructure | None = None

    @classmethod
    def of(cls, answer: Measurement | tuple[Quantity, ...]) -> Measurement:
        """Return what an evaluator answered, which may leave out how it measured."""
        return answer if isinstance(answer, Measurement) else cls(answer)


@runtime_checkable
class Evaluator(Protocol):
    """Evaluates one candidate; runs in a child process, so it may take long or crash."""

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...] | Measurement:
        """Return the properties that `request.properties` names (and others, if they cost nothing).

        Raises:
            EvaluationFailed: When there is no result; anything else counts as a crash.
        """
        ...


@runtime_checkable
class NamedEvaluator(Protocol):
    """An evaluator whose values depend on nothing but the request's content and what names it here."""

    def identity(self) -> Mapping[str, str] | None:
        """Return what names it for ever: its method, versions, parameters; None where its values are not to be kept."""
        ...


def identity_of(evaluator: Evaluator) -> Mapping[str, str] | None:
    """Return what names an evaluator; None where it does not say: then no value of it is kept for another request."""
    return evaluator.identity() if isinstance(evaluator, NamedEvaluator) else None
