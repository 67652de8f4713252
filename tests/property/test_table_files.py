"""A table says the same in every kind of file that pandas writes: ids, families, values, and the digest of its pool.

Excel is held to what it can hold: names that are whole numbers of more than 15 digits are written as text, and no text
begins with a sign of equality, which would be a formula.
"""

from __future__ import annotations

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
TYPED = ("t.parquet", "t.feather", "t.xlsx")
"""Files that say of a cell that it is a date; in the others a date is a text, or no number."""

text = st.text(st.sampled_from("aBäßψ日🜁 09-_.,;:|/()'\"\t"), min_size=1, max_size=8).map(lambda each: f"x{each}x")
missing = st.sampled_from([None, "", "None", "nan", "NaN", "n/a", "null", "-", " "])
whole = st.one_of(st.integers(-5, 300), st.integers(0, 9), st.integers(2**53 - 2, 2**63 - 1), st.none())
decimal = st.floats(-1e6, 1e6).map(lambda value: round(value, 6) + 0.0)  # JSON has no -0.0
number = st.one_of(decimal, decimal, decimal, st.none())


def names_of(rows: int) -> st.SearchStrategy[Any]:
    """Columns of names: texts, categories, nullable whole numbers and truth values."""
    texts = st.lists(st.one_of(text, text, text, missing), min_size=rows, max_size=rows)
    return st.one_of(
        texts.map(lambda cells: pd.Series(cells, dtype=object)),
        texts.map(lambda cells: pd.Series(pd.Categorical(cells))),
        st.lists(whole, min_size=rows, max_size=rows).map(lambda cells: pd.Series(cells, dtype="Int64")),
        st.lists(st.one_of(st.booleans(), st.booleans(), st.none()), min_size=rows, max_size=rows).map(
            lambda cells: pd.Series(cells, dtype="boolean")
        ),
    )


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Tables with nulls in every column."""
    rows = draw(st.integers(1, 9))
    ids = st.lists(
        st.one_of(text, text, text, missing), min_size=rows, max_size=rows, unique_by=lambda cell: cell or object()
    )
    whole_ids = st.lists(whole, min_size=rows, max_size=rows, unique_by=lambda cell: object() if cell is None else cell)
    numbers = st.lists(number, min_size=rows, max_size=rows).map(lambda cells: pd.Series(cells, dtype="float64"))
    counts = st.lists(
        st.one_of(st.integers(-9, 2**40), st.integers(0, 9), st.integers(0, 9), st.none()), min_size=rows, max_size=rows
    )
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


def outcome(path: Path) -> object:
    """What a file says: all that counts of it, with the digest of its pool, or that it is refused."""
    try:
        table = read_table(path, COLUMNS)
    except TableError:
        return "refused"
    said = (table.candidate_ids, table.source_ids, table.families, table.values.tolist(), table.features.tolist())
    reasons = tuple((entry.handling, entry.reason, entry.count) for entry in table.account)
    return said, reasons, pool_from_table(table).digest


@settings(max_examples=60, deadline=None)
@given(frame=frames())
def test_a_table_reads_the_same_from_every_kind_of_file(frame: pd.DataFrame) -> None:
    with TemporaryDirectory() as folder:
        found = {}
        for name, write in WRITERS.items():
            write(frame, Path(folder) / name)
            found[name] = outcome(Path(folder) / name)
    first = found["t.csv"]
    assert {name: each for name, each in found.items() if each != first} == {}, first


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
            assert outcome(path) != "refused", name  # a column of dates that nobody uses harms nothing
            if name in TYPED or column in {"energy", "f_a"}:
                write(frame.assign(**{column: days}), path)
                assert outcome(path) == "refused", name
