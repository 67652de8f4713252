"""JSON lines: an object a line, with its columns as keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import reading, too_many_rows
from protocols.tables.formats.json_text import DECODER
from protocols.tables.formats.limits import MAX_TABLE_ROWS
from protocols.tables.formats.packing import open_text
from protocols.tables.formats.reader import cell_of, frame_of


class JsonLines:
    """A file of JSON lines, also called newline-delimited JSON."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path
        self._lines: list[int] = []

    def names(self) -> list[str]:
        """Return all keys, in the order in which they come up; an object that lacks one has nothing there."""
        names: dict[str, None] = {}
        for _, record in self._records():
            names |= dict.fromkeys(record)
        if not names:
            raise TableError(f"The table {self._path} is empty", expected="a JSON object a line, one per candidate")
        return list(names)

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns."""
        columns: dict[str, list[object]] = {name: [] for name in (*numeric, *texts)}
        self._lines = []
        for line, record in self._records():
            self._lines.append(line)
            for name, cells in columns.items():
                cells.append(cell_of(record.get(name)))
        return frame_of(columns, numeric)

    def place(self, row: int) -> str:
        """The line."""
        return f"line {self._lines[row]} of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: a text holds nothing beside its rows."""
        return ()

    def _records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each object with its line, from 1; blank lines are none."""
        with reading(self._path), open_text(self._path) as file:
            count = 0
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                try:
                    record = DECODER.decode(text)
                except ValueError as error:
                    raise TableError(
                        f"Line {line} of {self._path} is no JSON ({error})",
                        expected="a JSON object a line",
                        action="correct the line; a file that is one list of objects ends in .json",
                    ) from error
                if not isinstance(record, dict):
                    raise TableError(
                        f"Line {line} of {self._path} is no JSON object, but a {type(record).__name__}",
                        expected="a JSON object a line, with the columns as keys",
                        action="write each row as an object",
                    )
                count += 1
                if count > MAX_TABLE_ROWS:
                    raise too_many_rows(self._path)
                yield line, record
