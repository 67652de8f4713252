"""Parquet and Feather: whole numbers stay whole, and what is neither text nor number is refused by its name."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocols.tables.formats import arrow as formats_arrow
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in

pa = pytest.importorskip("pyarrow", reason="pyarrow is an extra")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
feather = pytest.importorskip("pyarrow.feather", reason="pyarrow is an extra")

Writer = Callable[[Any, Path], None]
WRITERS: dict[str, Writer] = {".parquet": pq.write_table, ".feather": feather.write_feather}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Writes columns to a file of either kind."""

    def written(**columns: Any) -> Path:
        path = tmp_path / f"t{request.param}"
        WRITERS[request.param](pa.table(columns), path)
        return path

    return written


BIG = 2**62 + 1
NOON = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([194, None, BIG]), [194, None, BIG]),
        (pa.array([2**64 - 1, 1], pa.uint64()), [2**64 - 1, 1]),
        (pa.array([True, None]), [True, None]),
        (pa.array(["a", None]), ["a", None]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None, "x" * 50], pa.string_view()), ["a", None, "x" * 50]),
        (pa.array(["a", None, "b", "a"]).dictionary_encode(), ["a", None, "b", "a"]),
        (pa.array([1, None, 2]).dictionary_encode(), [1, None, 2]),
        (pa.array([b"a", None]), [b"a", None]),
        (pa.array([b"ab", None], pa.binary(2)), [b"ab", None]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None]),
        (pa.array([0.1, None, float("nan")], pa.float32()), ["0.1", None, None]),
        (pa.array([194.0, None, 0.1]), [194.0, None, 0.1]),
        (pa.array([None, None]), [None, None]),
        (pa.array([{"b": 1, "a": [1.5]}, None]), ['JSON {"a":[1.5],"b":1}', None]),
        (pa.array([[1, 2], None]), ["JSON [1,2]", None]),
    ],
)
def test_texts_come_as_they_stand(write: Callable[..., Path], cells: Any, expected: list[object]) -> None:
    found = texts_in(write(x=cells), "x")
    assert found == expected
    assert [type(cell) for cell in found] == [type(cell) for cell in expected]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([1.5, None]), [1.5, None]),
        (pa.array([194, None]), [194.0, None]),
        (pa.array([1, 2], pa.int8()), [1.0, 2.0]),
        (pa.array([True, False]), [True, False]),
        (pa.array([True, None]), [True, None]),
        (pa.array(["1.5", None, "x"]), ["1.5", None, "x"]),
        (pa.array([1.5, None, 2]).dictionary_encode(), [1.5, None, 2.0]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None]),
        (pa.array(np.array([0.5, 2], np.float16)), [0.5, 2.0]),
        (pa.array([[1, 2], None]), ["JSON [1,2]", None]),
    ],
)
def test_numbers_are_floats_and_what_is_none_stands_as_it_is(
    write: Callable[..., Path], cells: Any, expected: list[object]
) -> None:
    assert numbers_in(write(x=cells), "x") == expected


@pytest.mark.parametrize(
    "cell", [dt.date(2020, 1, 1), NOON, dt.timedelta(1), dt.time(1)], ids=type
)  # fmt: skip
def test_dates_and_times_in_a_used_column_are_refused_by_its_name(write: Callable[..., Path], cell: object) -> None:
    for cells in (pa.array([cell]), pa.array([cell]).dictionary_encode()):
        if isinstance(cell, dt.timedelta) and pa.types.is_dictionary(cells.type):
            continue  # Parquet has no such type
        path = write(x=cells, y=[1])
        for used in ({"texts": ("x",)}, {"numeric": ("x",)}):
            assert "Column 'x' of" in (said := refused(path, **used))
            assert "holds dates or times" in said
        assert numbers_in(path, "y") == [1.0]


def test_a_type_that_nobody_reads_is_refused(write: Callable[..., Path]) -> None:
    assert "is of the type extension<arrow.uuid>" in refused(write(x=pa.array([b"1" * 16], pa.uuid())), texts=("x",))


def test_names_with_points_and_an_index_are_columns_like_others(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [{"b": 1}, {"b": 2}], "a.b": [3, 4], "__index_level_0__": ["p", "q"]}), path)
    assert numbers_in(path, "a.b") == [3.0, 4.0]
    assert texts_in(path, "a") == ['JSON {"b":1}', 'JSON {"b":2}']
    assert texts_in(path, "__index_level_0__") == ["p", "q"]


def test_a_row_of_parquet_is_named_with_its_group_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": list("abcde")}), path, row_group_size=2)
    file = opened(path, numeric=("x",), texts=("y",))
    assert file.frame["x"].tolist() == [1, 2, 3, 4, 5]
    assert file.frame["y"].tolist() == list("abcde")
    assert file.places([1, 2, 4]) == [
        f"row {row} (row group {group}) of t.parquet" for row, group in ((2, 1), (3, 2), (5, 3))
    ]
    pq.write_table(pa.table({"x": [1]}), path)
    assert opened(path, numeric=("x",)).place(0) == "row 1 of t.parquet"
    feather.write_feather(pa.table({"x": [1]}), tmp_path / "t.feather")
    assert opened(tmp_path / "t.feather", numeric=("x",)).place(0) == "row 1 of t.feather"


def test_a_stream_of_arrow_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    table = pa.table({"x": [1, 2, 3], "y": [4, 5, 6]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    assert numbers_in(path, "y") == [4.0, 5.0, 6.0]
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema):
        pass
    assert "has no rows" in refused(path, numeric=("y",))


def test_feather_of_version_1_says_how_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "t.feather").write_bytes(b"FEA1" + bytes(100))
    assert "is of Feather's version 1" in refused(tmp_path / "t.feather")


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("content", [b"", b"hello world, a text", b"ARROW1 and no more", b"PAR1 not"])
def test_what_is_none_of_them_is_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"t{ending}"
    path.write_bytes(content)
    assert "cannot be read" in refused(path)


def test_a_missing_library_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*filter(lambda each: each.startswith("pyarrow"), sys.modules), "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    for ending, kind in ((".parquet", "Parquet"), (".feather", "Feather")):
        path = tmp_path / f"t{ending}"
        path.write_bytes(b"x")
        said = refused(path)
        assert f"is a {kind} file" in said
        assert "pip install 'entropilot[parquet]'" in said


def test_more_rows_or_bytes_than_a_table_may_have_are_refused(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(x=[1.0, 2.0, 3.0], y=["a" * 50] * 3)
    monkeypatch.setattr(formats_arrow, "MAX_TABLE_ROWS", 2)
    assert "too many rows" in refused(path, numeric=("x",))
    monkeypatch.setattr(formats_arrow, "MAX_TABLE_ROWS", 3)
    monkeypatch.setattr(formats_arrow, "MAX_TABLE_BYTES", 23)
    assert "when it is unpacked" in refused(path, numeric=("x",))


def test_a_word_that_stands_in_every_row_is_in_memory_once(tmp_path: Path) -> None:
    word = pa.array(["x" * 1_000_000])
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10_000, np.int32)), word)
    pq.write_table(pa.table({"x": words}), tmp_path / "t.parquet")  # 10 GB of text
    file = opened(tmp_path / "t.parquet", texts=("x",))
    assert len({id(cell) for cell in file.frame["x"]}) == 1
