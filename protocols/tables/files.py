"""Files that hold a table: CSV, gzipped CSV and Parquet, and what is said of one that cannot be read."""

from __future__ import annotations

import csv
import gzip
import importlib
import itertools
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from protocols.errors import TableError

MAX_TABLE_ROWS: Final = 2_000_000
"""Most rows: eight times the largest public set of crystals, and 40 features of them still fit 640 MB of memory."""

MAX_TABLE_BYTES: Final = 4 * 1024**3
"""Largest file [byte]: `MAX_TABLE_ROWS` rows of 2 kB; a larger one would not fit the memory of a laptop."""

MAX_SAID: Final = 200
"""How much of another library's error is repeated [character]."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """The used columns as they stand in the file; `frame` is a `pandas.DataFrame`."""

    path: Path
    names: tuple[str, ...]
    frame: Any

    def place(self, row: int) -> str:
        """Where a row (from 0) stands, as a person counts."""
        return self.places((row,))[0]

    def places(self, rows: Sequence[int]) -> list[str]:
        """Where some rows (from 0, ascending) stand; the file is read once, up to the last of them."""
        by_number = [f"row {row + 1} of {self.path.name}" for row in rows]
        if self.path.suffix.lower() == ".parquet":
            return by_number
        wanted = {row + 1 for row in rows}  # the header is the first record
        try:
            with _open_text(self.path) as file:
                starts = itertools.islice(enumerate(line for line, _ in _records(file)), max(wanted) + 1)
                line_of = {index - 1: line for index, line in starts if index in wanted}
            return [f"line {line_of[row]} of {self.path.name}" for row in rows]
        except (csv.Error, KeyError):  # a cell beyond the csv module's limit
            return by_number


def column_names(path: Path) -> tuple[str, ...]:
    """Return the names of all columns, in order; nothing but the header is read.

    Raises:
        TableError: When the file is missing, too large, of another kind, or cannot be read.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_text = suffixes[-1:] == [".csv"] or suffixes[-2:] == [".csv", ".gz"]
    if not (is_text or suffixes[-1:] == [".parquet"]):
        raise TableError(f"{path} is no table that can be read", expected="a .csv, .csv.gz or .parquet file")
    with _reading(path):
        if not path.is_file():
            raise TableError(
                f"There is no table {path}",
                expected="a .csv, .csv.gz or .parquet file beside the scenario file, or where you are",
                action="correct pool.path, or put the table there",
            )
        size = path.stat().st_size
        if size > MAX_TABLE_BYTES:
            raise TableError(
                f"The table {path} has {size / 1024**3:.1f} GiB",
                expected=f"at most {MAX_TABLE_BYTES / 1024**3:.0f} GiB",
                action="leave out rows or columns, or write it as Parquet",
            )
        names = _csv_header(path) if is_text else _parquet_names(path)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"The table {path} has several columns {twice[0]!r}", expected="a name per column")
    return tuple(names)


def _csv_header(path: Path) -> list[str]:
    with _open_text(path) as file:
        header = next((cells for _, cells in _records(file)), None)
    if header is None:
        raise TableError(f"The table {path} is empty", expected="a header line and a row per candidate")
    # A nameless column is called as pandas calls it, because a saved index looks like this.
    names = [cell.strip() or f"Unnamed: {position}" for position, cell in enumerate(header)]
    separator = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in names[0]), None)
    if separator:
        raise TableError(f"The columns of {path} are separated by {separator!r}", expected="commas")
    return names


def _parquet_names(path: Path) -> list[str]:
    with _parquet(path) as parquet:
        if parquet.metadata.num_rows > MAX_TABLE_ROWS:
            raise _too_many_rows(path)
        return list(parquet.schema_arrow.names)


def read_file(path: Path, names: tuple[str, ...], *, numeric: Sequence[str], texts: Sequence[str]) -> TableFile:
    """Read the used columns.

    Args:
        path: The file.
        names: All its columns (`column_names`).
        numeric: Columns with numbers; what is in them is not checked here.
        texts: Columns that are read as they stand.

    Raises:
        TableError: When the file cannot be read, or has no rows or too many.
    """
    file = TableFile(path, names, _read_frame(path, names, numeric, texts))
    if len(file.frame) == 0:
        raise TableError(f"The table {path} has no rows", expected="a row per candidate below the header")
    if len(file.frame) > MAX_TABLE_ROWS:
        raise _too_many_rows(path)
    return file


def _read_frame(path: Path, names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
    """Read a CSV with all its columns, so that a row with too many cells is noticed; of Parquet the used ones."""
    if path.suffix.lower() == ".parquet":
        with _reading(path), _parquet(path) as parquet:
            used = list(dict.fromkeys((*numeric, *texts)))
            # No column of whole numbers becomes one of floats because a cell is empty.
            return parquet.read(columns=used).to_pandas(ignore_metadata=True, integer_object_nulls=True)
    import pandas as pd
    from pandas.errors import ParserWarning

    # Older pandas rounds some decimals to a neighbour of the nearest float; newer ones are exact and have no option.
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    exact = {} if version >= (3, 1) else {"float_precision": "round_trip"}
    with _reading(path), warnings.catch_warnings():
        warnings.simplefilter("error", ParserWarning)
        return pd.read_csv(
            path,
            encoding="utf-8-sig",
            header=0,
            names=list(names),
            index_col=False,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values={name: [""] for name in names if name not in texts},
            skipinitialspace=True,
            low_memory=False,
            nrows=MAX_TABLE_ROWS + 1,
            **exact,
        )


def _parquet(path: Path) -> Any:
    """Open a Parquet file: a `pyarrow.parquet.ParquetFile`."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise TableError(
            f"{path} is a Parquet file, and pyarrow is not installed", action="pip install 'entropilot[parquet]'"
        ) from error
    return parquet.ParquetFile(path)


def _open_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _records(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the line (from 1) at which each record starts, and its cells; blank lines are no records."""
    reader = csv.reader(file, skipinitialspace=True)
    start = 1
    for cells in reader:
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            yield start, cells
        start = reader.line_num + 1


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what a reader says of a file into an error for people."""
    from pandas.errors import ParserError, ParserWarning

    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(f"The table {path} is not UTF-8 text", action="save it as CSV UTF-8") from error
    except (ParserError, ParserWarning) as error:
        raise _ragged(path) or _unreadable(path, error) from error
    except (OSError, EOFError, zlib.error, csv.Error, ValueError, NotImplementedError) as error:
        raise _unreadable(path, error) from error


def _too_many_rows(path: Path) -> TableError:
    return TableError(
        f"The table {path} has too many rows",
        expected=f"at most {MAX_TABLE_ROWS}",
        action="take a sample or a part of it",
    )


def _ragged(path: Path) -> TableError | None:
    """Find the first row with more cells than the header."""
    try:
        with _open_text(path) as file:
            records = _records(file)
            width = len(next(records)[1])
            line, cells = next((line, len(cells)) for line, cells in records if len(cells) > width)
    except (csv.Error, StopIteration):
        return None
    return TableError(
        f"Line {line} of {path} has {cells} cells, and the header {width}",
        expected="a cell per column",
        action="quote cells with commas in them, write decimals with a point, and end no line with a comma",
    )


def _unreadable(path: Path, error: BaseException) -> TableError:
    said = " ".join(str(error).split())[:MAX_SAID] or type(error).__name__
    return TableError(
        f"The table {path} cannot be read ({said})", action="check that it is whole and what its name says"
    )
