"""Parquet and Feather, the files of Apache Arrow: typed columns, of which the used ones alone are read."""

from __future__ import annotations

import bisect
import importlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import dated_column, reading, too_large, too_many_rows
from protocols.tables.formats.limits import MAX_TABLE_BYTES, MAX_TABLE_ROWS
from protocols.tables.formats.reader import cell_of

COLUMNS_AT_ONCE: Final = 8
"""How many columns of numbers are decoded together: enough for the threads there are, and an eighth of a table with 64
features is in memory twice while it is read."""

ARROW_FILE: Final = b"ARROW1"
"""How a file of Arrow begins; a stream has no mark."""

OLD_FEATHER: Final = b"FEA1"
"""How a Feather file of version 1 begins."""

FLOAT_BYTES: Final = 8
"""What a number takes in memory [byte]."""


class ParquetTable:
    """A Parquet file."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path
        self._ends: list[int] = []

    def names(self) -> list[str]:
        """Return the names of all columns."""
        with self._opened() as file:
            if file.metadata.num_rows > MAX_TABLE_ROWS:
                raise too_many_rows(self._path)
            return list(file.schema_arrow.names)

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns, some at a time."""
        with self._opened() as file:
            words = [name for name in texts if _is_words(file.schema_arrow.field(name).type)]
        # Words that repeat stay one in memory, so that a short file cannot become a long table.
        with self._opened(read_dictionary=words) as file:
            metadata = file.metadata
            groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
            self._ends = list(itertools.accumulate(group.num_rows for group in groups))
            self._check_size(groups, metadata.num_rows, numeric, texts)
            return _frame(self._path, file.schema_arrow, lambda names: file.read(columns=names), numeric, texts)

    def place(self, row: int) -> str:
        """The row, and its group where there are several."""
        if len(self._ends) <= 1:
            return f"row {row + 1} of {self._path.name}"
        group = bisect.bisect_right(self._ends, row)
        return f"row {row + 1} (row group {group + 1}) of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: a file of columns holds nothing beside them."""
        return ()

    @contextmanager
    def _opened(self, **options: Any) -> Iterator[Any]:
        parquet = load_arrow(self._path, "pyarrow.parquet")
        with reading(self._path), parquet.ParquetFile(self._path, **options) as file:
            yield file

    def _check_size(self, groups: Sequence[Any], rows: int, numeric: Sequence[str], texts: Sequence[str]) -> None:
        used = {*numeric, *texts}
        size = sum(
            column.total_uncompressed_size
            for group in groups
            for column in (group.column(place) for place in range(group.num_columns))
            if column.path_in_schema.split(".")[0] in used or column.path_in_schema in used
        )
        if max(size, rows * len(numeric) * FLOAT_BYTES) > MAX_TABLE_BYTES:
            raise too_large(self._path)


class FeatherTable:
    """A Feather file: the file or the stream of Arrow's interprocess communication."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Return the names of all columns."""
        with self._opened() as file:
            return list(file.schema.names)

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns."""
        arrow = load_arrow(self._path, "pyarrow")
        with self._opened() as file:
            schema = file.schema
        used = sorted({schema.names.index(name) for name in (*numeric, *texts)})
        with self._opened(options=load_arrow(self._path, "pyarrow.ipc").IpcReadOptions(included_fields=used)) as file:
            batches: list[Any] = []
            size = rows = 0
            for batch in _batches(file):
                rows, size = rows + batch.num_rows, size + batch.nbytes
                if rows > MAX_TABLE_ROWS:
                    raise too_many_rows(self._path)
                if size > MAX_TABLE_BYTES:
                    raise too_large(self._path)
                batches.append(batch)
            table = arrow.Table.from_batches(batches, schema=file.schema if not batches else batches[0].schema)
            return _frame(self._path, table.schema, table.select, numeric, texts)

    def place(self, row: int) -> str:
        """The row."""
        return f"row {row + 1} of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: a file of columns holds nothing beside them."""
        return ()

    @contextmanager
    def _opened(self, **options: Any) -> Iterator[Any]:
        arrow = load_arrow(self._path, "pyarrow")
        ipc = load_arrow(self._path, "pyarrow.ipc")
        with reading(self._path), arrow.memory_map(str(self._path)) as source:
            start = source.read(len(ARROW_FILE))
            source.seek(0)
            if start.startswith(OLD_FEATHER):
                raise TableError(
                    f"{self._path} is of Feather's version 1",
                    expected="version 2, which is the file format of Arrow",
                    action="write it again with a newer pandas, or as Parquet",
                )
            yield (ipc.open_file if start == ARROW_FILE else ipc.open_stream)(source, **options)


def load_arrow(path: Path, module: str) -> Any:
    """Return a module of pyarrow.

    Raises:
        TableError: When it is not installed; with the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        kind = "Parquet" if path.suffix.lower() == ".parquet" else "Feather"
        raise TableError(
            f"{path} is a {kind} file, and pyarrow is not installed",
            action=f"pip install 'entropilot[{EXTRA_OF['pyarrow']}]'",
        ) from error


def _batches(file: Any) -> Iterator[Any]:
    if hasattr(file, "num_record_batches"):
        yield from (file.get_batch(place) for place in range(file.num_record_batches))
    else:
        yield from file


def _frame(path: Path, schema: Any, read: Any, numeric: Sequence[str], texts: Sequence[str]) -> Any:
    """Make a frame of the used columns; `read` gives an Arrow table of the columns that it is told."""
    import pandas as pd

    for name in dict.fromkeys((*numeric, *texts)):
        _check_type(path, name, schema.field(name).type)
    made: dict[str, Any] = {}
    as_numbers = [name for name in dict.fromkeys(numeric) if name not in texts]
    for start in range(0, len(as_numbers), COLUMNS_AT_ONCE):
        some = as_numbers[start : start + COLUMNS_AT_ONCE]
        table = read(some)
        made |= {name: _numbers(table.column(name)) for name in some}
    for name in dict.fromkeys(texts):
        made[name] = pd.Series(_cells(read([name]).column(name)), dtype=object)
    load_arrow(path, "pyarrow").default_memory_pool().release_unused()  # it would keep what it needed for a while
    return pd.DataFrame(made, copy=False)


def _is_words(kind: Any) -> bool:
    """Whether Parquet keeps such cells as bytes, with a dictionary of those that repeat."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind))


def _check_type(path: Path, name: str, kind: Any) -> None:
    import pyarrow as pa

    types = pa.types
    plain = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_temporal(plain):
        raise dated_column(path, name, f"dates or times ({plain})")
    if isinstance(plain, pa.BaseExtensionType) or types.is_union(plain) or types.is_run_end_encoded(plain):
        raise TableError(
            f"Column {name!r} of {path} is of the type {plain}",
            expected="numbers, texts, truth values, or lists and structs of structures",
            action="write it with one of these types, or name another column",
        )


def _numbers(column: Any) -> Any:
    """Return numbers as NumPy's, NaN where there is none; what is no number as Python's objects."""
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _as_floats(column)
    if pa.types.is_boolean(kind) and column.null_count == 0:
        return column.to_numpy()
    return pd.Series(_cells(column), dtype=object)


def _as_floats(column: Any) -> Any:
    """Return numbers as floats, shape (n,); a copy: what Arrow shares takes a fifth more than it needs."""
    numbers = np.empty(len(column), dtype=np.float64)
    start = 0
    for chunk in column.chunks:
        numbers[start : start + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        start += len(chunk)
    return numbers


def _cells(column: Any) -> Any:
    """Return cells as Python's objects, an array of shape (n,): whole numbers whole, None where there is nothing."""
    cells = np.empty(len(column), dtype=object)
    start = 0
    for chunk in column.chunks:
        cells[start : start + len(chunk)] = _chunk_cells(chunk)
        start += len(chunk)
    return cells


def _chunk_cells(chunk: Any) -> Any:
    import pyarrow as pa

    types, kind = pa.types, chunk.type
    if types.is_dictionary(kind):
        words = np.append(_chunk_cells(chunk.dictionary), [None])
        places = chunk.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        return words[places]
    if types.is_string(kind) or types.is_large_string(kind):
        return chunk.to_numpy(zero_copy_only=False)
    if types.is_floating(kind) and not types.is_float64(kind):  # 0.1 of 32 bits is 0.1, not 0.10000000149011612
        numbers = chunk.to_numpy(zero_copy_only=False)
        listed: list[object] = [None if np.isnan(number) else str(number) for number in numbers]
    elif types.is_decimal(kind):
        listed = [None if cell is None else str(cell) for cell in chunk.to_pylist()]
    else:
        listed = [cell_of(cell) for cell in chunk.to_pylist()]
    cells = np.empty(len(listed), dtype=object)
    cells[:] = listed
    return cells
