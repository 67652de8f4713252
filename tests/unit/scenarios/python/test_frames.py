"""A data frame becomes a table, or an error that says what to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from protocols.errors import TableError
from protocols.tables.table import TableColumns, read_table
from scenarios.python.frames import FrameColumns, labels_of, write_frame

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
