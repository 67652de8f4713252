"""Several rows of one candidate become one: the mean of what was measured, and how well it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import FloatArray, IndexArray, shown
from protocols.tables.columns import TableColumns
from protocols.tables.rows import TableRows

MEAN_SETTING: Final = 'set on_replicates = "mean" to take the mean of their values'
"""How to go on with several rows of one candidate."""


@dataclass(frozen=True, slots=True)
class MergedRows:
    """Rows in which every candidate stands once.

    Attributes:
        rows: In the order of the first row of each candidate; what is measured is the mean of its known values.
        uncertainties: By measured column, the sample standard deviation of that mean, shape (n,) [its unit]; NaN where
            fewer than two values are known.
        findings: What was merged.
    """

    rows: TableRows
    uncertainties: Mapping[str, FloatArray]
    findings: tuple[Finding, ...] = ()


def as_they_stand(rows: TableRows, columns: TableColumns) -> MergedRows:
    """Return the rows of a table without replicates: no value says how well it is known."""
    return MergedRows(rows, {name: np.full(len(rows.kept), np.nan) for name in columns.measured()})


def merged_replicates(
    rows: TableRows, keys: Sequence[str], columns: TableColumns, described: Mapping[int, str]
) -> MergedRows:
    """Return the rows with every candidate once.

    Of n known values x_i the mean m has the standard uncertainty s / √n with s² = Σ (x_i − m)² / (n − 1) (GUM, JCGM
    100:2008, 4.2.3).

    Args:
        rows: The kept rows.
        keys: What names the candidate of each, length of the rows: its id as the table has it, or its content.
        columns: What the columns mean.
        described: By position in the file, what the structure or molecule of a row is, however it is written; where it
            is empty, those are not compared.

    Raises:
        TableError: When two rows of one candidate differ in anything but what was measured, with their lines.
    """
    first: dict[str, int] = {}
    first_row = np.array([first.setdefault(key, row) for row, key in enumerate(keys)], dtype=np.int64)
    kept = np.fromiter(first.values(), dtype=np.int64, count=len(first))
    if len(kept) == len(keys):
        return as_they_stand(rows, columns)
    _require_same(rows, first_row, columns, described)
    candidate = np.searchsorted(kept, first_row)
    numbers = {name: column[kept] for name, column in rows.numbers.items()}
    uncertainties: dict[str, FloatArray] = {}
    for name in columns.measured():
        numbers[name], uncertainties[name] = _mean(rows.numbers[name], candidate, len(kept))
    once = replace(
        rows,
        kept=rows.kept[kept],
        numbers=numbers,
        texts={name: [column[row] for row in kept.tolist()] for name, column in rows.texts.items()},
        source_ids=tuple(rows.source_ids[row] for row in kept.tolist()) if rows.source_ids else (),
    )
    repeated = np.flatnonzero(first_row != np.arange(len(keys)))
    several = int(np.count_nonzero(np.bincount(candidate) > 1))
    told = (
        f"further rows of {several} candidates were merged with their first: the mean of {columns.property!r}, with its"
        " sample standard deviation as the uncertainty of the mean"
    )
    return MergedRows(once, uncertainties, (Finding(Handling.MERGED, told, rows.kept[repeated]),))


def _mean(values: FloatArray, candidate: IndexArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean of the known values of each candidate and its standard uncertainty, each of shape (count,).

    Values are summed as differences from the first known one, so that equal values have exactly that mean.
    """
    known = np.flatnonzero(np.isfinite(values))
    whose = candidate[known]
    size = np.bincount(whose, minlength=count)
    firsts = np.full(count, np.nan)
    candidates, places = np.unique(whose, return_index=True)
    firsts[candidates] = values[known[places]]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = firsts + np.bincount(whose, values[known] - firsts[whose], minlength=count) / size
        squares = np.bincount(whose, (values[known] - mean[whose]) ** 2, minlength=count)
        uncertainty = np.sqrt(squares / (size - 1) / size)
    return mean, np.where(size > 1, uncertainty, np.nan)


def _require_same(rows: TableRows, first_row: IndexArray, columns: TableColumns, described: Mapping[int, str]) -> None:
    """Check that all rows of one candidate describe the same."""
    repeated = np.flatnonzero(first_row != np.arange(len(first_row))).tolist()
    not_compared = {columns.id, columns.structure, columns.smiles} - {*columns.family_columns()}
    pairs = [(int(first_row[row]), row) for row in repeated]
    for name, texts in rows.texts.items():
        for one, other in pairs if name not in not_compared else ():
            if texts[one] != texts[other]:
                raise _differs(rows, name, (one, other), (shown(texts[one]), shown(texts[other])))
    for name, column in rows.numbers.items():
        for one, other in pairs if name not in columns.measured() else ():
            if column[one] != column[other]:
                raise _differs(rows, name, (one, other), (f"{column[one]:.10g}", f"{column[other]:.10g}"))
    contents = [described.get(int(position), "") for position in rows.kept] if described else []
    for one, other in pairs if contents else ():
        if contents[one] != contents[other]:
            name = str(columns.structure or columns.smiles)
            raise _differs(rows, name, (one, other), ("one", "another"))


def _differs(rows: TableRows, name: str, where: tuple[int, int], what: tuple[str, str]) -> TableError:
    one, other = where
    return TableError(
        f"Two rows of one candidate differ in {name!r}: {what[0]} in {rows.place(one)} and {what[1]} in"
        f" {rows.place(other)}",
        expected='with on_replicates = "mean", rows of one candidate that differ in what was measured only',
        action="give them ids of their own, correct one of them, or leave that column out",
    )
