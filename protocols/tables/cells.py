"""Cells of a table: texts and numbers; what is neither is named by its line and column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.files import TableFile

MAX_CELL_SHOWN: Final = 40
"""Longest cell shown in an error [character]."""

MISSING_CELLS: Final = frozenset(
    {"", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na", "#num!", "#div/0!", "#value!", "missing"}
)
"""What stands for "no number" in a numeric column, in lower case."""

FloatArray = NDArray[np.float64]


def texts_of(file: TableFile, name: str) -> list[str]:
    """Return a column as stripped texts; an empty one where a cell is empty."""
    column = file.frame[name]
    if not column.isna().any():
        return [str(cell).strip() for cell in column.tolist()]
    return ["" if gap else str(cell).strip() for cell, gap in zip(column.tolist(), column.isna(), strict=True)]


def numbers_of(file: TableFile, name: str) -> FloatArray:
    """Return a column as floats, shape (rows of the file,): NaN where a cell is empty.

    Raises:
        TableError: With the line of the first cell that is no number.
    """
    column = file.frame[name]
    if column.dtype.kind in "biuf" and not column.isna().any():
        return np.asarray(column.to_numpy(), dtype=np.float64)
    if column.dtype.kind == "f" and isinstance(column.dtype, np.dtype):
        return np.asarray(column.to_numpy(), dtype=np.float64)
    cells = column.tolist()
    gaps = column.isna().tolist()
    numbers = np.empty(len(cells))
    for row, (cell, gap) in enumerate(zip(cells, gaps, strict=True)):
        numbers[row] = math.nan if gap else _number(file, name, row, cell)
    return numbers


def _number(file: TableFile, name: str, row: int, cell: object) -> float:
    if isinstance(cell, int):  # truth values, and whole numbers beyond 64 bits
        try:
            return float(cell)
        except OverflowError:
            return math.inf if cell > 0 else -math.inf
    text = str(cell).strip()
    if text.lower() in MISSING_CELLS:
        return math.nan
    try:
        if "_" not in text:  # Python would read 1_000
            return float(text)
    except ValueError:
        pass
    raise TableError(
        f"Column {name!r} has {shown(text)} in {file.place(row)}",
        expected="a number such as -1.25 (a point, no unit, no thousands mark)",
        action="fix the cell, or name another column",
    )


def missing_cell(file: TableFile, gaps: Mapping[str, NDArray[np.bool_]], action: str) -> TableError:
    """Return the error that names the first gap; `gaps` are masks over the rows of the file, by column."""
    name, mask = next((name, mask) for name, mask in gaps.items() if mask.any())
    row, count = int(np.argmax(mask)), int(mask.sum())
    cell = file.frame[name].iloc[row]
    if isinstance(cell, int):
        found = "a number beyond all bounds"
    else:
        text = str(cell).strip()
        found = "an empty cell" if text.lower() in MISSING_CELLS else shown(text)
    return TableError(
        f"Column {name!r} has {found} in {file.place(row)} ({count} such cells in the column)",
        expected="a value in every used column",
        action=action,
    )


def shown(text: str) -> str:
    """Return a cell as an error shows it."""
    return repr(text if len(text) <= MAX_CELL_SHOWN else text[: MAX_CELL_SHOWN - 1] + "…")
