"""Databases of ASE in SQLite: read only, and with our own statements, so that nothing in one is carried out."""

from __future__ import annotations

import json
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.ase_rows import RESULTS, columns_of, stored_object, structure_text
from protocols.tables.formats.errors import reading, too_many_rows
from protocols.tables.formats.limits import MAX_TABLE_ROWS
from protocols.tables.formats.reader import cell_of, frame_of

COLUMNS: Final = (
    "id", "unique_id", "numbers", "positions", "cell", "pbc", "calculator", *RESULTS, "key_value_pairs", "data",
)  # fmt: skip
"""What is read of each row (`ase.db.sqlite`, from its version 6 on)."""


class AseDatabase:
    """A database of ASE."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path
        self._ids: list[int] = []

    def names(self) -> list[str]:
        """Return the names of all columns, in the order in which they come up."""
        names: dict[str, None] = {}
        for record in self._records():
            names |= dict.fromkeys(record)
        if not names:
            raise TableError(f"The database {self._path} is empty", expected="a row per candidate")
        return list(names)

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns."""
        columns: dict[str, list[object]] = {name: [] for name in (*numeric, *texts)}
        self._ids = []
        for record in self._records():
            self._ids.append(record["id"])
            for name, cells in columns.items():
                cells.append(cell_of(record.get(name)))
        return frame_of(columns, numeric)

    def place(self, row: int) -> str:
        """The row's id in the database."""
        return f"id {self._ids[row]} of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: all rows are read."""
        return ()

    def _records(self) -> Iterator[dict[str, Any]]:
        address = f"file:{urllib.parse.quote(str(self._path.absolute()))}?mode=ro"
        with reading(self._path), closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            self._require_table(connection)
            statement = f"SELECT {', '.join(COLUMNS)} FROM systems ORDER BY id"  # noqa: S608 - constants
            with closing(connection.execute(statement)) as rows:
                for count, row in enumerate(rows):
                    if count >= MAX_TABLE_ROWS:
                        raise too_many_rows(self._path)
                    yield self._record(dict(zip(COLUMNS, row, strict=True)))

    def _require_table(self, connection: sqlite3.Connection) -> None:
        """Refuse a file whose `systems` is something else than a table, such as a view that never ends."""
        found = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = 'systems'").fetchone()
        if found is None or found[0] != "table" or not str(found[1]).lstrip().upper().startswith("CREATE TABLE"):
            raise TableError(
                f"{self._path} is no database of ASE: it has no table `systems`",
                expected="what `ase.db.connect` writes",
                action="name a database of ASE; other databases can be written as CSV or Parquet",
            )

    def _record(self, row: dict[str, Any]) -> dict[str, Any]:
        periodic = [bool((row["pbc"] or 0) & bit) for bit in (1, 2, 4)]
        told = {name: row[name] for name in ("id", "unique_id", "calculator", *RESULTS)}
        try:
            cell = None if row["cell"] is None else np.frombuffer(row["cell"], "<f8").tolist()
            numbers = np.frombuffer(row["numbers"], "<i4").tolist()
            structure = structure_text(numbers, np.frombuffer(row["positions"], "<f8").tolist(), cell, periodic)
            return columns_of(told, json.loads(row["key_value_pairs"] or "{}"), stored_object(row["data"]), structure)
        except ValueError as error:
            raise ValueError(f"id {row['id']}: {error}") from error
