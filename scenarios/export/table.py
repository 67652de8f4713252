"""A table that is given out: its columns say what they hold, in which unit. Pure.

Cells are texts, whole numbers, finite numbers, truth values, times as RFC 3339 in UTC, JSON trees, or None where
nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Cell = str | int | float | bool | Mapping[str, Any] | Sequence[Any] | None


class Kind(StrEnum):
    """What the cells of a column are, in the words of a Data Package's table schema."""

    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "datetime"
    """RFC 3339, in UTC."""
    TREE = "object"
    """JSON."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its heading.
        description: What it holds.
        kind: What its cells are.
        unit: Of its numbers; empty for a pure number, and for what is none.
    """

    name: str
    description: str
    kind: Kind = Kind.TEXT
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what is needed to read it.

    Attributes:
        name: Of its file, without ending: small letters.
        title: For people.
        description: What one row is.
        columns: Its columns.
        rows: A tuple of cells each, in the order of the columns.
        key: Columns that together name a row; empty where none do.
    """

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    key: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(each.name for each in self.columns)

    def trees(self) -> Iterator[dict[str, Cell]]:
        """Yield each row by the names of the columns."""
        for row in self.rows:
            yield dict(zip(self.headings, row, strict=True))


def finite(value: float | None) -> float | None:
    """Return a number that JSON can hold, and None for what is none."""
    return value if value is not None and math.isfinite(value) else None
