"""An oracle that asks a calculator for what its table does not have, and says so with the value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from protocols.errors import EntropilotError
from protocols.wire.limits import MAX_PROVENANCE
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity, cut
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement
from simulators.oracle_table import ANSWERED_BY, OracleTable, TableMiss

CALCULATOR: Final = "the calculator: the oracle's table has no such row"


class CalculatedMisses:
    """Looks a candidate up, and calculates it where that fails (`simulators.evaluator.Evaluator`).

    Args:
        oracle: The table.
        crystals: Makes the evaluator of crystals; called at the first miss that is one.
        molecules: Makes that of molecules, likewise.
    """

    def __init__(
        self, oracle: OracleTable, crystals: Callable[[], Evaluator], molecules: Callable[[], Evaluator]
    ) -> None:
        self._oracle = oracle
        self._makers = {"crystals": crystals, "molecules": molecules}
        self._made: dict[str, Evaluator] = {}

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...] | Measurement:
        """Return what the table says, or else what the calculator does, marked as such.

        Raises:
            EvaluationFailed: As the oracle, or as the calculator; `unknown_candidate` where the request has neither
                crystal nor molecule, `unsupported` where the calculator is not installed or has no such method.
        """
        try:
            return self._oracle.evaluate(request)
        except TableMiss as miss:
            measured = Measurement.of(self._calculator_for(request, miss).evaluate(request))
        marked = {ANSWERED_BY: CALCULATOR, **measured.remarks}
        return replace(measured, remarks=dict(list(marked.items())[:MAX_PROVENANCE]))

    def _calculator_for(self, request: CandidateRequest, miss: TableMiss) -> Evaluator:
        if request.structure is None and request.molecule is None:
            detail = f"{miss.detail}, and the request has no structure or molecule to calculate it from"
            raise EvaluationFailed(FailureReason.UNKNOWN_CANDIDATE, cut(detail))
        kind = "molecules" if request.structure is None else "crystals"
        if kind == "crystals" and request.fidelity is not None:
            detail = f"{miss.detail}, and the calculator has no method {request.fidelity!r}, but one only"
            raise EvaluationFailed(FailureReason.UNSUPPORTED, cut(detail))
        if kind not in self._made:
            try:
                self._made[kind] = self._makers[kind]()
            except EntropilotError as error:
                detail = f"{miss.detail}, and the calculator cannot be had: {error}"
                raise EvaluationFailed(FailureReason.UNSUPPORTED, cut(detail)) from None
        return self._made[kind]
