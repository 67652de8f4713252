"""Finds the columns of numbers that a policy may know a candidate by before it is measured, and why others are none."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import Final

import numpy as np

from scenarios.init.cells import Cells, rank
from scenarios.init.columns import ROWS_PER_FAMILY
from scenarios.init.naming_columns import ID_NAMES, numbers_the_rows
from scenarios.init.property_column import GIVEN, is_measured

SAME: Final = 0.9999
"""Correlation above which a column is taken for the property again, in another unit or from another source."""

MOST_PAIRED: Final = 64
"""Most features of which each two are looked at together: 2,016 pairs take about a second."""

ROWS_LOOKED_AT: Final = 1000
"""Rows by which two features are held against the property."""

TOGETHER: Final = "with {} it makes the property"


def feature_columns(
    cells: Cells, taken: Collection[str], values: np.ndarray, asked: tuple[str, ...] | None, *, has_content: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the columns of numbers that are known of every candidate, and why the others are left out.

    Args:
        cells: Of the table.
        taken: Columns that something else is made of.
        values: Of the property, NaN where it is not known, shape (n,).
        asked: Columns that a person names; None to find them.
        has_content: Whether formulas or structures tell candidates apart as well.
    """
    kept: list[str] = []
    unused: dict[str, str] = {}
    for name in (each for each in cells.names if each not in taken):
        told = _why_no_feature(name, cells, values, has_content=has_content)
        if asked is not None:
            told = "" if name in asked else "not among --features"
        if told:
            unused[name] = told
        else:
            kept.append(name)
    if asked is None:
        makers = _makers(cells, kept, values)
        unused |= makers
        kept = [name for name in kept if name not in makers]
    return tuple(kept), unused


def _why_no_feature(name: str, cells: Cells, values: np.ndarray, *, has_content: bool) -> str:
    """Return why a column is no feature; nothing for one that is."""
    if name not in cells.numbers:
        return "words"
    numbers = cells.numbers[name]
    if name in cells.spoiled:
        return "words among its numbers"
    tests = {
        "it has empty cells": bool(np.isnan(numbers).any()),
        "the same in every row": len(np.unique(numbers)) == 1,
        "it numbers the rows": rank(name, ID_NAMES) < len(ID_NAMES) or numbers_the_rows(numbers),
        "it is the property again": _is_same(numbers, values),
        "by its name it is measured, too, and not known before": has_content
        and is_measured(name)
        and not name.lower().startswith(GIVEN),
    }
    return next((told for told, holds in tests.items() if holds), "")


def _is_same(numbers: np.ndarray, values: np.ndarray) -> bool:
    """Whether numbers follow the known values on a line."""
    known = np.isfinite(values) & np.isfinite(numbers)
    if known.sum() <= ROWS_PER_FAMILY or np.ptp(numbers[known]) == 0.0 or np.ptp(values[known]) == 0.0:
        return False
    return abs(float(np.corrcoef(numbers[known], values[known])[0, 1])) > SAME


def _makers(cells: Cells, names: list[str], values: np.ndarray) -> dict[str, str]:
    """Return the features of which two make the property together, on a plane: HOMO and LUMO make the gap."""
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[:: max(1, len(rows) // ROWS_LOOKED_AT)]
    if len(rows) <= 2 * ROWS_PER_FAMILY or not 1 < len(names) <= MOST_PAIRED or np.ptp(values[rows]) == 0.0:
        return {}
    columns = np.array([cells.numbers[name][rows] for name in names])
    spread = np.ptp(columns, axis=1) > 0.0
    columns = (columns - columns.mean(axis=1, keepdims=True)) / np.where(spread, columns.std(axis=1), 1.0)[:, None]
    target = (values[rows] - values[rows].mean()) / values[rows].std()
    found: dict[str, str] = {}
    for one, other in combinations(np.flatnonzero(spread).tolist(), 2):
        pair = columns[[one, other]].T
        left = target - pair @ np.linalg.lstsq(pair, target, rcond=None)[0]
        if 1.0 - float(left @ left) / len(target) > SAME**2:
            found.setdefault(names[one], TOGETHER.format(names[other]))
            found.setdefault(names[other], TOGETHER.format(names[one]))
    return found
