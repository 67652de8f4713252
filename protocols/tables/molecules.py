"""Molecules in a table: SMILES, each checked and written in the canonical way where RDKit is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.molecules.identity import EXPECTED, MoleculeIdentity, can_be_canonical, check_molecule
from protocols.molecules.smiles import SmilesError
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.faults import Faults, RowFault, Sieve
from protocols.tables.replicates import MEAN_SETTING
from protocols.tables.rows import TableCells, TableRows

ROWS_BETWEEN: Final = 500
"""Molecules that are read between two words on how far it is: about a seventh of a second."""

AS_WRITTEN: Final = (
    "SMILES are taken as they are written, and only their text is checked: rdkit is not installed"
    f" (pip install 'entropilot[{EXTRA_OF['rdkit']}]')."
)
"""What a table of molecules says where nobody can write them in the canonical way."""


class RepeatedMoleculeError(TableError):
    """A molecule stands in several rows, and is one candidate."""


def molecules_in(
    cells: TableCells, columns: TableColumns, sieve: Sieve, progress: Callable[[str, int, int], None] = lambda *_: None
) -> dict[int, MoleculeIdentity]:
    """Return the molecules of the sound rows, by row; rows whose SMILES cannot be that of a candidate are rejected."""
    column = str(columns.smiles)
    texts = cells.texts[column].texts
    outcomes: dict[str, MoleculeIdentity | SmilesError] = {}
    read: dict[int, MoleculeIdentity] = {}
    unread: dict[int, SmilesError] = {}
    sound = np.flatnonzero(sieve.sound).tolist()
    for place, row in enumerate(sound):
        if place % ROWS_BETWEEN == 0:
            progress("reading molecules", place, len(sound))
        text = texts[row]
        outcome = outcomes.get(text) or outcomes.setdefault(text, _outcome(text))
        if isinstance(outcome, SmilesError):
            unread[row] = outcome
        else:
            read[row] = outcome

    def tell(row: int) -> RowFault:
        return RowFault(shown(texts[row]), EXPECTED, "fix or drop the row", f": {unread[row]}")

    sieve.reject(Faults(column, "a SMILES that is that of no candidate", np.array(list(unread), dtype=np.int64), tell))
    return read


def require_distinct(molecules: Sequence[MoleculeIdentity], rows: TableRows) -> None:
    """Check that no molecule is there twice.

    Raises:
        RepeatedMoleculeError: With the lines of the first that is.
    """
    row_of: dict[str, int] = {}
    for row, molecule in enumerate(molecules):
        before = row_of.setdefault(molecule.smiles, row)
        if before != row:
            raise RepeatedMoleculeError(
                f"The molecule {shown(molecule.smiles)} stands in {rows.place(before)} and {rows.place(row)}",
                expected="a row per molecule",
                action="drop the repeated rows" + ("" if rows.source_ids else f", or {MEAN_SETTING}"),
            )


def rewritten(molecules: Mapping[int, MoleculeIdentity], rows: TableRows, columns: TableColumns) -> Iterator[Finding]:
    """Yield the rows whose SMILES were written otherwise than they are now."""
    if columns.smiles is None:
        return
    texts = rows.texts[columns.smiles]
    changed = [row for row, text in zip(rows.kept.tolist(), texts, strict=True) if molecules[row].smiles != text]
    if changed:
        yield Finding(
            Handling.CONVERTED,
            f"column {columns.smiles!r}: SMILES that were not written in RDKit's canonical way, and are now: ids come"
            " from the canonical way (without rdkit they would be taken as they stand)",
            changed,
        )


def remarks_on(columns: TableColumns) -> Iterator[str]:
    """Say what a person should know about how SMILES are read; nothing where there are none."""
    if columns.smiles is not None and not can_be_canonical():
        yield AS_WRITTEN


def _outcome(text: str) -> MoleculeIdentity | SmilesError:
    try:
        return check_molecule(text)
    except SmilesError as error:
        return error
