"""A data frame becomes a table, or an error that says what to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from protocols.errors import TableError
from protocols.tables.table import TableColumns, read_table
from scenarios.python.frames import FrameColumns, id_column_of, labels_of, write_frame

COLUMNS = FrameColumns("hardness", "system", unit="GPa")


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": [0.1, 0.2, 1 / 3, 4e-17],
            "system": ["cubic", "cubic", "hexagonal", "hexagonal"],
            "note": ["a", "b", "c", "d"],
            "hardness": [1.0, 2.0, np.nan, 1 / 3],
        },
        index=["A1", "A2", "B 1", "B,2"],
    )


def test_a_frame_is_read_again_with_every_digit_and_id(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    write_frame(frame(), path, COLUMNS)
    read = read_table(path, TableColumns.model_validate(COLUMNS.of(frame())))
    assert sorted(read.source_ids) == sorted(frame().index)
    order = [read.source_ids.index(label) for label in frame().index]
    assert read.values[order].tolist()[:2] == [1.0, 2.0]
    assert read.values[order][3] == 1 / 3
    assert read.features[order][:, 0].tolist() == [0.1, 0.2, 1 / 3, 4e-17]


@pytest.mark.parametrize(
    ("made", "said", "column"),
    [
        (frame().reset_index(names="id"), None, "id"),
        (frame().reset_index(names="id").iloc[:2], None, "id"),
        (frame().reset_index(names="id"), "note", "note"),
        (frame().reset_index(names="name"), None, None),
        (frame().assign(id=range(4)), None, None),
        (frame(), None, None),
    ],
)
def test_ids_are_a_column_of_that_name_where_rows_are_only_counted(
    made: pd.DataFrame, said: str | None, column: str | None
) -> None:
    assert id_column_of(made, said) == column


def test_features_are_all_other_columns_of_numbers_unless_somebody_names_them() -> None:
    assert COLUMNS.of(frame())["features"] == ["x"]
    assert FrameColumns("hardness", "system", features=["x"]).of(frame())["features"] == ["x"]


def test_values_that_are_missing_are_to_be_asked_for() -> None:
    assert COLUMNS.of(frame())["on_missing"] == "unknown"
    assert COLUMNS.of(frame().dropna())["on_missing"] == "error"


@pytest.mark.parametrize(
    ("columns", "changed", "told"),
    [
        (FrameColumns("hardnes", "system"), frame(), "no column 'hardnes'"),
        (FrameColumns("hardness", "sytem"), frame(), "did you mean 'system'"),
        (COLUMNS, frame().assign(hardness=["1", "2", "3", "x"]), "not numbers"),
        (COLUMNS, frame().assign(id=range(4)), "its index is taken for the ids"),
        (COLUMNS, pd.concat([frame(), frame()[["x"]]], axis=1), "two columns 'x'"),
        (COLUMNS, [1, 2, 3], "a list"),
        (COLUMNS, frame().iloc[:0], "has no rows"),
        (COLUMNS, frame().assign(hardness=[True, False, True, False]), "holds bool"),
        (COLUMNS, frame().assign(hardness=[1j, 2, 3, 4]), "holds complex128"),
        (COLUMNS, frame().assign(hardness=pd.Categorical([1.0, 2.0, 1.0, 2.0])), "holds category"),
        (COLUMNS, frame().assign(hardness=[1.0, "2", None, 3]), "words and numbers mixed"),
        (COLUMNS, frame().assign(hardness=pd.to_datetime("2026-01-01")), "total_seconds"),
        (FrameColumns("hardness", "system", features=["note"]), frame(), "Column 'note'"),
        (COLUMNS, frame().assign(x=1j), "nothing that a policy could know candidates by"),
        (COLUMNS, frame().set_index(["note", "x"]), "2 levels"),
        (COLUMNS, frame().set_axis([1, 1, 2, 3], axis=0), "the id 1"),
        (COLUMNS, frame().set_axis([1.0, np.nan, 2.0, 3.0], axis=0), "is missing"),
        (COLUMNS, frame().rename(columns={"note": 7}), "named 7"),
        (COLUMNS, pd.concat({"a": frame(), "b": frame()}, axis=1), "columns of the data frame have 2 levels"),
    ],
)
def test_what_cannot_be_used_is_told(columns: FrameColumns, changed: Any, told: str) -> None:
    with pytest.raises(TableError) as caught:
        columns.of(changed)
    assert told.casefold() in str(caught.value).casefold()


def test_two_rows_of_one_label_are_told() -> None:
    with pytest.raises(TableError, match="'A1'"):
        labels_of(pd.concat([frame(), frame()]), None)


def test_labels_are_those_of_the_frame_and_not_their_text() -> None:
    assert labels_of(pd.DataFrame({"x": [1.0, 2.0]}, index=[7, 8]), None) == {"7": 7, "8": 8}


def test_durations_and_truth_values_are_no_features() -> None:
    more = frame().assign(long=pd.to_timedelta([1, 2, 3, 4], unit="h"), wet=[True, False, True, True])
    assert COLUMNS.of(more)["features"] == ["x"]


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "float32", "Float32"])
def test_nullable_and_short_numbers_are_numbers(dtype: str, tmp_path: Path) -> None:
    whole = frame().assign(hardness=[1, 2, None, 4]).astype({"hardness": "Float64"})
    nullable = whole.astype({"hardness": dtype})
    write_frame(nullable, tmp_path / "table.csv", COLUMNS)
    read = read_table(tmp_path / "table.csv", TableColumns.model_validate(COLUMNS.of(nullable)))
    assert sorted(read.values[np.isfinite(read.values)].tolist()) == [1.0, 2.0, 4.0]


def test_categories_are_families(tmp_path: Path) -> None:
    categories = frame().astype({"system": "category"})
    write_frame(categories, tmp_path / "table.csv", COLUMNS)
    read = read_table(tmp_path / "table.csv", TableColumns.model_validate(COLUMNS.of(categories)))
    assert sorted(set(read.families)) == ["cubic", "hexagonal"]
