"""A table of numbers that grows at its end, and rows that fill it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select

FIRST_ROOM: Final = 16
"""Rows that there is room for at the beginning; each time it is used up, twice as many."""


def plain_rows(connection: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Return rows as the driver has them: for hundreds of thousands SQLAlchemy's own rows cost more than reading them.

    Args:
        connection: In a transaction.
        statement: Of columns that mean the same in every driver: numbers and texts.
    """
    result = connection.execute(statement)
    cursor = result.cursor
    try:
        return [] if cursor is None else list(cursor.fetchall())
    finally:
        result.close()


class Growing:
    """Rows of numbers.

    Args:
        width: How many numbers a row has.
    """

    __slots__ = ("_count", "_room")

    def __init__(self, width: int) -> None:
        self._room = np.empty((FIRST_ROOM, width))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[np.float64]:
        """All rows, shape (n, width); not to be written to."""
        return self._room[: self._count]

    def add(self, rows: NDArray[np.float64] | Sequence[Sequence[float]]) -> None:
        """Take in rows, shape (k, width)."""
        count = self._count + len(rows)
        if count > len(self._room):
            room = np.empty((max(count, 2 * len(self._room)), self._room.shape[1]))
            room[: self._count] = self.rows
            self._room = room
        self._room[self._count : count] = rows
        self._count = count
