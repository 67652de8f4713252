"""Which rows of a table can be used, and what is in them: cells, formulas, molecules, structures, one after the other.

The agent and the lab that plays its table read with the same rules, so that both keep the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocols.molecules.identity import MoleculeIdentity
from protocols.structures.formulas import FormulaError, read_formula
from protocols.structures.parse import one_by_one
from protocols.structures.reading import ReadStructure, ReadStructures
from protocols.tables.account import Finding
from protocols.tables.cells import IndexArray, shown
from protocols.tables.columns import TableColumns
from protocols.tables.faults import Faults, RowFault, Sieve
from protocols.tables.molecules import molecules_in, rewritten
from protocols.tables.rows import TableCells, TableRows, missing_among, read_cells, reject_cells, sieve_of
from protocols.tables.spelling import ONE_OF_TWO, folded, ids_alike, likely_the_same, tidied, told, whole_numbers
from protocols.tables.structures import conversions, structures_in


@dataclass(frozen=True, slots=True)
class UsableRows:
    """The rows that can be used.

    Attributes:
        rows: Their cells.
        structures: By position in the file; empty where none were read.
        molecules: By position in the file; empty where none were read.
        findings: What was not taken as it stands.
        spellings: Families as the table spells them, of all rows of the file.
    """

    rows: TableRows
    structures: Mapping[int, ReadStructure]
    molecules: Mapping[int, MoleculeIdentity]
    findings: tuple[Finding, ...]
    spellings: frozenset[str]


def usable_rows(
    path: Path,
    columns: TableColumns,
    read_structures: ReadStructures = one_by_one,
    *,
    described: bool = True,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> UsableRows:
    """Read a table and keep the rows that can be used.

    Args:
        path: The file.
        columns: What its columns mean.
        read_structures: Reads the structures.
        described: Whether formulas, molecules and structures are wanted; if not, they are read where ids come of them,
            or rows are left out for them.
        progress: Is told how far the molecules are.

    Raises:
        TableError: With the place of the first cell that cannot be used, when such rows are not to be left out; when
            none is left.
    """
    cells = read_cells(path, columns)
    sieve = sieve_of(cells.file, columns)
    reject_cells(cells, columns, sieve)
    sieve.raise_first()
    looked_at = described or sieve.drops
    if looked_at and _needs_formulas(columns):
        _reject_formulas(cells, str(columns.composition), sieve)
        sieve.raise_first()
    molecules: dict[int, MoleculeIdentity] = {}
    if columns.smiles is not None and (looked_at or columns.id is None):
        molecules = molecules_in(cells, columns, sieve, progress)
        sieve.raise_first()
    structures: dict[int, ReadStructure] = {}
    if columns.structure is not None and (looked_at or columns.id is None):
        structures = structures_in(cells, columns, sieve, read_structures)
        sieve.raise_first()
    kept = sieve.kept(path)
    findings = [*sieve.findings(), *missing_among(cells, kept)]
    rows = _kept_rows(cells, columns, kept, findings)
    if structures:
        findings += conversions(str(columns.structure), structures, kept)
    if molecules:
        findings += rewritten(molecules, rows, columns)
    spellings = frozenset[str]().union(
        *(cells.texts[name].distinct for name in columns.family_columns() if name in cells.texts)
    )
    return UsableRows(rows, structures, molecules, tuple(findings), spellings)


def _needs_formulas(columns: TableColumns) -> bool:
    """Tell whether features are made of formulas; elsewhere a formula is a label, and may be any text."""
    return columns.composition is not None and not (columns.features or columns.structure or columns.factors)


def _reject_formulas(cells: TableCells, column: str, sieve: Sieve) -> None:
    """Reject the rows whose formula cannot be read."""
    texts = cells.texts[column].texts
    sound = np.flatnonzero(sieve.sound).tolist()
    wrong: dict[str, FormulaError] = {}
    for text in dict.fromkeys(texts[row] for row in sound):
        try:
            read_formula(text)
        except FormulaError as error:
            wrong[text] = error
    if not wrong:
        return

    def tell(row: int) -> RowFault:
        error = wrong[texts[row]]
        return RowFault(shown(texts[row]), error.expected, "fix or drop the row", f": {error.found}")

    for reason in dict.fromkeys(error.reason for error in wrong.values()):
        rows = [row for row in sound if texts[row] in wrong and wrong[texts[row]].reason == reason]
        sieve.reject(Faults(column, f"a formula that cannot be read ({reason})", np.array(rows, dtype=np.int64), tell))


def _kept_rows(cells: TableCells, columns: TableColumns, kept: IndexArray, findings: list[Finding]) -> TableRows:
    """Return the kept rows with every name in one spelling; what became of spellings joins the findings."""
    everything = len(kept) == len(cells.file.frame)
    positions = kept.tolist()
    texts = {
        name: column.texts if everything else [column.texts[row] for row in positions]
        for name, column in cells.texts.items()
    }
    source_ids = () if columns.id is None else tuple(texts[columns.id])
    for name in _names(cells, columns):
        as_they_stand = texts[name]
        families = name in columns.family_columns()
        distinct = cells.texts[name].distinct
        if families:
            one = folded(distinct, columns.family_names)
        else:  # ids that differ in anything but the decimals of a whole number are several
            one = whole_numbers(distinct) if name == columns.id else tidied(distinct)
        spellings = list(told(name, as_they_stand, one, positions))
        if spellings:
            findings += spellings
            texts[name] = [one.get(text, text) for text in as_they_stand]
        if name == columns.id:
            findings += ids_alike(name, texts[name], positions)
        elif name != columns.composition:
            findings += likely_the_same(name, texts[name], positions, ONE_OF_TWO if families else "")
    return TableRows(
        file=cells.file,
        kept=kept,
        features=cells.features,
        numbers={
            name: column.numbers if everything else column.numbers[kept] for name, column in cells.numbers.items()
        },
        texts=texts,
        dropped=len(cells.file.frame) - len(kept),
        source_ids=source_ids,
    )


def _names(cells: TableCells, columns: TableColumns) -> tuple[str, ...]:
    """Return the columns whose texts name something: candidates, families, levels of factors."""
    named = dict.fromkeys((columns.id, *columns.family_columns(), *columns.factors))
    described = {columns.structure, columns.smiles, columns.composition} - {*columns.family_columns()}
    return tuple(name for name in named if name is not None and name in cells.texts and name not in described)
