"""Finds the column that is balanced: empty cells say so, else its name, else that it stands last."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from scenarios.init.cells import Cells, words_of
from scenarios.init.columns import bare_name

MEASURED: Final = (
    "target", "property", "formation_energy", "e_form", "eform", "energy", "band_gap", "bandgap", "gap", "hardness",
    "strength", "modulus", "conductivity", "yield", "dipole", "mu", "activity", "efficiency", "stability", "e_hull",
)  # fmt: skip
"""Parts of names that say that a column is measured or calculated, the likelier first."""

UNITS: Final = (
    ("per_atom", "eV/atom"), ("peratom", "eV/atom"), ("eform", "eV/atom"), ("band_gap", "eV"), ("bandgap", "eV"),
    ("modulus", "GPa"), ("hardness", "GPa"),
)  # fmt: skip
"""Part of a property's name -> the unit that it mostly has in tables of materials. A gap of molecules has no such unit:
tables have it in eV and in hartree."""

GIVEN: Final = ("feat_", "feature_", "desc_", "descriptor_")
"""How names of columns begin that say themselves that they are features."""

MOSTLY: Final = 0.95
"""Share of known values above which empty cells are holes of a table, and not what a lab is to measure."""

LEAST_VALUES: Final = 3
"""Different numbers that a property has at least: two are a label."""

SHORT_WORD: Final = 3
"""Longest part of a name that must stand alone [character]: `mu` is in `formula`."""


class WhichPropertyError(TableError):
    """Empty cells say one column, a name says another.

    Attributes:
        columns: Which it could be, the likelier first.
    """

    def __init__(self, path: Path, empty: str, spoken: str) -> None:
        super().__init__(
            f"Which column of {path} is the property? {empty!r} has empty cells, {spoken!r} sounds measured",
            expected="one of them",
            action=f"say --property {empty!r} or --property {spoken!r}",
        )
        self.columns = (spoken, empty)


def property_column(
    path: Path, cells: Cells, taken: Collection[str], why: dict[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return the column that is balanced, and those that could be as well.

    Raises:
        WhichPropertyError: When its cells and its name say different columns.
        TableError: When no column of numbers could be it.
    """
    left = [name for name in cells.names if name in cells.numbers and name not in taken]
    left = [name for name in left if not name.lower().startswith(GIVEN)]
    varied = [name for name in left if len(np.unique(finite(cells.numbers[name]))) >= LEAST_VALUES]
    if not varied:
        raise TableError(
            f"The table {path} has no column of numbers that could be the property",
            expected="one that is measured or calculated, empty where it is not known yet",
            action="add it, and name it with --property",
        )
    gaps = [name for name in varied if len(finite(cells.numbers[name])) < MOSTLY * cells.rows]
    spoken = sorted((name for name in varied if is_measured(name)), key=_place)
    if gaps:
        chosen = next((each for each in spoken if each in gaps), gaps[-1])
        if spoken and chosen not in spoken:
            raise WhichPropertyError(path, chosen, spoken[0])
        empty = cells.rows - len(finite(cells.numbers[chosen]))
        why["property"] = f"{empty:,} of its {cells.rows:,} cells are empty: these are not measured yet"
    elif spoken:
        chosen = spoken[0]
        why["property"] = "by its name, something that is measured or calculated"
    else:
        chosen = varied[-1]
        why["property"] = "the last column of numbers"
    return chosen, tuple(name for name in dict.fromkeys((*spoken, *gaps)) if name != chosen)


def usual_unit(name: str) -> str:
    """Return the unit that a property of this name mostly has; nothing where there is none."""
    return next((told for part, told in UNITS if part in name.lower()), "")


def is_measured(name: str) -> bool:
    """Whether a name says that a column is measured or calculated."""
    return _place(name) < len(MEASURED)


def finite(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers that are known."""
    kept: np.ndarray = numbers[np.isfinite(numbers)]
    return kept


def _place(name: str) -> int:
    bare, parts = bare_name(name).lower(), words_of(name.replace("_", " "))
    hits = [place for place, each in enumerate(MEASURED) if each in parts or (len(each) > SHORT_WORD and each in bare)]
    return min(hits, default=len(MEASURED))
