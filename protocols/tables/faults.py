"""Rows that cannot be used: the first is an error, or all are left out and counted by reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import IndexArray

SETTING: Final = 'set on_missing = "drop" to leave such rows out'
"""How to go on without the rows that cannot be used."""

MAX_REASONS_SAID: Final = 5
"""Most reasons in the error of a table of which no row is left."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row, as the error says it.

    Attributes:
        found: What stands in the cell, as `Column 'x' has 'y'` continues.
        expected: What was expected.
        action: What to do, besides leaving the row out.
        after: What follows the place: `: it has a charge`, or `, line 3 of the cell`.
        otherwise: Another way out, after that of leaving the row out.
    """

    found: str
    expected: str = ""
    action: str = "fix the cell"
    after: str = ""
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Faults:
    """Rows that cannot be used for one reason.

    Attributes:
        column: In which column.
        reason: Of which kind the fault is, without the cell: faults are counted by it.
        rows: Positions in the file, from 0, ascending, shape (k,).
        tell: What is wrong with one of them; asked for the first only, so that it may be dear.
    """

    column: str
    reason: str
    rows: IndexArray
    tell: Callable[[int], RowFault]


@dataclass(slots=True)
class Sieve:
    """Collects faults, and says which rows are left; a row counts for the first fault that is found in it.

    Attributes:
        sound: Rows without a fault, shape (rows of the file,).
        place: Where a row (from 0) stands, as a person counts.
        drops: Whether rows that cannot be used are left out; else the first stops.
        remedy: How to go on without such rows.
        found: The faults so far.
    """

    sound: Mask
    place: Callable[[int], str]
    drops: bool
    remedy: str = SETTING
    found: list[Faults] = field(default_factory=list)

    def reject(self, *kinds: Faults) -> None:
        """Note faults, of rows that have none yet."""
        for faults in kinds:
            rows = faults.rows[self.sound[faults.rows]]
            if len(rows):
                self.sound[rows] = False
                self.found.append(replace(faults, rows=rows))

    def raise_first(self) -> None:
        """Stop at the first row with a fault, unless such rows are to be left out.

        Raises:
            TableError: With its fault, and how many rows are like it.
        """
        if self.drops or not self.found:
            return
        first = min(self.found, key=lambda each: each.rows[0])
        row, alike = int(first.rows[0]), (first.column, first.reason)
        count = sum(len(each.rows) for each in self.found if (each.column, each.reason) == alike)
        fault = first.tell(row)
        more = f" ({count} such cells in the column)" if count > 1 else ""
        ways = [fault.action, self.remedy, fault.otherwise]
        if count == len(self.sound):  # leaving all of them out leaves nothing
            ways = [fault.action, "correct the column: no row can be used with it", fault.otherwise]
        raise TableError(
            f"Column {first.column!r} has {fault.found} in {self.place(row)}{fault.after}{more}",
            expected=fault.expected,
            action=", or ".join(each for each in ways if each),
        )

    def kept(self, path: Path) -> IndexArray:
        """Return the positions of the rows without a fault.

        Raises:
            TableError: When there is none, with the reasons.
        """
        kept = np.flatnonzero(self.sound)
        if len(kept):
            return kept
        findings = list(self.findings())
        said = "; ".join(f"{each.reason} in {each.count} rows" for each in findings[:MAX_REASONS_SAID])
        more = f"; and {len(findings) - MAX_REASONS_SAID} more reasons" if len(findings) > MAX_REASONS_SAID else ""
        first = min(self.found, key=lambda each: each.rows[0])
        row = int(first.rows[0])
        fault = first.tell(row)
        what = fault.found.removesuffix(",")  # the place follows it elsewhere
        remedy = "name other columns, or correct these: " + ", ".join(dict.fromkeys(each.column for each in self.found))
        raise TableError(
            f"No row of {path} can be used: {said}{more}; the first, column {first.column!r} in {self.place(row)}, has"
            f" {what}{fault.after}",
            expected=fault.expected or "rows with every column that is named",
            action=", or ".join(each for each in (fault.action, fault.otherwise, remedy) if each),
        )

    def findings(self) -> Iterator[Finding]:
        """Yield what is left out, by reason, the most frequent first."""
        by_reason: dict[tuple[str, str], list[IndexArray]] = {}
        for faults in self.found:
            by_reason.setdefault((faults.column, faults.reason), []).append(faults.rows)
        joined = {kind: np.sort(np.concatenate(rows)) for kind, rows in by_reason.items()}
        for (column, reason), rows in sorted(joined.items(), key=lambda each: -len(each[1])):
            yield Finding(Handling.DROPPED, f"column {column!r}: {reason}", rows)
