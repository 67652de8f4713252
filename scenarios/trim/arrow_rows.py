"""Rows of Arrow tables, copied whatever their types are: no kernel is needed for a column that is only copied.

Arrow takes rows of most types by one call. Where it has no kernel for a type (string views, and what holds them), the
column is cast to the type with the same values that has one, and back; where it cannot be cast either, its kept
stretches are cut out and joined, which every type can do.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError, invariant
from protocols.structures.reading import said_by

Mask = NDArray[np.bool_]

FILE_MAGIC: Final = b"ARROW1"
"""How a Feather file begins; a stream of Arrow does not."""


def write_parquet(source: Path, kept: Mask, file: BinaryIO) -> int:
    """Copy the kept rows, row group by row group, so that no more than one is in memory.

    Args:
        source: A Parquet file.
        kept: Which rows, shape (n,).
        file: Where to write.

    Returns:
        How many rows the source has; where these are not n, what was written is worth nothing.

    Raises:
        TableError: When it cannot be read, or its types cannot be written.
    """
    parquet: Any = importlib.import_module("pyarrow.parquet")
    with _copying(source), parquet.ParquetFile(source) as table:
        metadata = table.metadata
        if metadata.num_rows != len(kept):
            return int(metadata.num_rows)
        invariant(metadata.num_row_groups > 0, "a table with rows has a group of rows")
        compression = metadata.row_group(0).column(0).compression.lower()
        packing = "none" if compression == "uncompressed" else compression
        with parquet.ParquetWriter(file, table.schema_arrow, compression=packing) as writer:
            start = 0
            for group in range(metadata.num_row_groups):
                end = start + metadata.row_group(group).num_rows
                if kept[start:end].any():
                    rows = kept_rows(table.read_row_group(group), kept[start:end])
                    writer.write_table(rows, row_group_size=len(rows))  # Arrow cannot cut every type into groups
                start = end
    return len(kept)


def write_feather(source: Path, kept: Mask, file: BinaryIO) -> int:
    """Copy the kept rows, batch by batch, as a file or as a stream; arguments, result and errors as `write_parquet`."""
    arrow: Any = importlib.import_module("pyarrow")
    ipc: Any = importlib.import_module("pyarrow.ipc")
    packing = "lz4" if arrow.Codec.is_available("lz4") else None  # as Feather files are by default
    options = ipc.IpcWriteOptions(compression=packing, unify_dictionaries=True)
    start = 0
    with _copying(source), arrow.memory_map(str(source)) as mapped:
        is_file = mapped.read(len(FILE_MAGIC)) == FILE_MAGIC
        mapped.seek(0)
        opened, written = (ipc.open_file, ipc.new_file) if is_file else (ipc.open_stream, ipc.new_stream)
        with opened(mapped) as batches, written(file, batches.schema, options=options) as writer:
            for batch in map(batches.get_batch, range(batches.num_record_batches)) if is_file else batches:
                own = kept[start : start + batch.num_rows]
                start += batch.num_rows
                if own.any() and len(own) == batch.num_rows:
                    writer.write_table(kept_rows(arrow.Table.from_batches([batch]), own))
    return start


def kept_rows(table: Any, kept: Mask) -> Any:
    """Return some rows of a `pyarrow.Table`, equal to what they were, in its schema.

    Args:
        table: Of n rows.
        kept: Which rows, shape (n,).
    """
    arrow: Any = importlib.import_module("pyarrow")
    mask = arrow.array(kept)
    return arrow.Table.from_arrays([_kept(column, mask, kept) for column in table.columns], schema=table.schema)


def _kept(column: Any, mask: Any, kept: Mask) -> Any:
    """Return the kept part of a column, a `pyarrow.ChunkedArray`."""
    arrow: Any = importlib.import_module("pyarrow")
    try:
        return column.filter(mask)
    except arrow.ArrowNotImplementedError:
        pass
    try:
        return column.cast(_without_views(column.type)).filter(mask).cast(column.type)
    except arrow.ArrowNotImplementedError:
        return arrow.chunked_array(_stretches(column, kept), type=column.type)


def _stretches(column: Any, kept: Mask) -> Iterator[Any]:
    """Yield the kept stretches of every chunk, joined."""
    arrow: Any = importlib.import_module("pyarrow")
    start = 0
    for chunk in column.chunks:
        own = kept[start : start + len(chunk)]
        start += len(chunk)
        turns = np.flatnonzero(np.diff(own, prepend=False, append=False)).tolist()
        pieces = [chunk.slice(low, high - low) for low, high in zip(turns[::2], turns[1::2], strict=True)]
        if pieces:
            yield arrow.concat_arrays(pieces)


def _without_views(kind: Any) -> Any:
    """Return the type that holds the same values without string and binary views."""
    arrow: Any = importlib.import_module("pyarrow")
    types = arrow.types

    def plain(field: Any) -> Any:
        return field.with_type(_without_views(field.type))

    makers = (
        (types.is_string_view, arrow.large_string),
        (types.is_binary_view, arrow.large_binary),
        (types.is_struct, lambda: arrow.struct([plain(field) for field in kind])),
        (types.is_map, lambda: arrow.map_(plain(kind.key_field), plain(kind.item_field))),
        (types.is_list, lambda: arrow.list_(plain(kind.value_field))),
        (types.is_large_list, lambda: arrow.large_list(plain(kind.value_field))),
        (types.is_fixed_size_list, lambda: arrow.list_(plain(kind.value_field), kind.list_size)),
    )
    return next((make() for is_kind, make in makers if is_kind(kind)), kind)


@contextmanager
def _copying(source: Path) -> Iterator[None]:
    """Turn what Arrow says of a column that nobody has read before into an error for people."""
    arrow: Any = importlib.import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # a file that cannot be opened, or a disk that is full
        raise TableError(
            f"The rows of {source} cannot be copied ({said_by(error)})",
            expected="columns that Arrow can read and write",
            action="check that the file is whole, or write the table as CSV and trim that",
        ) from error
