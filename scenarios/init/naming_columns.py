"""Finds the columns that name a row: its id, its family, and what it is made of. Each find says why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

import numpy as np

from protocols.structures.formulas import FormulaError, read_formula
from scenarios.init.cells import FORMULA_NAMES, Cells, is_formula_name, rank, words_of
from scenarios.init.columns import MOST_FAMILIES, ROWS_PER_FAMILY

ID_NAMES: Final = (
    "id", "material_id", "mp_id", "mol_id", "sample", "name", "number", "no", "nr", "index", "unnamed: 0", "",
)  # fmt: skip
FAMILY_NAMES: Final = ("family", "crystal_system", "class", "group", "system", "type", "phase", "kind", "category")
STRUCTURE_NAMES: Final = ("structure", "cif", "poscar", "crystal")

NO_FAMILY: Final = ("split", "set", "fold", "subset", "source")
"""Names of columns of few words that say where a row comes from, and not what it is."""

CIRCUMSTANCES: Final = ("operator", "user", "author", "date", "datum", "time", "comment", "remark", "note", "doi")
"""Words in names of columns that say who made a row, when or with which remark."""

MOSTLY_DISTINCT: Final = 0.95
"""Least share of different words in a column of names, some of which stand twice by mistake or were measured twice."""

MOSTLY_NAMED: Final = 0.95
"""Least share of rows that have a family in a column of families: the others are left out."""

MOSTLY_FORMULAS: Final = 0.9
"""Least share of cells that are formulas in a column that is called so: tables hold remarks and open amounts, too."""

SAMPLE: Final = 50
"""Cells that are looked at to tell what a column holds."""

LEAST_RISING: Final = 3
"""Rows above which whole numbers that rise from row to row count the rows."""

_DATE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T].*)?")


def composition_column(cells: Cells, why: dict[str, str]) -> str | None:
    """Return the column of formulas: by its name and its cells, or, of many different words, by its cells alone."""
    left = [name for name in cells.names if name not in cells.numbers]
    for name in sorted(left, key=lambda each: (rank(each, FORMULA_NAMES), not is_formula_name(each))):
        sample = _sample(cells, name)
        if is_formula_name(name) and sum(map(_is_formula, sample)) >= MOSTLY_FORMULAS * max(1, len(sample)):
            why["composition"] = "by its name and its cells"
            return name
        if cells.distinct(name) > MOST_FAMILIES and sample and all(map(_is_compound, sample)):
            why["composition"] = "its cells are formulas"
            return name
    return None


def smiles_column(cells: Cells, why: dict[str, str]) -> str | None:
    """Return the column of molecules."""
    return _named(cells, ("smiles",), why, "smiles", lambda _: True)


def structure_column(cells: Cells, why: dict[str, str]) -> str | None:
    """Return the column of structures."""
    return _named(cells, STRUCTURE_NAMES, why, "structure", _looks_like_structure)


def id_column(cells: Cells, taken: Collection[str], why: dict[str, str]) -> str | None:
    """Return the column of ids: words that are all different, or all but few, else what numbers the rows."""
    left = [name for name in cells.names if name not in taken and cells.is_whole(name)]
    left.sort(key=lambda each: rank(each, ID_NAMES))
    for name in left:
        called_so = rank(name, ID_NAMES) < len(ID_NAMES) or name.lower().endswith("_id")
        if cells.distinct(name) == cells.rows and (called_so or name not in cells.numbers):
            why["id"] = "its cells are all different"
            return name
    for name in left:
        distinct = cells.distinct(name)
        if name not in cells.numbers and distinct >= MOSTLY_DISTINCT * cells.rows and not _is_circumstance(cells, name):
            twice = next(iter(_twice(cells.words[name])))
            why["id"] = f"{distinct:,} of its {cells.rows:,} cells are different; {twice!r} stands twice"
            return name
    for name in left:
        if name in cells.numbers and numbers_the_rows(cells.numbers[name]):
            why["id"] = "it numbers the rows"
            return name
    return None


def family_column(cells: Cells, taken: Collection[str], why: dict[str, str]) -> str | None:
    """Return the column of families: few different words, hardly one missing."""
    most = min(MOST_FAMILIES, cells.rows // ROWS_PER_FAMILY)
    left = [name for name in cells.names if name not in taken and name not in cells.numbers]
    left = [name for name in left if sum(map(bool, cells.words[name])) >= MOSTLY_NAMED * cells.rows]
    few = [name for name in left if 1 < len({*cells.words[name]} - {""}) <= most and not _says_where_from(cells, name)]
    if not few:
        return None
    chosen = min(few, key=lambda each: rank(each, FAMILY_NAMES))
    different = sorted({*cells.words[chosen]} - {""})
    without = cells.rows - sum(map(bool, cells.words[chosen]))
    why["family"] = f"{len(different)} different words: {', '.join(different[:5])}"
    why["family"] += f"; {without} cells are empty" if without else ""
    return chosen


def numbers_the_rows(numbers: np.ndarray) -> bool:
    """Whether whole numbers rise from row to row."""
    whole = bool((np.floor(numbers) == numbers).all())
    return whole and len(numbers) > LEAST_RISING and bool((np.diff(numbers) > 0).all())


def _named(
    cells: Cells, wanted: Sequence[str], why: dict[str, str], what: str, test: Callable[[str], bool]
) -> str | None:
    """Return the first column of words of one of some names, in their order, whose first cells pass a test."""
    for name in sorted(cells.names, key=lambda each: rank(each, wanted)):
        sample = _sample(cells, name)
        if rank(name, wanted) < len(wanted) and name not in cells.numbers and sample and all(map(test, sample)):
            why[what] = "by its name and its cells"
            return name
    return None


def _sample(cells: Cells, name: str) -> list[str]:
    return [each for each in cells.words[name][:SAMPLE] if each]


def _twice(words: Sequence[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def _says_where_from(cells: Cells, name: str) -> bool:
    """Whether a name begins or ends with one of `NO_FAMILY`, as split_jarvis does, or tells a circumstance."""
    words = words_of(name) or ("",)
    return words[0] in NO_FAMILY or words[-1] in NO_FAMILY or _is_circumstance(cells, name)


def _is_circumstance(cells: Cells, name: str) -> bool:
    """Whether a column says who made a row, when or with which remark."""
    sample = _sample(cells, name)
    dates = bool(sample) and all(_DATE.fullmatch(each) for each in sample)
    return dates or any(word in CIRCUMSTANCES for word in words_of(name))


def _is_formula(text: str) -> bool:
    try:
        return bool(read_formula(text))
    except FormulaError:
        return False


def _is_compound(text: str) -> bool:
    """Whether a text is the formula of several elements with an amount in it: `BCC` reads as one, and is none."""
    return any(each.isdigit() for each in text) and _is_formula(text)


def _looks_like_structure(text: str) -> bool:
    return "\n" in text or text.startswith("{") or "_cell_length" in text
