"""The oracle: an evaluator that looks the answer up in a table. It never guesses: what it lacks, it says.

What answers in its place then, where the settings allow that, stands in `simulators.oracle`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.errors import TableError
from protocols.structures.reader import StructureReader
from protocols.tables.blocks.reading import is_read_in_blocks
from protocols.tables.columns import ColumnName
from protocols.tables.table import PropertyValues, TableColumns, read_values
from protocols.wire.limits import MAX_QUANTITIES
from protocols.wire.messages import CandidateRequest, FailureReason, Name, Quantity, cut
from protocols.wire.parameters import Parameters
from simulators.evaluator import EvaluationFailed

MissPolicy = Literal["fail", "silent", "nearest", "calculate"]
"""What a missing candidate does: a failure `unknown_candidate`; no answer at all (to try what expiry does); the value
of the nearest row within `tolerance`, marked as such; or that of a calculator, marked as such."""

ANSWERED_BY: Final = "answered_by"
"""Remark that says who answered where the table has no row."""


class NoAnswer(Exception):
    """This attempt gets neither a result nor a failure, ever, as if the lab had lost it.

    The service that runs an evaluator honours it: it marks the attempt as done and publishes nothing. It is no
    failure: nothing is reported, and the request expires at the agent.
    """

    def __init__(self, candidate_id: str) -> None:
        self.candidate_id: Final = candidate_id
        super().__init__(f"no answer for {candidate_id}")

    def __reduce__(self) -> tuple[type[NoAnswer], tuple[str]]:
        """Survive the way from a child process, where an exception is rebuilt from its arguments."""
        return NoAnswer, (self.candidate_id,)


class TableMiss(EvaluationFailed):
    """The table has no row of a candidate, or not the value that is asked for in it."""


class OracleTableSettings(BaseModel):
    """Settings of the oracle, as plain values."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    path: Annotated[str, Field(min_length=1)]
    """The table, of any kind that is read."""
    columns: TableColumns
    """What its columns mean; the same as the agent's, so that ids agree."""
    uncertainties: dict[Name, ColumnName] = Field(default_factory=dict)
    """Property → column with the standard uncertainty of its values, in its unit; an empty cell says nothing of it."""
    miss: MissPolicy = "fail"
    """What a candidate that is not in the table gets. `fail`: a failure. `silent`: no answer at all. `nearest`: the
    value of the nearest row, by the parameters of the columns or else by their features, which requests must then
    carry (`campaign.send_features`). `calculate`: that of the evaluator `ase` or `molecules`, with the calculator of
    the same settings. Both say so with the value, as they do where a row lacks the property."""
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """For nearest: the largest distance, the root mean square over the numbers, each in standard deviations of its
    column; words must be the same. What is farther away fails."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        columns = self.columns
        if self.miss == "nearest" and self.tolerance is None:
            message = 'miss = "nearest" needs a tolerance: how far away the nearest row may be'
            raise ValueError(message)
        if self.miss == "nearest" and not (columns.parameters or columns.labels or columns.features):
            message = 'miss = "nearest" needs columns.parameters or columns.features to tell what is near'
            raise ValueError(message)
        unknown = sorted(self.uncertainties.keys() - set(columns.measured()))
        if unknown:
            message = f"uncertainties names {unknown[0]!r}; expected a property: {', '.join(columns.measured())}"
            raise ValueError(message)
        if self.uncertainties and columns.on_replicates == "mean":
            message = 'uncertainties and on_replicates = "mean" both say how well a value is known; leave one out'
            raise ValueError(message)
        return self


class OracleTable:
    """Evaluates a candidate by looking it up (`simulators.evaluator.Evaluator`).

    Args:
        known: Ids, values and units; values that are NaN are not known.
        miss: What a candidate that is not in the table gets.
    """

    def __init__(self, known: PropertyValues, *, miss: MissPolicy = "fail") -> None:
        self._known = known
        self._row_of = known.row_of
        contents = [each.content for each in known.parameters]
        times = Counter(contents)
        self._row_with = {content: row for row, content in enumerate(contents) if times[content] == 1}
        self._miss = miss

    @classmethod
    def from_settings(cls, settings: OracleTableSettings) -> Self:
        """Read the table that the settings name.

        Raises:
            TableError: When the table cannot be used.
        """
        return cls(_read(settings), miss=settings.miss)

    @property
    def known(self) -> PropertyValues:
        """What it knows."""
        return self._known

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the requested properties, then the additional ones that the table knows.

        Raises:
            EvaluationFailed: `unsupported` for a property that the table lacks (at all, or for this candidate),
                `unknown_candidate` for a candidate that it lacks, by id and by parameters, `invalid_request` for one
                whose parameters are not those of its row. A `TableMiss` where the table lacks row or value.
            NoAnswer: In place of `unknown_candidate`, when misses are silent.
        """
        self._check_properties(request)
        row = self._row(request)
        if row is None:
            if self._miss == "silent":
                raise NoAnswer(request.candidate_id)
            detail = f"candidate {_called(request)} is not among the {len(self._row_of)} rows of the oracle's table"
            raise TableMiss(FailureReason.UNKNOWN_CANDIDATE, cut(detail))
        return self.quantities(request, row)

    def quantities(self, request: CandidateRequest, row: int) -> tuple[Quantity, ...]:
        """Return what a row says: the requested properties, then the additional ones that it knows.

        Raises:
            TableMiss: When it lacks a requested one.
        """
        found = self._values(row, request.fidelity)
        if lacking := [name for name in request.properties if name not in found]:
            detail = f"the oracle's table has no {lacking[0]!r} for candidate {_called(request)}"
            raise TableMiss(FailureReason.UNSUPPORTED, cut(detail))
        names = tuple(dict.fromkeys((*request.properties, *found)))[:MAX_QUANTITIES]
        return tuple(
            Quantity(
                name=name,
                value=found[name],
                unit=self._known.units[name],
                standard_deviation=None if request.fidelity in self._known.fidelities else self._uncertainty(name, row),
            )
            for name in names
        )

    def _values(self, row: int, fidelity: str | None) -> dict[str, float]:
        """Return what is known of a row: by a method that has a column of its own the property is what that says."""
        columns, by_method = dict(self._known.values), self._known.fidelities.get(fidelity or "")
        if by_method is not None:
            columns = {next(iter(columns)): by_method}
        return {name: float(column[row]) for name, column in columns.items() if np.isfinite(column[row])}

    def _row(self, request: CandidateRequest) -> int | None:
        """Find a candidate by its id, or else by what is to be set for it; None where neither is in the table."""
        asked = Parameters.of(request.parameters, request.labels)
        row = self._row_of.get(request.candidate_id)
        if asked is None or not self._known.parameters:
            return row
        if row is None:
            return self._row_with.get(asked.content)
        if self._known.parameters[row].content != asked.content:
            detail = f"the oracle's table has other parameters for candidate {_called(request)} than the request"
            raise EvaluationFailed(FailureReason.INVALID_REQUEST, cut(detail))
        return row

    def _uncertainty(self, name: str, row: int) -> float | None:
        """The standard uncertainty of a value; none where the table has one measurement of it."""
        known = self._known.uncertainties.get(name)
        return None if known is None or np.isnan(known[row]) else float(known[row])

    def _check_properties(self, request: CandidateRequest) -> None:
        if lacking := [name for name in request.properties if name not in self._known.units]:
            detail = f"the oracle's table knows {', '.join(self._known.units)}, and not {lacking[0]!r}"
            raise EvaluationFailed(FailureReason.UNSUPPORTED, cut(detail))


def _read(settings: OracleTableSettings) -> PropertyValues:
    """Read the table, with the uncertainties that it has in columns of their own."""
    columns, reader = settings.columns, StructureReader()
    by_features = settings.miss == "nearest" and not (columns.parameters or columns.labels)
    if by_features and is_read_in_blocks(settings.path, columns):
        raise TableError(
            f"{settings.path} is read in blocks, and the nearest of its rows is asked for",
            expected="a table that fits in memory, where distances to all rows are computed",
            action='use miss = "fail", or a part of the table',
        )
    units_of = {columns.property: columns.unit, **columns.additional_properties}
    beside = {each: units_of[name] for name, each in settings.uncertainties.items()}
    if not beside:
        return read_values(settings.path, columns, reader, with_features=by_features)
    asked = columns.model_copy(update={"additional_properties": {**columns.additional_properties, **beside}})
    known = read_values(settings.path, asked, reader, with_features=by_features)
    for name, column in settings.uncertainties.items():
        if (wrong := np.flatnonzero(known.values[column] < 0)).size:
            which = known.candidate_ids[wrong[0]]
            raise TableError(
                f"In {settings.path} the uncertainty {column!r} of {which!r} is {known.values[column][wrong[0]]:g}",
                expected=f"a standard uncertainty of {name!r}: zero, more, or an empty cell",
                action="correct the cell, or leave the column out of table.uncertainties",
            )
    given = {name: known.values[column] for name, column in settings.uncertainties.items()}
    values = {name: column for name, column in known.values.items() if name not in beside}
    units = {name: unit for name, unit in known.units.items() if name not in beside}
    return replace(known, values=values, units=units, uncertainties={**known.uncertainties, **given})


def _called(request: CandidateRequest) -> str:
    """Return the ids of a candidate for an error: of its table too, where that is another than ours."""
    ours, own = repr(request.candidate_id), request.source_id
    return ours if own in {None, request.candidate_id} else f"{own!r} ({ours})"
