"""Text with a row a line: CSV, TSV, and text with another delimiter."""

from __future__ import annotations

import csv
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Self, TextIO

from protocols.errors import TableError
from protocols.storage.csv_cells import from_cell
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import reading, unreadable
from protocols.tables.formats.limits import MAX_TABLE_ROWS
from protocols.tables.formats.packing import open_text

USUAL_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What tables are separated by, and its plural."""

ROWS_LOOKED_AT: Final = 5
"""How many rows must agree with the header about a delimiter before it is taken for one."""

DECIMAL_COMMA: Final = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
"""A number with a decimal comma, whole."""


class OtherDelimiterError(TableError):
    """The first lines of a text table agree on another delimiter than the one that it is read by.

    Attributes:
        delimiter: What separates them.
        decimal: What stands before the decimals of their numbers.
    """

    def __init__(self, found: str, *, expected: str, action: str, delimiter: str, decimal: Literal[".", ","]) -> None:
        super().__init__(found, expected=expected, action=action)
        self.delimiter = delimiter
        self.decimal: Literal[".", ","] = decimal


class DelimitedText:
    """A text table; a delimiter of its own is used where the format names none."""

    def __init__(self, path: Path, form: TableFormat, delimiter: str | None = ",") -> None:
        self._path = path
        self._decimal = form.decimal
        self._told = form.delimiter is not None
        mark = form.delimiter or delimiter
        if mark is None:
            raise TableError(
                f"It is not said what separates the cells of {path}",
                expected="a delimiter",
                action='set delimiter, as delimiter = ";", or end the name with .csv (commas) or .tsv (tabs)',
            )
        self._delimiter: str = mark
        self._named: list[str] | None = None
        self._starts: list[int] = []

    def without_header(self, names: Sequence[str]) -> Self:
        """Call the columns by these names, and take the first line for a row."""
        self._named = list(names)
        return self

    def names(self) -> list[str]:
        """Return the names of the header; nothing else is read, unless they look as if another delimiter was meant."""
        if self._named is not None:
            return self._named
        with self._records() as records:
            header = next((cells for _, cells in records), None)
            if header is None:
                raise TableError(f"The table {self._path} is empty", expected="a header line and a row per candidate")
        if not self._told or len(header) == 1:
            self._check_delimiter(header)
        # A nameless column is called as pandas calls it, because a saved index looks like this.
        return [from_cell(cell.strip()) or f"Unnamed: {position}" for position, cell in enumerate(header)]

    def frame(self, names: Sequence[str], _numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read all columns, so that a row with too many cells is noticed."""
        import pandas as pd
        from pandas.errors import ParserError, ParserWarning

        # Older pandas rounds some decimals to a neighbour of the nearest float; newer ones are exact without an option.
        version = tuple(int(part) for part in pd.__version__.split(".")[:2])
        exact = {} if version >= (3, 1) else {"float_precision": "round_trip"}
        try:
            with open_text(self._path) as file, warnings.catch_warnings():
                warnings.simplefilter("error", ParserWarning)
                frame = pd.read_csv(
                    file,
                    sep=self._delimiter,
                    decimal=self._decimal,
                    header=0 if self._named is None else None,
                    names=list(names),
                    index_col=False,
                    dtype=dict.fromkeys(texts, str),
                    keep_default_na=False,
                    na_values={name: [""] for name in names if name not in texts},
                    skipinitialspace=skips_blanks(self._delimiter),
                    low_memory=False,
                    nrows=MAX_TABLE_ROWS + 1,
                    **exact,
                )
        except (ParserError, ParserWarning) as error:
            raise self._ragged() or unreadable(self._path, error) from error
        for name in texts:
            marked = frame[name].str.startswith("'")
            if marked.any():  # harmless in a spreadsheet: written so by us, or by others who do the same
                frame.loc[marked, name] = frame.loc[marked, name].map(from_cell)
        return frame

    def place(self, row: int) -> str:
        """The line at which the row starts."""
        record = row if self._named is not None else row + 1
        if record >= len(self._starts):
            self._find_starts(2 * (record + 1))
        if record < len(self._starts):
            return f"line {self._starts[record]} of {self._path.name}"
        return f"row {row + 1} of {self._path.name}"  # the file is not what it was

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: a text holds nothing beside its rows."""
        return ()

    def _find_starts(self, count: int) -> None:
        """Remember where the first records start, the header among them."""
        with self._records() as records:
            self._starts = [line for _, (line, _) in zip(range(count), records, strict=False)]

    @contextmanager
    def _records(self) -> Iterator[Iterator[tuple[int, list[str]]]]:
        """Yield the line (from 1) at which each record starts, and its cells; blank lines are no records."""
        with long_cells(), reading(self._path), open_text(self._path) as file:
            yield _numbered(file, self._delimiter)

    def _check_delimiter(self, header: Sequence[str]) -> None:
        """Refuse a file whose first lines agree on more columns, or as many, by another usual delimiter.

        A set delimiter is believed, unless it makes one column of all.

        Raises:
            OtherDelimiterError: With the settings that read it.
        """
        for mark, plural in USUAL_DELIMITERS.items():
            if mark == self._delimiter or not any(mark in name for name in header):
                continue
            with long_cells(), reading(self._path), open_text(self._path) as file:
                records = _numbered(file, mark)
                first = [cells for _, (_, cells) in zip(range(ROWS_LOOKED_AT + 1), records, strict=False)]
            width = len(first[0])
            if width < max(len(header), 2) or any(len(cells) != width for cells in first):
                continue
            setting = "delimiter = " + ('"\\t"' if mark == "\t" else f'"{mark}"')
            has_comma = mark != "," and any(DECIMAL_COMMA.fullmatch(cell.strip()) for row in first[1:] for cell in row)
            ours = USUAL_DELIMITERS.get(self._delimiter, repr(self._delimiter))
            raise OtherDelimiterError(
                f"The columns of {self._path} are separated by {mark!r}: by {plural} the header has {width},"
                f" by {ours} {len(header)}",
                expected=ours,
                action=f"set {setting}"
                + (' and decimal = "," (numbers are written as 1,5)' if has_comma else "")
                + ("" if len(header) == 1 else f"; where they are {ours} all the same, set delimiter to that"),
                delimiter=mark,
                decimal="," if has_comma else ".",
            )

    def _ragged(self) -> TableError | None:
        """Find the first row with more cells than the header."""
        with self._records() as records:
            width = len(next(records)[1])
            found = next(((line, len(cells)) for line, cells in records if len(cells) > width), None)
        if found is None:
            return None
        return TableError(
            f"Line {found[0]} of {self._path} has {found[1]} cells, and the header {width}",
            expected="a cell per column",
            action=f"quote cells with {USUAL_DELIMITERS.get(self._delimiter, repr(self._delimiter))} in them, write"
            " decimals with a point, and end no line with a delimiter; or set the delimiter that the file has",
        )


@contextmanager
def long_cells() -> Iterator[None]:
    """Let `csv` read cells of any length: structures are long ones, and the file as a whole is bounded."""
    longest = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(longest)


def skips_blanks(delimiter: str) -> bool:
    """Whether blanks before a cell are none of it: they are where they separate cells."""
    return delimiter != " "


def is_record(cells: Sequence[str]) -> bool:
    """Whether the cells of a line are a row: those of a blank line are none."""
    return bool(cells) and not (len(cells) == 1 and not cells[0].strip())


def _numbered(file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, delimiter=delimiter, skipinitialspace=skips_blanks(delimiter))
    start = 1
    for cells in reader:
        if is_record(cells):
            yield start, cells
        start = reader.line_num + 1


def looks_like_cells(names: Sequence[str]) -> bool:
    """Whether names of columns look like cells of a row: one of them is a number, and it has decimals or a sign."""
    return any(re.fullmatch(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?|-\d+([eE][+-]?\d+)?", name.strip()) for name in names)
