"""Structures in a table: its rows become crystals, or faults with their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from protocols.structures.reading import ReadStructure, ReadStructures, StructureSettings, UnreadStructure
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import IndexArray
from protocols.tables.columns import TableColumns, derives_family
from protocols.tables.faults import Faults, RowFault, Sieve
from protocols.tables.rows import TableCells

NO_SYSTEM: Final = UnreadStructure(
    "a structure without a crystal system", "a structure whose crystal system cannot be found"
)
"""What stands for the outcome where a family is to be derived and cannot."""


def structures_in(
    cells: TableCells, columns: TableColumns, sieve: Sieve, read_structures: ReadStructures
) -> dict[int, ReadStructure]:
    """Return the structures of the sound rows, by row; the others are rejected.

    Args:
        cells: Of all rows of the file.
        columns: What they mean; there is a column of structures.
        sieve: What is known to be unusable, and what is found to be.
        read_structures: Reads texts; the same text is read once.
    """
    column = str(columns.structure)
    texts = cells.texts[column].texts
    derives = derives_family(columns, cells.file.names)
    settings = StructureSettings(
        symmetry_tolerance=columns.symmetry_tolerance,
        angle_tolerance=columns.angle_tolerance,
        limit_s=columns.structure_limit_s,
        with_symmetry=derives,
    )
    sound = np.flatnonzero(sieve.sound).tolist()
    once = list(dict.fromkeys(texts[row] for row in sound))
    outcome_of = dict(zip(once, read_structures(once, settings), strict=True))
    read: dict[int, ReadStructure] = {}
    unread: dict[int, UnreadStructure] = {}
    for row in sound:
        outcome = outcome_of[texts[row]]
        if isinstance(outcome, ReadStructure) and derives and not outcome.crystal_system:
            outcome = NO_SYSTEM
        if isinstance(outcome, ReadStructure):
            read[row] = outcome
        else:
            unread[row] = outcome
    for reason in dict.fromkeys(each.reason for each in unread.values()):
        rows = np.array([row for row, each in unread.items() if each.reason == reason], dtype=np.int64)
        sieve.reject(Faults(column, reason, rows, lambda row: _fault(unread[row])))
    return read


def conversions(column: str, structures: Mapping[int, ReadStructure], kept: IndexArray) -> Iterator[Finding]:
    """Yield what was read otherwise than it stands, by reason."""
    rows: dict[str, list[int]] = {}
    for row in kept.tolist():
        for reason in structures[row].converted:
            rows.setdefault(reason, []).append(row)
    for reason, found in rows.items():
        yield Finding(Handling.CONVERTED, f"column {column!r}: {reason}", found)


def _fault(unread: UnreadStructure) -> RowFault:
    after = f", line {unread.line} of the cell" if unread.line else ""
    return RowFault(unread.found, unread.expected, "fix or drop the row", after)
