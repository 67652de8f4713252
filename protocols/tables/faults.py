"""Rows that cannot be used: the first is an error, or all are left out and counted by reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from protocols.errors import TableError
from protocols.tables.account import MAX_PLACES, AccountEntry, Handling

SETTING: Final = 'set on_missing = "drop" to leave such rows out'
"""How to go on without the rows that cannot be used."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why one row cannot be used.

    Attributes:
        row: Its position among the kept rows, from 0.
        column: In which column.
        reason: Of which kind the fault is, without the cell: faults are counted by it.
        found: What stands there, as `Column 'x' has 'y'` continues: the place is added.
        expected: What was expected.
        action: What to do, besides leaving the row out.
    """

    row: int
    column: str
    reason: str
    found: str
    expected: str = ""
    action: str = "fix the cell"

    def error(self, place: Callable[[int], str], count: int) -> TableError:
        """Return the error that names this fault as the first of `count`."""
        more = f" ({count} such rows)" if count > 1 else ""
        return TableError(
            f"Column {self.column!r} has {self.found} in {place(self.row)}{more}",
            expected=self.expected,
            action=f"{self.action}, or {SETTING}",
        )


@dataclass(slots=True)
class Sieve:
    """Collects faults of rows, and says at the end which rows are left.

    Attributes:
        place: Where a row (from 0) stands, as a person counts.
        drops: Whether rows that cannot be used are left out; else the first stops.
        faults: What was found, at most one a row.
    """

    place: Callable[[int], str]
    drops: bool
    faults: dict[int, RowFault] = field(default_factory=dict)

    def reject(self, fault: RowFault) -> None:
        """Note a fault; the first of a row counts.

        Raises:
            TableError: When nothing is to be left out, and the caller does not collect all (see `raise_first`).
        """
        self.faults.setdefault(fault.row, fault)

    def is_sound(self, row: int) -> bool:
        """Tell whether a row has no fault yet."""
        return row not in self.faults

    def raise_first(self) -> None:
        """Stop at the first fault, unless rows are to be left out.

        Raises:
            TableError: With the first fault, and how many rows are like it.
        """
        if self.drops or not self.faults:
            return
        first = self.faults[min(self.faults)]
        raise first.error(self.place, sum(each.reason == first.reason for each in self.faults.values()))

    def account(self) -> Iterable[AccountEntry]:
        """Yield what was left out, by reason, the most frequent first."""
        by_reason: dict[str, list[int]] = {}
        for row in sorted(self.faults):
            fault = self.faults[row]
            by_reason.setdefault(f"column {fault.column!r}: {fault.reason}", []).append(row)
        for reason, rows in sorted(by_reason.items(), key=lambda each: -len(each[1])):
            yield AccountEntry(
                handling=Handling.DROPPED,
                reason=reason,
                count=len(rows),
                places=tuple(self.place(row) for row in rows[:MAX_PLACES]),
            )
