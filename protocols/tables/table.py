"""Tables of candidates: which column means what, and the reader that checks every cell before anybody trusts it.

The agent makes its pool of such a table and the oracle simulator its answers, each with this one reader, so both give
a row the same id. Nothing is guessed: a cell that cannot be used is an error that names the line and the column, or a
dropped row that is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.structures.parse import one_by_one
from protocols.structures.reading import ReadStructures
from protocols.tables.account import Account, Finding, Handling, account_of
from protocols.tables.blocks.mapped_table import MappedTable
from protocols.tables.blocks.reading import is_read_in_blocks, read_in_blocks
from protocols.tables.blocks.sorted_ids import PlaceOfId, SortedIds
from protocols.tables.cells import FloatArray, IndexArray
from protocols.tables.columns import TableColumns, derives_family
from protocols.tables.designs import DesignRows, merged
from protocols.tables.families import Families, families_of
from protocols.tables.files import MAX_TABLE_BYTES, MAX_TABLE_ROWS, TableFile, column_names
from protocols.tables.ids import candidate_ids_of, content_ids
from protocols.tables.leaks import find_leaks
from protocols.tables.molecules import remarks_on, require_distinct
from protocols.tables.outliers import noted_values
from protocols.tables.replicates import MergedRows, as_they_stand, merged_replicates
from protocols.tables.rows import TableRows, feature_matrix, parameters_of
from protocols.tables.usable import UsableRows, usable_rows
from protocols.wire.parameters import Parameters
from protocols.wire.structure import CrystalStructure

__all__ = [
    "MAX_TABLE_BYTES",
    "MAX_TABLE_ROWS",
    "CandidateTable",
    "FamilyValues",
    "PropertyValues",
    "TableColumns",
    "read_family_values",
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
        uncertainties: Standard uncertainties of these, by property, shape (n,) [its unit]; NaN where none is known.
        parameters: What an instrument sets for each, length n; empty where the columns name none.
        features: Shape (n, d), where they were asked for; else (0, 0).
        feature_names: Length d.
        fidelities: The property by each other method that has a column, shape (n,) [its unit]; NaN where not known.
    """

    candidate_ids: Sequence[str]
    values: Mapping[str, FloatArray]
    units: Mapping[str, str]
    uncertainties: Mapping[str, FloatArray] = field(default_factory=dict)
    parameters: tuple[Parameters, ...] = ()
    features: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    feature_names: tuple[str, ...] = ()
    fidelities: Mapping[str, FloatArray] = field(default_factory=dict)
    source: MappedTable | None = None
    """What they are mapped from, where the table is read in blocks; it stays for as long as this lives."""

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each candidate id."""
        if isinstance(self.candidate_ids, SortedIds):
            return PlaceOfId(self.candidate_ids)
        return {candidate_id: row for row, candidate_id in enumerate(self.candidate_ids)}


@dataclass(frozen=True)
class FamilyValues:
    """Families and values of the rows that can be used.

    Attributes:
        file: What they come from.
        kept: Their positions in it, from 0, ascending, shape (n,).
        families: Length n.
        values: The property, shape (n,) [its unit]; NaN where it is not known.
        account: What was not taken as it stands.
    """

    file: TableFile
    kept: IndexArray
    families: tuple[str, ...]
    values: FloatArray
    account: Account


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
        dropped: How many rows were left out (`on_missing = "drop"` or `"unknown_or_drop"`).
        warnings: What a person should know and that stops nothing.
        smiles: Length n, or None without a smiles column.
        designs: The designs that make the candidates; None where the table is none of designs.
        keys: What names each candidate in a table beside this one: its SMILES or id, length n.
        source_ids: The ids as the table has them, "" where it has none, length n.
        account: What was dropped, folded, merged, converted or looks wrong; `warnings` say nothing of it again.
        uncertainties: Standard uncertainties of what was measured, by property, shape (n,); NaN where none is known.
        parameters: What an instrument sets for each, length n; empty where the columns name none.
        fidelities: The property by each other method that has a column, shape (n,); NaN where it is not known.
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
    uncertainties: Mapping[str, FloatArray] = field(default_factory=dict)
    parameters: tuple[Parameters, ...] = ()
    fidelities: Mapping[str, FloatArray] = field(default_factory=dict)

    def values_by(self, candidate_ids: Sequence[str], method: str) -> FloatArray:
        """Return the property by another method than the target, as `values_of`; NaN where it is not known.

        Raises:
            TableError: When the table has no such candidate.
        """
        return self.fidelities[method][self._rows_of(candidate_ids)]

    def values_of(self, candidate_ids: Sequence[str], name: str | None = None) -> FloatArray:
        """Return a measured property in the order of the ids (of a pool, say), shape (len(candidate_ids),).

        Args:
            candidate_ids: Of this table.
            name: One of `columns.additional_properties`; the property itself by default.

        Raises:
            TableError: When the table has no such candidate.
        """
        values = self.values if name in {None, self.columns.property} else self.additional[str(name)]
        return values[self._rows_of(candidate_ids)]

    def uncertainties_of(self, candidate_ids: Sequence[str], name: str) -> FloatArray:
        """Return the standard uncertainties of a measured property, as `values_of`; NaN where none is known.

        Raises:
            TableError: When the table has no such candidate.
        """
        rows = self._rows_of(candidate_ids)
        return self.uncertainties[name][rows] if name in self.uncertainties else np.full(len(rows), np.nan)

    def _rows_of(self, candidate_ids: Sequence[str]) -> IndexArray:
        row_of = {candidate_id: row for row, candidate_id in enumerate(self.candidate_ids)}
        unknown = next((each for each in candidate_ids if each not in row_of), None)
        if unknown is not None:
            raise TableError(f"The table has no candidate {unknown!r}", action="use the table that the pool came from")
        return np.array([row_of[each] for each in candidate_ids], dtype=np.int64)


def read_table(
    path: str | Path,
    columns: TableColumns,
    read_structures: ReadStructures = one_by_one,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> CandidateTable:
    """Read candidates with their family, property and description, and check every used cell.

    Args:
        path: A file of a format that is read (`protocols.tables.files`).
        columns: What its columns mean.
        read_structures: Reads the texts of structures.
        progress: Is told how far the molecules are.

    Raises:
        TableError: With the file, the line and the column of the first cell that cannot be used.
    """
    usable, once, designs = _read(path, columns, read_structures, progress, described=True)
    rows = once.rows
    structures = None if columns.structure is None else [usable.structures[row] for row in rows.kept.tolist()]
    molecules = None if columns.smiles is None else [usable.molecules[row] for row in rows.kept.tolist()]
    if molecules is not None:
        require_distinct(molecules, rows)
    families = families_of(rows, columns, usable.structures, usable.spellings)
    formulas = rows.texts.get(columns.composition or "", [""] * len(rows.kept))
    without_entropy = tuple(_without_entropy(rows, columns, families.names))
    if without_entropy and columns.on_no_entropy == "error":
        raise _no_entropy(rows.file.path, without_entropy)
    if columns.composition is None:
        formulas = [each.formula for each in structures or molecules or ()] or formulas
    return CandidateTable(
        columns=columns,
        candidate_ids=candidate_ids_of(rows, columns, usable.molecules, usable.structures),
        families=families.names,
        values=rows.numbers[columns.property],
        features=feature_matrix(rows),
        feature_names=rows.features,
        formulas=tuple(formulas),
        structures=None if structures is None else tuple(each.crystal for each in structures),
        smiles=None if molecules is None else tuple(each.smiles for each in molecules),
        designs=designs,
        keys=tuple(rows.texts.get(columns.smiles or columns.id or "", ())),
        source_ids=rows.source_ids or ("",) * len(rows.kept),
        additional={name: rows.numbers[name] for name in columns.additional_properties},
        dropped=rows.dropped,
        warnings=(*_warnings(rows, columns), *remarks_on(columns), *without_entropy),
        account=_account(usable, once, families, columns),
        uncertainties=once.uncertainties,
        parameters=parameters_of(rows, columns),
        fidelities={method: rows.numbers[name] for method, name in columns.fidelities.items()},
    )


def read_family_values(
    path: str | Path, columns: TableColumns, read_structures: ReadStructures = one_by_one
) -> FamilyValues:
    """Read families and values only: the same rows as `read_table`; structures are read where families come of them.

    Raises:
        TableError: As `read_table`, but for what need not be read.
    """
    # Without structures the file need not be looked at twice.
    derives = columns.structure is not None and derives_family(columns, column_names(Path(path), columns))
    usable, once, _ = _read(path, columns, read_structures, described=derives)
    rows = once.rows
    candidate_ids_of(rows, columns, usable.molecules, usable.structures)  # refuses rows that are there twice
    families = families_of(rows, columns, usable.structures, usable.spellings)
    account = _account(usable, once, families, columns)
    return FamilyValues(rows.file, rows.kept, families.names, rows.numbers[columns.property], account)


def read_values(
    path: str | Path,
    columns: TableColumns,
    read_structures: ReadStructures = one_by_one,
    *,
    with_features: bool = False,
) -> PropertyValues:
    """Read ids and measured properties, and features on demand: the same rows and ids as `read_table`.

    Structures, molecules and formulas are read where ids come of them, or where rows are left out for them.

    Raises:
        TableError: As `read_table`, but for what need not be read.
    """
    units = {columns.property: columns.unit, **columns.additional_properties}
    if is_read_in_blocks(path, columns):
        table = read_in_blocks(path, columns)
        kept = {name: table.values(name) for name in columns.measured()}
        return PropertyValues(table.candidate_ids, kept, units, source=table)
    usable, once, _ = _read(path, columns, read_structures, described=False)
    rows = once.rows
    values = {name: rows.numbers[name] for name in units}
    by_method = {method: rows.numbers[name] for method, name in columns.fidelities.items()}
    ids = candidate_ids_of(rows, columns, usable.molecules, usable.structures)
    known = PropertyValues(ids, values, units, once.uncertainties, parameters_of(rows, columns), fidelities=by_method)
    return replace(known, features=feature_matrix(rows), feature_names=rows.features) if with_features else known


def _read(
    path: str | Path,
    columns: TableColumns,
    read_structures: ReadStructures,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    *,
    described: bool,
) -> tuple[UsableRows, MergedRows, DesignRows | None]:
    """Read the rows that can be used, with every candidate once where the columns say how."""
    read = usable_rows(Path(path), columns, read_structures, described=described, progress=progress)
    usable = _without_leaks(read, columns)
    if columns.factors:
        rows, designs = merged(usable.rows, columns)
        return usable, as_they_stand(rows, columns), designs
    if columns.on_replicates == "error":
        return usable, as_they_stand(usable.rows, columns), None
    contents = {row: each.content for row, each in usable.structures.items()}
    contents |= {row: each.smiles for row, each in usable.molecules.items()}
    keys = (
        content_ids(usable.rows, columns, usable.molecules, usable.structures)
        if columns.id is None
        else usable.rows.texts[columns.id]
    )
    return usable, merged_replicates(usable.rows, keys, columns, contents), None


def _without_leaks(usable: UsableRows, columns: TableColumns) -> UsableRows:
    """Leave out the features that a pattern takes and that tell what is measured; one that is named stays, and is told.

    Raises:
        TableError: When no other feature is left.
    """
    rows = usable.rows
    features = {name: rows.numbers[name] for name in rows.features}
    leaks = list(find_leaks(features, {name: rows.numbers[name] for name in columns.measured()}))
    taken = [each for each in leaks if each.column not in columns.feature_patterns()]
    unwanted = {each.column for each in taken}
    kept = tuple(name for name in rows.features if name not in unwanted)
    numbers = {
        name: column
        for name, column in rows.numbers.items()
        if name not in unwanted - {*columns.binned(), *columns.parameters}
    }
    if taken and not kept and not (columns.composition or columns.structure or columns.factors):
        raise TableError(
            f"In {rows.file.path.name} the features {', '.join(columns.features)} tell what is measured: {taken[0]}",
            expected="features that take no measurement",
            action="name other features",
        )
    findings = [
        Finding(Handling.DROPPED, f"{each}; no feature is made of it", (), 1)
        if each in taken
        else Finding(Handling.NOTED, f"{each}; it is a feature because it is named as one", (), 1)
        for each in leaks
    ]
    return replace(usable, rows=replace(rows, features=kept, numbers=numbers), findings=(*usable.findings, *findings))


def _account(usable: UsableRows, once: MergedRows, families: Families, columns: TableColumns) -> Account:
    """Return what was not taken as it stands, and the values that look impossible."""
    rows = usable.rows if columns.on_replicates == "mean" else once.rows  # a mean hides the measurement that is wrong
    units = {columns.property: columns.unit, **columns.additional_properties}
    noted = [each for name, unit in units.items() for each in noted_values(rows.numbers[name], name, unit, rows.kept)]
    findings = (*usable.findings, *once.findings, *families.findings, *noted)
    return (*rows.file.notes, *account_of(findings, rows.file.places))


def _warnings(rows: TableRows, columns: TableColumns) -> Iterator[str]:
    values = rows.numbers[columns.property]
    known = values[np.isfinite(values)]
    if columns.keeps_unmeasured():
        unknown = len(values) - len(known)
        yield f"{columns.property} is known for {len(known)} of {len(values)} rows, and not measured yet for {unknown}."
    if _equal(known) and 1 < len(known) < len(values):
        yield (
            f"All {len(known)} known rows have {columns.property} = {known[0]:g}:"
            " equal values leave nothing to balance until another comes."
        )


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
