"""A table says the same in every kind of file that pandas writes: ids, families, values, and the digest of its pool.

Excel is held to what it can hold: names that are whole numbers of more than 15 digits are written as text, and no text
begins with a sign of equality, which would be a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.table import TableColumns, read_table

pytest.importorskip("pyarrow", reason="pyarrow is an extra")
pytest.importorskip("openpyxl", reason="openpyxl is an extra")

COLUMNS = TableColumns(
    id="id", family=("family", "kind"), property="energy", unit="eV", features=("f_*",), on_missing="drop",
    on_no_entropy="warn",
)  # fmt: skip

EXCEL_KEEPS = 10**15
"""Whole numbers below this are the same in a workbook."""


def to_excel(frame: pd.DataFrame, path: Path) -> None:
    """Write what a workbook can hold."""
    held = frame.copy()
    for name in ("id", "family"):
        if isinstance(frame[name].dtype, pd.Int64Dtype) and (frame[name].abs() >= EXCEL_KEEPS).any():
            held[name] = frame[name].astype("string")
    held.to_excel(path, index=False)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.feather": lambda frame, path: frame.to_feather(path),
    "t.jsonl": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, double_precision=15, date_format="iso"
    ),
    "t.xlsx": to_excel,
}
REFUSED = "refused"
PLACE = re.compile(r" in (line|row) \d.*| \((line|row) \d.*")
"""Where a cell stands, which each kind of file counts in its own way, and what comes behind it."""

TYPED = ("t.parquet", "t.feather", "t.xlsx")
"""Files that say of a cell that it is a date; in the others a date is a text, or no number."""

text = st.text(st.sampled_from("aBäßψ日🜁 09-_.,;:|/()'\"\t"), min_size=1, max_size=8).map(lambda each: f"x{each}x")
missing = st.sampled_from([None, "", "None", "nan", "NaN", "n/a", "null", "-", " "])


def mostly(usual: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usual cells, and one in nine that is rare: more of these, and no row of a table could be used."""
    return st.sampled_from([usual] * 8 + [rare]).flatmap(lambda drawn: drawn)  # `one_of` takes equal ones for one


cell = mostly(text, missing)
whole = mostly(st.one_of(st.integers(-5, 300), st.integers(0, 9), st.integers(2**53 - 2, 2**63 - 1)), st.none())
decimal = st.floats(-1e6, 1e6).map(lambda value: round(value, 6) + 0.0)  # JSON has no -0.0
number = mostly(decimal, st.none())


def names_of(rows: int) -> st.SearchStrategy[Any]:
    """Columns of names: texts, categories, nullable whole numbers and truth values."""
    texts = st.lists(cell, min_size=rows, max_size=rows)
    return st.one_of(
        texts.map(lambda cells: pd.Series(cells, dtype=object)),
        texts.map(lambda cells: pd.Series(pd.Categorical(cells))),
        st.lists(whole, min_size=rows, max_size=rows).map(lambda cells: pd.Series(cells, dtype="Int64")),
        st.lists(mostly(st.booleans(), st.none()), min_size=rows, max_size=rows).map(
            lambda cells: pd.Series(cells, dtype="boolean")
        ),
    )


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Tables with nulls in every column."""
    rows = draw(st.integers(4, 12))
    ids = st.lists(cell, min_size=rows, max_size=rows, unique_by=lambda cell: cell or object())
    whole_ids = st.lists(whole, min_size=rows, max_size=rows, unique_by=lambda cell: object() if cell is None else cell)
    numbers = st.lists(number, min_size=rows, max_size=rows).map(lambda cells: pd.Series(cells, dtype="float64"))
    count = mostly(st.one_of(st.integers(-9, 2**40), st.integers(0, 9)), st.none())
    counts = st.lists(count, min_size=rows, max_size=rows)
    return pd.DataFrame(
        {
            "id": draw(
                st.one_of(
                    ids.map(lambda cells: pd.Series(cells, dtype=object)),
                    whole_ids.map(lambda cells: pd.Series(cells, dtype="Int64")),
                )
            ),
            "family": draw(names_of(rows)),
            "kind": pd.Series(pd.Categorical(draw(st.lists(st.sampled_from("pq"), min_size=rows, max_size=rows)))),
            "energy": draw(numbers),
            "f_a": draw(numbers),
            "f_b": draw(counts.map(lambda cells: pd.Series(cells, dtype="Int64"))),
        }
    )


def outcome(path: Path) -> tuple[object, ...]:
    """What a file says: all that counts of it, with the digest of its pool, or why it is refused, without places."""
    try:
        table = read_table(path, COLUMNS)
    except TableError as error:
        return REFUSED, PLACE.sub("", error.found.replace(str(path), "the table"))
    said = (table.candidate_ids, table.source_ids, table.families, table.values.tolist(), table.features.tolist())
    reasons = tuple((entry.handling, entry.reason, entry.count) for entry in table.account)
    return said, reasons, pool_from_table(table).digest


def is_refused(path: Path) -> bool:
    return outcome(path)[0] == REFUSED


def assert_all_say_the_same(frame: pd.DataFrame, folder: Path) -> Any:
    """Write a table in every kind of file, and return what all of them say."""
    found = {}
    for name, write in WRITERS.items():
        write(frame, folder / name)
        found[name] = outcome(folder / name)
    first = found["t.csv"]
    assert {name: each for name, each in found.items() if each != first} == {}, first
    return first


@settings(max_examples=60, deadline=None)
@given(frame=frames())
def test_a_table_reads_the_same_from_every_kind_of_file(frame: pd.DataFrame) -> None:
    with TemporaryDirectory() as folder:
        assert_all_say_the_same(frame, Path(folder))


@pytest.mark.parametrize(
    "names",
    [
        pd.Series(["007", "Ä b", "n/a", "x", "x"], dtype=object),
        pd.Series(pd.Categorical(["a,b", None, '"', "a,b", "c"])),
        pd.Series([2**62 + 1, 3, None, 3, -4], dtype="Int64"),
        pd.Series([True, False, None, True, True], dtype="boolean"),
    ],
    ids=["texts", "categories", "whole numbers", "truth values"],
)
def test_names_of_every_kind_are_read_from_every_kind_of_file(names: pd.Series[Any], tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "id": list("abcde"), "family": names, "kind": list("ppqpq"), "energy": [0.5, -1.25, 2.0, None, 1e-3],
        "f_a": 1.5, "f_b": range(5),
    })  # fmt: skip
    (candidates, *_), *_ = assert_all_say_the_same(frame, tmp_path)
    assert len(candidates) == 3


def test_a_table_without_a_row_that_can_be_used_is_refused_in_the_same_words(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "id": [None, "b", "c"], "family": ["x", "x", "NaN"], "kind": "p", "energy": [1.5, None, 2.5],
        "f_a": 1.5, "f_b": 1,
    })  # fmt: skip
    refused, words = assert_all_say_the_same(frame, tmp_path)
    assert refused == REFUSED
    assert words.startswith(
        "No row of the table can be used: column 'id': an empty cell in 1 rows; column 'family': 'NaN', which counts as"
        " missing in 1 rows; column 'energy': an empty cell in 1 rows"
    )


@settings(max_examples=10, deadline=None)
@given(
    days=st.lists(st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2050-01-01")), min_size=2, max_size=4),
    column=st.sampled_from(["id", "family", "energy", "f_a"]),
)
def test_dates_are_refused_in_a_used_column(days: list[Any], column: str) -> None:
    rows = len(days)
    frame = pd.DataFrame({
        "id": [f"r{row}" for row in range(rows)], "family": "x", "kind": "p", "energy": 1.5, "f_a": 2.5, "day": days,
    })  # fmt: skip
    with TemporaryDirectory() as folder:
        for name, write in WRITERS.items():
            path = Path(folder) / name
            write(frame, path)
            assert not is_refused(path), name  # a column of dates that nobody uses harms nothing
            if name in TYPED or column in {"energy", "f_a"}:
                write(frame.assign(**{column: days}), path)
                assert is_refused(path), name
