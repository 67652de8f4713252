"""An oracle that answers for what its table does not have by its nearest row, and says so with the value."""

from __future__ import annotations

from typing import Final

import numpy as np

from protocols.tables.table import PropertyValues
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity, cut
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.oracle.nearest import DescribedRows
from simulators.oracle_table import ANSWERED_BY, OracleTable, TableMiss

NEAREST_ROW: Final = "the nearest row: the oracle's table has no other"
"""Who answered, among the remarks on such a value."""

NEAREST_ID: Final = "nearest_id"
"""Remark with the id of that row."""

NEAREST_DISTANCE: Final = "nearest_distance"
"""Remark with how far away it is [standard deviations of the table]."""


class NearestMisses:
    """Looks a candidate up, or else the nearest one that has what is asked for (`simulators.evaluator.Evaluator`).

    Rows are compared by parameters and labels, or by features where the table has none of these.

    Args:
        oracle: The table.
        tolerance: How far away the nearest row may be, as `simulators.oracle.nearest` measures.
    """

    def __init__(self, oracle: OracleTable, tolerance: float) -> None:
        self._oracle = oracle
        self._tolerance = tolerance
        self._by_parameters = bool(oracle.known.parameters)
        self._rows = _described(oracle.known)

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...] | Measurement:
        """Return what the table says, or else what its nearest row does, marked as such.

        Raises:
            EvaluationFailed: As the oracle, with how far away the nearest row is; `invalid_request` for parameters in
                other units than the table's.
        """
        try:
            return self._oracle.evaluate(request)
        except TableMiss as miss:
            return self._nearest(request, miss)

    def _nearest(self, request: CandidateRequest, miss: TableMiss) -> Measurement:
        described_by = request.parameters if self._by_parameters else request.features
        self._require_units(described_by)
        told = {each.name: each.value for each in described_by}
        if lacking := self._rows.lacking(told, request.labels):
            remedy = "" if self._by_parameters else "; campaign.send_features sends them"
            raise _with(miss, f", and the request has no {lacking!r} to tell the nearest row by{remedy}")
        usable = np.logical_and.reduce([np.isfinite(self._oracle.known.values[name]) for name in request.properties])
        near = self._rows.nearest(told, request.labels, usable)
        if near is None:
            raise _with(miss, ", and no row is like it in what does not vary") from None
        which = self._oracle.known.candidate_ids[near.row]
        if near.distance > self._tolerance:
            far = f"; the nearest row, {which!r}, is {near.distance:.3g} away, expected at most {self._tolerance:g}"
            raise _with(miss, far) from None
        marks: dict[str, str | float] = {
            ANSWERED_BY: NEAREST_ROW,
            NEAREST_ID: which,
            NEAREST_DISTANCE: near.distance,
        }
        return Measurement(self._oracle.quantities(request, near.row), remarks=marks)

    def _require_units(self, described_by: tuple[Quantity, ...]) -> None:
        units = dict(zip(self._rows.names, self._rows.units, strict=True)) if self._by_parameters else {}
        for each in described_by:
            if each.unit != units.get(each.name, each.unit):
                detail = f"the oracle's table has {each.name!r} in {units[each.name]!r}, the request in {each.unit!r}"
                raise EvaluationFailed(FailureReason.INVALID_REQUEST, cut(detail))


def _described(known: PropertyValues) -> DescribedRows:
    if known.parameters:
        return DescribedRows.of_parameters(known.parameters)
    return DescribedRows.of_features(known.feature_names, known.features)


def _with(miss: TableMiss, more: str) -> TableMiss:
    return TableMiss(miss.reason, cut(miss.detail + more))
