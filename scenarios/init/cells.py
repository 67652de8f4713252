"""The cells of a table that nobody has described yet, and how well a column's name fits what is looked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean
from protocols.tables.cells import number_cells, text_cells
from protocols.tables.files import column_names, read_file
from protocols.tables.format import TableFormat
from scenarios.init.columns import bare_name

FORMULA_NAMES: Final = ("formula", "composition", "pretty_formula", "reduced_formula", "formula_pretty")
FORMULA_PARTS: Final = ("formula", "formel", "composition", "stoichiometry", "compound")
"""Parts of names of columns that hold formulas, where the cells agree."""

FEW: Final = 0.05
"""Largest share of cells that are no numbers in a column of numbers: some say `> 12` or `broken` where it failed."""

_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a table.

    Attributes:
        names: Of the columns.
        words: Column -> its cells as text, a missing one as nothing.
        numbers: Column -> its cells, NaN where one is missing or no number; only of columns of numbers.
        spoiled: Column of numbers -> how many of its cells are none, as `> 12`.
        rows: How many.
    """

    names: tuple[str, ...]
    words: Mapping[str, Sequence[str]]
    numbers: Mapping[str, np.ndarray]
    spoiled: Mapping[str, int]
    rows: int

    def distinct(self, name: str) -> int:
        """How many different cells a column has, a missing one among them."""
        return len(set(self.words[name]))

    def is_whole(self, name: str) -> bool:
        """Whether no cell of a column is missing."""
        return all(self.words[name])


def cells_of(
    path: Path, form: TableFormat, named: Sequence[str | None] = (), progress: Callable[..., None] = lambda *_: None
) -> Cells:
    """Return the cells of a table.

    Args:
        path: The table.
        form: How it is written.
        named: Columns that a person names; None for none.
        progress: For a progress bar.

    Raises:
        TableError: When the table cannot be read, or lacks a column that is named.
    """
    names = column_names(path, form)
    for name in named:
        if name is not None and name not in names:
            raise TableError(
                f"The table {path} has no column {name!r}",
                expected=f"one of {', '.join(names)}",
                action=did_you_mean(name, names) or "correct the name",
            )
    told = f"reading {path.name}"
    progress(told, 0, len(names) + 1)
    file = read_file(path, names, numeric=(), texts=names, format=form)
    numbers: dict[str, np.ndarray] = {}
    spoiled: dict[str, int] = {}
    words: dict[str, Sequence[str]] = {}
    for place, name in enumerate(names):
        progress(told, place + 1, len(names) + 1)
        words[name] = text_cells(file, name, form, formulas=is_formula_name(name)).texts
        cells = number_cells(file, name, form)
        if len(cells.refused) <= FEW * np.isfinite(cells.numbers).sum():
            numbers[name] = cells.numbers
            spoiled |= {name: len(cells.refused)} if cells.refused else {}
    progress(told, len(names) + 1, len(names) + 1)
    return Cells(tuple(names), words, numbers, spoiled, len(file.frame))


def rank(name: str, wanted: Sequence[str]) -> int:
    """Return the place of a column's name, without its unit, among those that are looked for; their number if none."""
    bare = bare_name(name).lower().strip()
    return wanted.index(bare) if bare in wanted else len(wanted)


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, without its unit, in small letters."""
    return tuple(filter(None, _BETWEEN_WORDS.split(bare_name(name).lower())))


def is_formula_name(name: str) -> bool:
    """Whether a column is called as columns of formulas are: `NaN` is a compound there."""
    return rank(name, FORMULA_NAMES) < len(FORMULA_NAMES) or any(part in name.lower() for part in FORMULA_PARTS)
