"""Molecules in a table: SMILES, each checked and written in the canonical way where RDKit is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.molecules.identity import EXPECTED, MoleculeIdentity, can_be_canonical, check_molecule
from protocols.molecules.smiles import SmilesError
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.rows import TableRows

AS_WRITTEN: Final = (
    "SMILES are taken as they are written, and only their text is checked: rdkit is not installed"
    f" (pip install 'entropilot[{EXTRA_OF['rdkit']}]')."
)
"""What a table of molecules says where nobody can write them in the canonical way."""


def molecules_of(rows: TableRows, columns: TableColumns) -> tuple[MoleculeIdentity, ...] | None:
    """Return the molecules, or None where no column has any.

    Raises:
        TableError: With the line of the first SMILES that cannot be that of a candidate, or of the first molecule that
            is there twice.
    """
    if columns.smiles is None:
        return None
    molecules = tuple(_molecule(text, rows, columns.smiles, row) for row, text in enumerate(rows.texts[columns.smiles]))
    row_of: dict[str, int] = {}
    for row, molecule in enumerate(molecules):
        before = row_of.setdefault(molecule.smiles, row)
        if before != row:
            raise TableError(
                f"The molecule {shown(molecule.smiles)} stands in {rows.place(before)} and {rows.place(row)}",
                expected="a row per molecule",
                action="drop the repeated rows",
            )
    return molecules


def remarks_on(molecules: Sequence[MoleculeIdentity] | None, rows: TableRows, columns: TableColumns) -> Iterator[str]:
    """Say what a person should know about how the SMILES were read; nothing where there are none."""
    if molecules is None:
        return
    if not can_be_canonical():
        yield AS_WRITTEN
        return
    written = rows.texts[columns.smiles or ""]
    changed = sum(molecule.smiles != text for molecule, text in zip(molecules, written, strict=True))
    if changed:
        yield (
            f"{changed} of {len(written)} SMILES were not written in RDKit's canonical way, and are now:"
            " ids come from the canonical way. Without rdkit they would be taken as they stand."
        )


def _molecule(text: str, rows: TableRows, column: str, row: int) -> MoleculeIdentity:
    try:
        return check_molecule(text)
    except SmilesError as error:
        raise TableError(
            f"Column {column!r} has {shown(text)} in {rows.place(row)}: {error}",
            expected=EXPECTED,
            action="fix or drop the row",
        ) from None
