"""Guesses what the columns of a table of candidates are, for a scenario: each guess says why.

What is measured is told from what is known before by its name, and by empty cells; words, formulas, SMILES and ids by
their cells. Nothing here looks at how values and features are related, but for columns that are the property again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from protocols.errors import TableError
from protocols.tables.format import USUAL, TableFormat
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.init.cells import Cells, cells_of
from scenarios.init.columns import unit_of
from scenarios.init.family_spellings import likely_meant
from scenarios.init.feature_columns import feature_columns
from scenarios.init.naming_columns import (
    composition_column,
    family_column,
    id_column,
    smiles_column,
    structure_column,
)
from scenarios.init.property_column import MOSTLY, property_column, usual_unit


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a table; None where they say nothing.

    Attributes:
        property: Column that is balanced.
        unit: Its unit.
        id: Column of ids.
        family: Column of families.
        features: Columns that a policy knows a candidate by.
        format: How the table is written.
    """

    property: str | None = None
    unit: str | None = None
    id: str | None = None
    family: str | None = None
    features: tuple[str, ...] | None = None
    format: TableFormat = USUAL


@dataclass(frozen=True, slots=True)
class Assumed:
    """What the columns of a table are taken for.

    Attributes:
        path: The table.
        rows: How many.
        known: How many have a value of the property.
        property: Column that is balanced.
        others: Columns that could be as well.
        unit: Of the property.
        id: Column of ids; None for none.
        family: Column of families; None for none.
        families: How many.
        spellings: Family -> the more frequent one that is likely meant, by capitals, blanks or a slip of the pen.
        features: Columns of numbers.
        composition: Column of formulas; None for none.
        smiles: Column of SMILES; None for none.
        structure: Column of structures; None for none.
        unused: Column -> why nothing is made of it.
        why: What was assumed -> why.
        format: How the table is written.
        id_is_distinct: Whether there is a column of ids, and no id stands twice.
        has_holes: Whether a cell is used that is empty or no number, and is not what a lab is to measure: such rows are
            left out.
    """

    path: Path
    rows: int
    known: int
    property: str
    others: tuple[str, ...]
    unit: str
    id: str | None
    family: str | None
    families: int
    spellings: Mapping[str, str]
    features: tuple[str, ...]
    composition: str | None
    smiles: str | None
    structure: str | None
    unused: Mapping[str, str]
    why: Mapping[str, str]
    format: TableFormat
    id_is_distinct: bool = False
    has_holes: bool = False

    def is_oracle(self) -> bool:
        """Whether the table knows the values, but for holes, and so can play the lab."""
        return self.known >= MOSTLY * self.rows


def assume_columns(path: Path, said: Said, progress: ProgressCall = no_progress) -> Assumed:
    """Return what the columns of a table are taken for.

    Args:
        path: The table.
        said: What a person says of it.
        progress: For a progress bar.

    Raises:
        TableError: When the table cannot be read, lacks a column that is named, or nothing in it can be a property or
            tells candidates apart.
    """
    named = (said.property, said.id, said.family, *(said.features or ()))
    return assumed_of(path, cells_of(path, said.format, named, progress), said)


def assumed_of(path: Path, cells: Cells, said: Said) -> Assumed:
    """Return what columns are taken for whose cells were read.

    Raises:
        TableError: When nothing can be a property or tells candidates apart.
    """
    why: dict[str, str] = {}
    named = {said.property, said.id, said.family, *(said.features or ())}
    smiles, structure, composition = (
        found if found not in named else None
        for found in (smiles_column(cells, why), structure_column(cells, why), composition_column(cells, why))
    )
    taken = {*named, smiles, structure, composition} - {None, *(said.features or ())}
    own_id = said.id or id_column(cells, {each for each in taken if each is not None}, why)
    taken |= {own_id}
    chosen, others = (
        (said.property, ())
        if said.property
        else property_column(path, cells, {*filter(None, (*taken, *(said.features or ())))}, why)
    )
    taken |= {chosen}
    family = said.family or family_column(cells, {*filter(None, taken)}, why)
    taken |= {family}
    values = cells.numbers.get(chosen, np.full(cells.rows, np.nan))
    left = {*filter(None, taken)}
    has_content = bool(structure or composition)  # a molecule's SMILES names it, and are no numbers
    features, unused = feature_columns(cells, left, values, said.features, has_content=has_content or bool(smiles))
    if not (features or has_content):
        features, unused = feature_columns(cells, left, values, said.features, has_content=False)
    if not (features or has_content):
        raise TableError(
            f"The table {path} has no column that tells candidates apart before they are measured",
            expected="numbers in every row, formulas or structures",
            action="add such columns, or name some with --features",
        )
    unit = unit_of(chosen) if said.unit is None else said.unit
    if not unit and said.unit is None and (unit := usual_unit(chosen)):
        why["unit"] = "by the name of the property; correct it where it is another one"
    kinds = len({*cells.words[family]} - {""}) if family is not None else 1
    spellings = likely_meant(cells.words[family]) if family is not None else {}
    return Assumed(
        path, cells.rows, int(np.isfinite(values).sum()), chosen, others, unit, own_id, family, kinds, spellings,
        features, composition, smiles, structure, unused, why, said.format,
        id_is_distinct=own_id is not None and cells.distinct(own_id) == cells.rows,
        has_holes=_has_holes(cells, values, chosen, (own_id, family, smiles, structure, composition, *features)),
    )  # fmt: skip


def _has_holes(cells: Cells, values: np.ndarray, chosen: str, used: tuple[str | None, ...]) -> bool:
    known = int(np.isfinite(values).sum())
    holes = any(not cells.is_whole(name) for name in used if name is not None)
    return holes or chosen in cells.spoiled or MOSTLY * cells.rows <= known < cells.rows
