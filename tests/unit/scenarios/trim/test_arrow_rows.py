"""Rows of Parquet and Feather files are copied whatever their types are, used or not."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protocols.errors import TableError
from scenarios.trim.arrow_rows import kept_rows, write_feather, write_parquet

ROWS = 12
LONG = "a text that is longer than the twelve bytes that a view holds itself "
TEXTS = [None if n == 4 else f"{LONG if n % 2 else ''}{n}é" for n in range(ROWS)]
WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def union() -> pa.Array:
    return pa.UnionArray.from_sparse(
        pa.array([0, 1] * 6, pa.int8()), [pa.array(range(ROWS)), pa.array(map(str, range(ROWS)))]
    )


COLUMNS: dict[str, Callable[[], pa.Array]] = {
    "string": lambda: pa.array(TEXTS),
    "large string": lambda: pa.array(TEXTS, pa.large_string()),
    "string view": lambda: pa.array(TEXTS, pa.string_view()),
    "binary": lambda: pa.array([bytes([n, 255]) for n in range(ROWS)]),
    "fixed binary": lambda: pa.array([bytes([n, n]) for n in range(ROWS)], pa.binary(2)),
    "binary view": lambda: pa.array([bytes([n, 255]) * n for n in range(ROWS)], pa.binary_view()),
    "dictionary": lambda: pa.array(TEXTS).dictionary_encode(),
    "dictionary of views": lambda: pa.DictionaryArray.from_arrays(
        pa.array([0, 1] * 6), pa.array(["x", "y"], pa.string_view())
    ),
    "decimal": lambda: pa.array([Decimal(n) / 4 for n in range(ROWS)], pa.decimal128(12, 4)),
    "large decimal": lambda: pa.array([Decimal(10) ** 40 + n for n in range(ROWS)], pa.decimal256(50, 2)),
    "half": lambda: pa.array(np.linspace(-1, 1, ROWS).astype(np.float16)),
    "float with not a number": lambda: pa.array([np.nan if n == 2 else n / 7 for n in range(ROWS)], pa.float32()),
    "truth": lambda: pa.array([None, True, False] * 4),
    "null": lambda: pa.nulls(ROWS),
    "timestamp": lambda: pa.array(
        [WHEN + dt.timedelta(hours=n) for n in range(ROWS)], pa.timestamp("ns", "Europe/Berlin")
    ),
    "date": lambda: pa.array([WHEN.date()] * ROWS),
    "time": lambda: pa.array([dt.time(n) for n in range(ROWS)]),
    "duration": lambda: pa.array(range(ROWS), pa.duration("ms")),
    "interval": lambda: pa.array([pa.MonthDayNano([n, 2, 3]) for n in range(ROWS)]),
    "list": lambda: pa.array([None if n == 3 else list(range(n)) for n in range(ROWS)]),
    "large list": lambda: pa.array([[n / 2] for n in range(ROWS)], pa.large_list(pa.float64())),
    "fixed list": lambda: pa.array([[n, n + 1, n + 2] for n in range(ROWS)], pa.list_(pa.int8(), 3)),
    "list view": lambda: pa.array([[n] * (n % 3) for n in range(ROWS)], pa.list_view(pa.int64())),
    "large list view": lambda: pa.array([[n] * (n % 3) for n in range(ROWS)], pa.large_list_view(pa.int64())),
    "list of views": lambda: pa.array([[text] for text in TEXTS], pa.list_(pa.string_view())),
    "large list of views": lambda: pa.array([[text] for text in TEXTS], pa.large_list(pa.string_view())),
    "fixed list of views": lambda: pa.array([[text] for text in TEXTS], pa.list_(pa.string_view(), 1)),
    "map": lambda: pa.array([[("a", n)] for n in range(ROWS)], pa.map_(pa.string(), pa.int64())),
    "map of views": lambda: pa.array([[("a", text)] for text in TEXTS], pa.map_(pa.string_view(), pa.string_view())),
    "struct": lambda: pa.array([None if n == 5 else {"x": n, "y": [n]} for n in range(ROWS)]),
    "struct of views": lambda: pa.array(
        [{"x": {"y": text}} for text in TEXTS], pa.struct([("x", pa.struct([("y", pa.string_view())]))])
    ),
    "extension": lambda: pa.array([bytes([n] * 16) for n in range(ROWS)], pa.uuid()),
    "run ends": lambda: pa.RunEndEncodedArray.from_arrays([3, 5, ROWS], pa.array(["a", None, "b"])),
    "union": union,
}
NO_PARQUET = {"dictionary of views", "interval", "run ends", "union"}
"""Types that Parquet has no place for."""

MASKS = [
    np.arange(ROWS) % 2 == 0,
    np.arange(ROWS) == 4,
    np.isin(np.arange(ROWS), [0, 1, 5, 6, 7, 11]),
    np.ones(ROWS, dtype=bool),
    np.zeros(ROWS, dtype=bool),
]


def table_of(name: str) -> pa.Table:
    """A column in two chunks, beside one that tells the rows."""
    column = COLUMNS[name]()
    chunks = pa.chunked_array([column.slice(0, 5), column.slice(5)], type=column.type)
    return pa.table({"row": pa.array(range(ROWS)), "c": chunks}).replace_schema_metadata({"made": "here"})


def same(table: pa.Table, source: pa.Table, kept: np.ndarray) -> bool:
    """Whether a table holds these rows of another one, in its schema."""
    table.validate(full=True)
    rows = [source["c"][int(row)] for row in np.flatnonzero(kept)]
    return table.schema.equals(source.schema, check_metadata=True) and str(table["c"].to_pylist()) == str(
        [each.as_py() for each in rows]
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_kept_rows_are_equal_to_the_rows_of_the_table(name: str) -> None:
    source = table_of(name)
    for kept in MASKS:
        assert same(kept_rows(source, kept), source, kept)


@pytest.mark.parametrize("name", sorted(set(COLUMNS) - NO_PARQUET))
def test_a_parquet_file_of_any_type_is_copied(name: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    made = table_of(name)
    with pq.ParquetWriter(path, made.schema) as writer:  # which cannot cut every type itself
        for low, high in ((0, 5), (5, ROWS)):
            writer.write_table(kept_rows(made, (np.arange(ROWS) >= low) & (np.arange(ROWS) < high)))
    source = pq.read_table(path)
    for kept in MASKS[:-1]:
        file = io.BytesIO()
        assert write_parquet(path, kept, file) == ROWS
        assert same(pq.read_table(io.BytesIO(file.getvalue())), source, kept)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_feather_file_of_any_type_is_copied(name: str, tmp_path: Path) -> None:
    path = tmp_path / "t.feather"
    pf.write_feather(table_of(name), str(path), chunksize=5)
    source = pf.read_table(str(path))
    for kept in MASKS[:-1]:
        file = io.BytesIO()
        assert write_feather(path, kept, file) == ROWS
        assert same(pf.read_table(io.BytesIO(file.getvalue())), source, kept)


def test_a_stream_of_arrow_stays_one(tmp_path: Path) -> None:
    path, source = tmp_path / "t.arrow", table_of("string view")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, source.schema) as writer:
        writer.write_table(source)
    file = io.BytesIO()
    assert write_feather(path, MASKS[2], file) == ROWS
    with pa.ipc.open_stream(file.getvalue()) as reader:
        assert same(reader.read_all(), source, MASKS[2])


@given(kept=arrays(bool, ROWS), cut=st.integers(0, ROWS), name=st.sampled_from(sorted(COLUMNS)))
def test_any_rows_of_any_chunks_are_kept(kept: np.ndarray, cut: int, name: str) -> None:
    column = COLUMNS[name]()
    source = pa.table({"c": pa.chunked_array([column.slice(0, cut), column.slice(cut)], type=column.type)})
    assert same(kept_rows(source, kept), source, kept)


def test_texts_that_are_left_out_take_no_room_in_a_copy_of_views(tmp_path: Path) -> None:
    """A view points into a buffer, and a copy that keeps the buffers is as large as the whole table."""
    texts = pa.array([f"{n:05d}" * 40 for n in range(20_000)], pa.string_view())
    path = tmp_path / "t.feather"
    pf.write_feather(pa.table({"c": texts}), str(path), compression="uncompressed")
    file = io.BytesIO()
    write_feather(path, np.arange(20_000) % 100 == 0, file)
    assert len(file.getvalue()) < path.stat().st_size / 10


def test_rows_that_do_not_match_are_counted(tmp_path: Path) -> None:
    pq.write_table(table_of("string"), tmp_path / "t.parquet")
    pf.write_feather(table_of("string"), str(tmp_path / "t.feather"), chunksize=5)
    for read in (ROWS - 1, ROWS + 1):
        assert write_parquet(tmp_path / "t.parquet", np.ones(read, dtype=bool), io.BytesIO()) == ROWS
        assert write_feather(tmp_path / "t.feather", np.ones(read, dtype=bool), io.BytesIO()) == ROWS


@pytest.mark.parametrize("copy", [write_parquet, write_feather])
def test_a_broken_file_is_told(copy: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(TableError, match=r"rows of .*t\.parquet cannot be copied"):
        copy(path, MASKS[0], io.BytesIO())
