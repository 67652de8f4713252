"""What every kind of file gives: names, cells, and where a row stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat


@dataclass(frozen=True, slots=True)
class NestedCell:
    """A cell that holds an object or a list: as JSON, compact and with its keys in order, so that equal ones are equal.

    It is no text and no number: the column of structures takes it, every other one refuses it.
    """

    text: str

    def __str__(self) -> str:
        return self.text


class TableReader(Protocol):
    """An open table; `frame` comes after `names`, `place` after `frame`."""

    def names(self) -> list[str]:
        """Return the names of all columns, in order."""
        ...

    def frame(self, names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Return a `pandas.DataFrame` with at least the columns asked for; those of `texts` as they stand."""
        ...

    def place(self, row: int) -> str:
        """Where a row of the frame (from 0) stands, as a person counts."""
        ...

    def notes(self) -> tuple[AccountEntry, ...]:
        """What a person should know of the file, after `frame`."""
        ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One kind of file.

    Attributes:
        name: What people call it.
        endings: How the names of such files end, in lower case; the first is the usual one. None for a folder.
        open: Opens a file of it.
        is_packed: Whether it is also read with one of the endings of `packing.PACKINGS` behind its own.
        extra: The extra that brings what reads it; "" where nothing is needed.
        has_sheets: Whether `sheet` says something of it.
        has_delimiter: Whether `delimiter` and `decimal` do.
    """

    name: str
    endings: tuple[str, ...]
    open: Callable[[Path, TableFormat], TableReader]
    is_packed: bool = False
    extra: str = ""
    has_sheets: bool = False
    has_delimiter: bool = False


def cell_of(value: object) -> object:
    """Return what a reader gives for a decoded value: itself, or a `NestedCell`."""
    if isinstance(value, dict | list | tuple):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return NestedCell(text)
    return value


def frame_of(columns: Mapping[str, Iterable[object]], numeric: Sequence[str]) -> Any:
    """Return cells by column as a `pandas.DataFrame`: floats in those of `numeric` that hold numbers or nothing."""
    import numpy as np
    import pandas as pd

    made: dict[str, Any] = {}
    for name, cells in columns.items():
        column = cells if isinstance(cells, list) else list(cells)
        if name in numeric and all(cell is None or type(cell) in {float, int} for cell in column):
            try:
                made[name] = np.array(
                    [np.nan if cell is None else float(cast("float", cell)) for cell in column], dtype=np.float64
                )
                continue
            except OverflowError:  # a whole number beyond the largest float
                pass
        objects = np.empty(len(column), dtype=object)
        objects[:] = column
        made[name] = pd.Series(objects, dtype=object)
    return pd.DataFrame(made, copy=False)
