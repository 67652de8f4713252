"""Tables of candidates: which column means what, and the reader that checks every cell before anybody trusts it.

The agent makes its pool of such a table and the oracle simulator its answers, each with this one reader, so both give
a row the same id. A table is CSV (plain or gzipped, UTF-8, comma-separated) or Parquet. Nothing is guessed: a cell
that cannot be used is an error that names the line and the column, or a dropped row that is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.tables.account import MAX_PLACES, Account, AccountEntry, Handling
from protocols.tables.cells import FloatArray
from protocols.tables.columns import TableColumns
from protocols.tables.designs import DesignRows, merged
from protocols.tables.families import families_of
from protocols.tables.files import MAX_TABLE_BYTES, MAX_TABLE_ROWS
from protocols.tables.ids import candidate_ids_of
from protocols.tables.molecules import molecules_of, remarks_on
from protocols.tables.rows import TableRows, feature_matrix, read_rows
from protocols.tables.structures import structures_of
from protocols.wire.structure import CrystalStructure

__all__ = [
    "MAX_TABLE_BYTES",
    "MAX_TABLE_ROWS",
    "CandidateTable",
    "PropertyValues",
    "TableColumns",
    "read_table",
    "read_values",
]

MAX_FAMILIES_SHOWN: Final = 5
"""Most families in a warning."""


@dataclass(frozen=True)
class PropertyValues:
    """What the oracle needs of a table.

    Attributes:
        candidate_ids: In the order of the file, length n.
        values: By property, shape (n,) [its unit]; NaN where it is not known.
        units: By property.
    """

    candidate_ids: tuple[str, ...]
    values: Mapping[str, FloatArray]
    units: Mapping[str, str]


@dataclass(frozen=True)
class CandidateTable:
    """A checked table of candidates, in the order of the file.

    Attributes:
        columns: What the columns mean.
        candidate_ids: Ids as the protocol wants them, distinct, length n.
        families: Length n.
        values: The property, shape (n,) [columns.unit]; finite, or NaN where it is not measured yet
            (`on_missing = "unknown"`).
        features: Finite, shape (n, d).
        feature_names: Length d.
        formulas: Length n; of the structures or molecules where there is no composition column, else empty texts.
        structures: Length n, or None without a structure column.
        additional: Additional properties by name, shape (n,); NaN where not known.
        dropped: How many rows were left out (`on_missing = "drop"`).
        warnings: What a person should know and that stops nothing.
        smiles: Length n, or None without a smiles column.
        designs: The designs that make the candidates; None where the table is none of designs.
        keys: What names each candidate in a table beside this one: its SMILES or id as written, length n.
        source_ids: The ids exactly as the table writes them, empty texts where it has none, length n.
        account: What was not taken as it stands.
    """

    columns: TableColumns
    candidate_ids: tuple[str, ...]
    families: tuple[str, ...]
    values: FloatArray
    features: FloatArray
    feature_names: tuple[str, ...]
    formulas: tuple[str, ...]
    structures: tuple[CrystalStructure, ...] | None
    additional: Mapping[str, FloatArray]
    dropped: int
    warnings: tuple[str, ...]
    smiles: tuple[str, ...] | None = None
    designs: DesignRows | None = None
    keys: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()
    account: Account = ()

    def values_of(self, candidate_ids: Sequence[str], name: str | None = None) -> FloatArray:
        """Return a measured property in the order of the ids (of a pool, say), shape (len(candidate_ids),).

        Args:
            candidate_ids: Of this table.
            name: One of `columns.additional_properties`; the property itself by default.

        Raises:
            TableError: When the table has no such candidate.
        """
        row_of = {candidate_id: row for row, candidate_id in enumerate(self.candidate_ids)}
        unknown = next((each for each in candidate_ids if each not in row_of), None)
        if unknown is not None:
            raise TableError(f"The table has no candidate {unknown!r}", action="use the table that the pool came from")
        values = self.values if name in {None, self.columns.property} else self.additional[str(name)]
        return values[np.array([row_of[each] for each in candidate_ids], dtype=np.int64)]


def read_table(path: str | Path, columns: TableColumns) -> CandidateTable:
    """Read candidates with their family, property and description, and check every used cell.

    Args:
        path: A `.csv`, `.csv.gz` or `.parquet` file.
        columns: What its columns mean.

    Raises:
        TableError: With the file, the line and the column of the first cell that cannot be used.
    """
    rows, designs = _read(path, columns)
    structures = structures_of(rows, columns)
    molecules = molecules_of(rows, columns)
    families = families_of(rows, columns, structures)
    formulas = rows.texts.get(columns.composition or "", [""] * len(families))
    without_entropy = tuple(_without_entropy(rows, columns, families))
    if without_entropy and columns.on_no_entropy == "error":
        raise _no_entropy(rows.file.path, without_entropy)
    if columns.composition is None and structures is not None:
        formulas = [structure.to_pymatgen().composition.reduced_formula for structure in structures]
    if columns.composition is None and molecules is not None:
        formulas = [molecule.formula for molecule in molecules]
    return CandidateTable(
        columns=columns,
        candidate_ids=candidate_ids_of(rows, columns, molecules),
        families=families,
        values=rows.numbers[columns.property],
        features=feature_matrix(rows),
        feature_names=rows.features,
        formulas=tuple(formulas),
        structures=structures,
        smiles=None if molecules is None else tuple(molecule.smiles for molecule in molecules),
        designs=designs,
        keys=tuple(rows.texts.get(columns.smiles or columns.id or "", ())),
        source_ids=tuple(rows.texts[columns.id]) if columns.id else ("",) * len(families),
        account=_account(rows),
        additional={name: rows.numbers[name] for name in columns.additional_properties},
        dropped=rows.dropped,
        warnings=(*_warnings(rows, columns, families), *remarks_on(molecules, rows, columns), *without_entropy),
    )


def read_values(path: str | Path, columns: TableColumns) -> PropertyValues:
    """Read ids and measured properties only: the same rows and ids as `read_table`, and no structure is parsed.

    Raises:
        TableError: As `read_table`, but for structures that cannot be parsed.
    """
    rows, _ = _read(path, columns)
    values = {name: rows.numbers[name] for name in columns.measured()}
    units = {columns.property: columns.unit, **columns.additional_properties}
    return PropertyValues(candidate_ids_of(rows, columns), values, units)


def _read(path: str | Path, columns: TableColumns) -> tuple[TableRows, DesignRows | None]:
    """Read the rows, of a table of designs with every candidate once."""
    rows = read_rows(Path(path), columns)
    return merged(rows, columns) if columns.factors else (rows, None)


def _warnings(rows: TableRows, columns: TableColumns, families: Sequence[str]) -> Iterator[str]:
    values = rows.numbers[columns.property]
    known = values[np.isfinite(values)]
    if columns.on_missing == "unknown":
        unknown = len(values) - len(known)
        yield f"{columns.property} is known for {len(known)} of {len(values)} rows, and not measured yet for {unknown}."
    if _equal(known) and 1 < len(known) < len(values):
        yield (
            f"All {len(known)} known rows have {columns.property} = {known[0]:g}:"
            " equal values leave nothing to balance until another comes."
        )
    if rows.dropped:
        yield f"{rows.dropped} of {rows.dropped + len(families)} rows were left out: a used cell is empty or infinite."


def _account(rows: TableRows) -> Account:
    """Tell which rows were left out."""
    if not rows.dropped:
        return ()
    kept = set(rows.kept.tolist())
    places = tuple(rows.file.place(row) for row in range(len(rows.file.frame)) if row not in kept)[:MAX_PLACES]
    reason = "a used cell is empty or infinite"
    return (AccountEntry(handling=Handling.DROPPED, reason=reason, count=rows.dropped, places=places),)


def _without_entropy(rows: TableRows, columns: TableColumns, families: Sequence[str]) -> Iterator[str]:
    """Say why there is no entropy to balance, whatever is measured."""
    values = rows.numbers[columns.property]
    if _equal(values):
        yield f"Every candidate has {columns.property} = {values[0]:g}: equal values leave nothing to balance."
    alone = sorted(family for family, count in Counter(families).items() if count == 1)
    if alone:
        named = ", ".join(repr(family) for family in alone[:MAX_FAMILIES_SHOWN])
        named += ", …" if len(alone) > MAX_FAMILIES_SHOWN else ""
        count = f"{len(alone)} of {len(set(families))} families"
        yield f"{count} have a single candidate, whose entropy says nothing: {named}."


def _no_entropy(path: Path, reasons: Sequence[str]) -> TableError:
    return TableError(
        f"{path.name}: {' '.join(reasons)}",
        expected="families of several candidates, and values that differ",
        action='correct the table, name another family column, or set on_no_entropy = "warn" to go on all the same',
    )


def _equal(values: FloatArray) -> bool:
    return len(values) > 0 and bool(values.min() == values.max())
