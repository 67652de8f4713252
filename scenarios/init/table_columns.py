"""Guesses what the columns of a table of candidates are, for a scenario: each guess says why.

What is measured is told from what is known before by its name, and by empty cells; words, formulas, SMILES and ids by
their cells. Nothing here looks at how values and features are related, but for columns that are the property again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean
from protocols.tables.cells import number_cells, text_cells
from protocols.tables.files import TableFile, column_names, read_file
from protocols.tables.format import USUAL, TableFormat
from scenarios.init.columns import MOST_FAMILIES, ROWS_PER_FAMILY, bare_name, unit_of

ID_NAMES: Final = (
    "id",
    "material_id",
    "mp_id",
    "mol_id",
    "sample",
    "name",
    "number",
    "no",
    "nr",
    "index",
    "unnamed: 0",
    "",
)
FAMILY_NAMES: Final = ("family", "crystal_system", "class", "group", "system", "type", "phase", "kind", "category")
FORMULA_NAMES: Final = ("formula", "composition", "pretty_formula", "reduced_formula", "formula_pretty")
STRUCTURE_NAMES: Final = ("structure", "cif", "poscar", "crystal")
MEASURED: Final = (
    "target", "property", "formation_energy", "e_form", "eform", "energy", "band_gap", "bandgap", "gap", "hardness",
    "strength", "modulus", "conductivity", "yield", "dipole", "mu", "activity", "efficiency", "stability", "e_hull",
)  # fmt: skip
"""Parts of names that say that a column is measured or calculated, the likelier first."""

UNITS: Final = (("per_atom", "eV/atom"), ("eform", "eV/atom"), ("gap", "eV"), ("modulus", "GPa"), ("hardness", "GPa"))
"""Part of a property's name -> the unit that it mostly has in tables of materials."""

GIVEN: Final = ("feat_", "feature_", "desc_", "descriptor_")
"""How names of columns begin that say themselves that they are features."""

NO_FAMILY: Final = ("split", "set", "fold", "subset", "source")
"""Names of columns of few words that say where a row comes from, and not what it is."""

MOSTLY: Final = 0.95
"""Share of known values above which empty cells are holes of a table, and not what a lab is to measure."""

LEAST_VALUES: Final = 3
"""Different numbers that a property has at least: two are a label."""

SHORT_WORD: Final = 3
"""Longest part of a name that must stand alone [character]: `mu` is in `formula`."""

SAME: Final = 0.9999
"""Correlation above which a column is taken for the property again, in another unit or from another source."""

_FORMULA: Final = re.compile(r"(?:[A-Z][a-z]?\d*(?:\.\d+)?|\(|\)\d*)+")


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
        features: Columns of numbers.
        composition: Column of formulas; None for none.
        smiles: Column of SMILES; None for none.
        structure: Column of structures; None for none.
        unused: Column -> why nothing is made of it.
        why: What was assumed -> why.
        format: How the table is written.
        has_holes: Whether a cell is empty that is used, which is not what a lab is to measure: such rows are left out.
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
    features: tuple[str, ...]
    composition: str | None
    smiles: str | None
    structure: str | None
    unused: Mapping[str, str]
    why: Mapping[str, str]
    format: TableFormat
    has_holes: bool = False

    def is_oracle(self) -> bool:
        """Whether the table knows the values, but for holes, and so can play the lab."""
        return self.known >= MOSTLY * self.rows


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a table: words of all columns, and numbers of those that hold nothing else."""

    names: tuple[str, ...]
    words: Mapping[str, Sequence[str]]
    numbers: Mapping[str, np.ndarray]
    rows: int


def assume_columns(path: Path, said: Said) -> Assumed:
    """Return what the columns of a table are taken for.

    Raises:
        TableError: When the table cannot be read, lacks a column that is named, or nothing in it can be a property or
            tells candidates apart.
    """
    names = column_names(path, said.format)
    for name in (said.property, said.id, said.family, *(said.features or ())):
        if name is not None and name not in names:
            raise TableError(
                f"The table {path} has no column {name!r}",
                expected=f"one of {', '.join(names)}",
                action=did_you_mean(name, names) or "correct the name",
            )
    cells = _cells_of(read_file(path, names, numeric=(), texts=names, format=said.format), names, said.format)
    return _assumed(path, cells, said)


def _assumed(path: Path, cells: _Cells, said: Said) -> Assumed:
    why: dict[str, str] = {}
    smiles = _named(cells, ("smiles",), why, "smiles", words=True)
    structure = _named(cells, STRUCTURE_NAMES, why, "structure", words=True, test=_looks_like_structure)
    composition = _named(cells, FORMULA_NAMES, why, "composition", words=True, test=_looks_like_formula)
    taken = {each for each in (smiles, structure, composition) if each is not None}
    own_id = said.id or _id(cells, taken, why)
    taken |= {own_id} if own_id is not None else set()
    chosen, others = (said.property, ()) if said.property else _property(path, cells, taken, why)
    taken |= {chosen}
    family = said.family or _family(cells, taken, why)
    taken |= {family} if family is not None else set()
    values = cells.numbers.get(chosen, np.full(cells.rows, np.nan))
    features, unused = _features(cells, taken, values, said, has_content=bool(smiles or structure or composition))
    if not (features or structure or composition):  # a molecule's SMILES names it, and are no numbers
        raise TableError(
            f"The table {path} has no column that tells candidates apart before they are measured",
            expected="numbers in every row, formulas or structures",
            action="add such columns, or name some with --features",
        )
    unit = unit_of(chosen) if said.unit is None else said.unit
    if not unit and said.unit is None:
        unit = next((told for part, told in UNITS if part in chosen.lower()), "")
        if unit:
            why["unit"] = "by the name of the property; correct it where it is another one"
    kinds = len(set(cells.words[family])) if family is not None else 1
    return Assumed(
        path, cells.rows, int(np.isfinite(values).sum()), chosen, others, unit, own_id, family, kinds, features,
        composition, smiles, structure, unused, why, said.format,
        has_holes=_has_holes(cells, values, (own_id, family, smiles, structure, composition)),
    )  # fmt: skip


def _has_holes(cells: _Cells, values: np.ndarray, used: Sequence[str | None]) -> bool:
    known = int(np.isfinite(values).sum())
    holes = any(not all(cells.words[name]) for name in used if name is not None)
    return holes or MOSTLY * cells.rows <= known < cells.rows


def _cells_of(file: TableFile, names: Sequence[str], form: TableFormat) -> _Cells:
    found = {name: number_cells(file, name, form) for name in names}
    numbers = {name: cells.numbers for name, cells in found.items() if not cells.refused}
    words = {name: text_cells(file, name, form, formulas=_is_formula_name(name)).texts for name in names}
    return _Cells(tuple(names), words, numbers, len(file.frame))


def _named(
    cells: _Cells, wanted: Sequence[str], why: dict[str, str], what: str, *, words: bool, test: object = None
) -> str | None:
    """Return the first column of one of some names, in their order, whose first cells pass a test."""
    for name in sorted(cells.names, key=lambda each: _rank(each, wanted)):
        if _rank(name, wanted) == len(wanted) or (words and name in cells.numbers):
            continue
        sample = [each for each in cells.words[name][:50] if each]
        if sample and (test is None or all(map(test, sample))):  # type: ignore[call-overload]
            why[what] = "by its name and its cells"
            return name
    return None


def _rank(name: str, wanted: Sequence[str]) -> int:
    bare = bare_name(name).lower().strip()
    return wanted.index(bare) if bare in wanted else len(wanted)


def _says_where_from(name: str) -> bool:
    """Whether a name is one of `NO_FAMILY`, or begins or ends with it, as split_jarvis does."""
    words = re.split(r"[^a-z0-9]+", bare_name(name).lower().strip())
    return words[0] in NO_FAMILY or words[-1] in NO_FAMILY


def _is_formula_name(name: str) -> bool:
    return _rank(name, FORMULA_NAMES) < len(FORMULA_NAMES)  # NaN is a compound there


def _looks_like_formula(text: str) -> bool:
    return _FORMULA.fullmatch(text) is not None


def _looks_like_structure(text: str) -> bool:
    return "\n" in text or text.startswith("{") or "_cell_length" in text


def _id(cells: _Cells, taken: set[str], why: dict[str, str]) -> str | None:
    left = [name for name in cells.names if name not in taken]
    distinct = [name for name in left if len(set(cells.words[name])) == cells.rows and all(cells.words[name])]
    for name in sorted(distinct, key=lambda each: _rank(each, ID_NAMES)):
        called_so = _rank(name, ID_NAMES) < len(ID_NAMES) or bare_name(name).lower().endswith("_id")
        if called_so or name not in cells.numbers:
            why["id"] = "its cells are all different"
            return name
    return None


def _property(path: Path, cells: _Cells, taken: set[str], why: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Choose what is balanced: empty cells say so, else the name, else that it stands last."""
    left = [name for name in cells.names if name in cells.numbers and name not in taken]
    left = [name for name in left if not name.lower().startswith(GIVEN)]
    varied = [name for name in left if len(np.unique(_finite(cells.numbers[name]))) >= LEAST_VALUES]
    if not varied:
        raise TableError(
            f"The table {path} has no column of numbers that could be the property",
            expected="one that is measured or calculated, empty where it is not known yet",
            action="add it, and name it with --property",
        )
    gaps = [name for name in varied if len(_finite(cells.numbers[name])) < MOSTLY * cells.rows]
    spoken = sorted((name for name in varied if _measured(name) < len(MEASURED)), key=_measured)
    if gaps:
        why["property"] = "it has empty cells: these are not measured yet"
        chosen = next((each for each in spoken if each in gaps), gaps[-1])
        if spoken and chosen not in spoken:
            raise TableError(
                f"Which column of {path} is the property? {chosen!r} has empty cells, {spoken[0]!r} sounds measured",
                expected="one of them",
                action=f"say --property {chosen!r} or --property {spoken[0]!r}",
            )
    elif spoken:
        chosen = spoken[0]
        why["property"] = "by its name, something that is measured or calculated"
    else:
        chosen = varied[-1]
        why["property"] = "the last column of numbers"
    return chosen, tuple(name for name in dict.fromkeys((*spoken, *gaps)) if name != chosen)


def _finite(numbers: np.ndarray) -> np.ndarray:
    kept: np.ndarray = numbers[np.isfinite(numbers)]
    return kept


def _measured(name: str) -> int:
    bare = bare_name(name).lower()
    parts = set(re.split(r"[^a-z0-9]+", bare))
    hits = [place for place, each in enumerate(MEASURED) if each in parts or (len(each) > SHORT_WORD and each in bare)]
    return min(hits, default=len(MEASURED))


def _family(cells: _Cells, taken: set[str], why: dict[str, str]) -> str | None:
    most = min(MOST_FAMILIES, cells.rows // ROWS_PER_FAMILY)
    left = [name for name in cells.names if name not in taken and name not in cells.numbers and all(cells.words[name])]
    few = [name for name in left if 1 < len(set(cells.words[name])) <= most and not _says_where_from(name)]
    if not few:
        return None
    chosen = min(few, key=lambda each: _rank(each, FAMILY_NAMES))
    different = sorted(set(cells.words[chosen]))
    why["family"] = f"{len(different)} different words: {', '.join(different[:5])}"
    return chosen


def _features(
    cells: _Cells, taken: set[str], values: np.ndarray, said: Said, *, has_content: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the columns of numbers that are known of every candidate, and why the others are left out."""
    kept: list[str] = []
    unused: dict[str, str] = {}
    for name in (each for each in cells.names if each not in taken):
        told = _why_no_feature(name, cells, values, has_content=has_content)
        if said.features is not None:
            told = "" if name in said.features else "not among --features"
        if told:
            unused[name] = told
        else:
            kept.append(name)
    return tuple(kept), unused


def _why_no_feature(name: str, cells: _Cells, values: np.ndarray, *, has_content: bool) -> str:
    """Return why a column is no feature; nothing for one that is."""
    if name not in cells.numbers:
        return "words"
    numbers = cells.numbers[name]
    tests = {
        "it has empty cells": bool(np.isnan(numbers).any()),
        "the same in every row": len(np.unique(numbers)) == 1,
        "it numbers the rows": _rank(name, ID_NAMES) < len(ID_NAMES) or _counts(numbers),
        "it is the property again": _is_same(numbers, values),
        "by its name it is measured, too, and not known before": has_content
        and _measured(name) < len(MEASURED)
        and not name.lower().startswith(GIVEN),
    }
    return next((told for told, holds in tests.items() if holds), "")


def _counts(numbers: np.ndarray) -> bool:
    """Whether whole numbers rise from row to row."""
    whole = bool((np.floor(numbers) == numbers).all())
    return whole and len(numbers) > LEAST_VALUES and bool((np.diff(numbers) > 0).all())


def _is_same(numbers: np.ndarray, values: np.ndarray) -> bool:
    """Whether numbers follow the known values on a line."""
    known = np.isfinite(values) & np.isfinite(numbers)
    if known.sum() <= ROWS_PER_FAMILY or np.ptp(numbers[known]) == 0.0 or np.ptp(values[known]) == 0.0:
        return False
    return abs(float(np.corrcoef(numbers[known], values[known])[0, 1])) > SAME
