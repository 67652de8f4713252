"""The oracle: an evaluator that looks the answer up in a table. It never guesses: what it lacks, it says."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from protocols.structures.reader import StructureReader
from protocols.tables.table import PropertyValues, TableColumns, read_values
from protocols.wire.limits import MAX_QUANTITIES
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity, cut
from protocols.wire.parameters import Parameters
from simulators.evaluator import EvaluationFailed

MissPolicy = Literal["fail", "silent"]
"""What a missing candidate does: a failure `unknown_candidate`, or no answer at all (to try what expiry does)."""


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


class OracleTableSettings(BaseModel):
    """Settings of the oracle, as plain values."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    path: Annotated[str, Field(min_length=1)]
    """The table, of any kind that is read."""
    columns: TableColumns
    """What its columns mean; the same as the agent's, so that ids agree."""
    miss: MissPolicy = "fail"
    """What a candidate that is not in the table gets."""


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
        return cls(read_values(settings.path, settings.columns, StructureReader()), miss=settings.miss)

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the requested properties, then the additional ones that the table knows.

        Raises:
            EvaluationFailed: `unsupported` for a property that the table lacks (at all, or for this candidate),
                `unknown_candidate` for a candidate that it lacks, by id and by parameters, `invalid_request` for one
                whose parameters are not those of its row.
            NoAnswer: In place of `unknown_candidate`, when misses are silent.
        """
        self._check_properties(request)
        row = self._row(request)
        if row is None:
            if self._miss == "silent":
                raise NoAnswer(request.candidate_id)
            detail = f"candidate {_called(request)} is not among the {len(self._row_of)} rows of the oracle's table"
            raise EvaluationFailed(FailureReason.UNKNOWN_CANDIDATE, cut(detail))
        found = {name: float(column[row]) for name, column in self._known.values.items() if np.isfinite(column[row])}
        if lacking := [name for name in request.properties if name not in found]:
            detail = f"the oracle's table has no {lacking[0]!r} for candidate {_called(request)}"
            raise EvaluationFailed(FailureReason.UNSUPPORTED, cut(detail))
        names = tuple(dict.fromkeys((*request.properties, *found)))[:MAX_QUANTITIES]
        return tuple(
            Quantity(
                name=name,
                value=found[name],
                unit=self._known.units[name],
                standard_deviation=self._uncertainty(name, row),
            )
            for name in names
        )

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


def _called(request: CandidateRequest) -> str:
    """Return the ids of a candidate for an error: of its table too, where that is another than ours."""
    ours, own = repr(request.candidate_id), request.source_id
    return ours if own in {None, request.candidate_id} else f"{own!r} ({ours})"
