"""What a graph is found of: columns as they were named, and bad input told by the name of what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocols.errors import EntropilotError, SettingsError, TableError
from protocols.tables.format import TableFormat
from scenarios.graph.source import GraphSource, Question, read_source

ROWS = np.random.default_rng(0).normal(size=(30, 4))


def table(folder: Path, columns: dict[str, Any]) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def columns(**changed: Any) -> dict[str, Any]:
    return dict(zip(("f_a", "f_b", "c", "y"), ROWS.T.tolist(), strict=True)) | changed


def read(folder: Path, named: str = "f_a,f_b,c", target: str | None = "y", **changes: Any) -> GraphSource:
    given: dict[str, Any] = {"forbidden": (), "required": (), "most_vif": 10.0, "drop_missing": False} | changes
    made = given.pop("made", columns())
    question = Question(tuple(named.split(",")), target, **given)
    return read_source(table(folder, made), "table", question)


def test_columns_are_those_that_were_named_and_the_target_comes_last(tmp_path: Path) -> None:
    source = read(tmp_path, "c,f_*")
    assert source.variables.names == ("c", "f_a", "f_b", "y")
    assert source.variables.values[:, -1].tolist() == ROWS[:, 3].tolist()
    assert source.knowledge.allowed[:, 3].tolist() == [False] * 4, "the target causes nothing"
    assert (source.dropped, source.left_out, source.notes()) == ((), 0, [])


def test_a_glob_does_not_take_the_target_and_without_one_nothing_is_a_sink(tmp_path: Path) -> None:
    assert read(tmp_path, "*").variables.names == ("f_a", "f_b", "c", "y")
    free = read(tmp_path, "f_a,y", target=None)
    assert free.knowledge.allowed.sum() == 2


def test_edges_are_known_by_name_also_where_a_name_holds_the_sign(tmp_path: Path) -> None:
    made = columns(**{"f:1": ROWS[:, 0] + np.linspace(0, 3, 30) ** 2})
    source = read(tmp_path, "f:1,f_b,c", made=made, forbidden=("c:f:1",), required=("f:1:f_b",))
    names = source.variables.names
    assert not source.knowledge.allowed[names.index("f:1"), names.index("c")]
    assert source.knowledge.required[names.index("f_b"), names.index("f:1")]


def test_a_column_that_others_tell_nearly_is_left_out_and_told_unless_an_edge_needs_it(tmp_path: Path) -> None:
    made = columns(near=ROWS[:, 0] + 0.001 * np.sin(40 * ROWS[:, 2]))
    source = read(tmp_path, "f_a,f_b,near", made=made, forbidden=("near:f_a",))
    assert source.variables.names == ("f_a", "f_b", "y")
    assert source.notes()[0].startswith("near has the variance inflation factor")
    needed = read(tmp_path, "f_a,f_b,near", made=made, required=("near:f_b",))
    assert needed.variables.names == ("f_a", "f_b", "near", "y")


def test_rows_with_an_empty_cell_are_left_out_where_that_is_asked_and_counted(tmp_path: Path) -> None:
    cells: list[Any] = ROWS[:, 1].tolist()
    cells[4] = ""
    cells[9] = "nan"
    source = read(tmp_path, made=columns(f_b=cells), drop_missing=True)
    assert len(source.variables.values) == 28
    assert source.notes() == [
        "2 rows with an empty cell were left out",
        "2 dropped: column 'f_b': without a number (line 6 of table.csv, line 11 of table.csv).",
    ]


def test_how_the_table_is_written_is_taken_as_it_was_said(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    lines = [";".join(str(cell).replace(".", ",") for cell in row) for row in ROWS.tolist()]
    lines[4] = "1,5;none given;2,5;3"
    path.write_text("f_a;f_b;c;y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    written = TableFormat(delimiter=";", decimal=",", missing=("none given",))
    source = read_source(path, "table", Question(("f_*", "c"), "y", (), (), 10.0, drop_missing=True, format=written))
    assert source.left_out == 1
    assert source.variables.values.tolist() == np.delete(ROWS, 4, axis=0).tolist()
    with pytest.raises(TableError, match="'none given', which counts as missing, in line 6"):
        read_source(path, "table", Question(("f_*", "c"), "y", (), (), 10.0, drop_missing=False, format=written))


EMPTY: list[Any] = [*ROWS[:29, 1].tolist(), ""]


@pytest.mark.parametrize(
    ("named", "target", "changes", "error"),
    [
        ("f_a,b", "y", {}, (TableError, "no column 'b'")),
        ("f_a", "z", {}, (TableError, "no column 'z'")),
        ("f_a,y", "y", {}, (TableError, "The target 'y' is one of the features")),
        (
            "f_a,two",
            "y",
            {"made": columns(two=2 * ROWS[:, 3])},
            (TableError, "'two' is the target 'y' in another unit"),
        ),
        ("f_a,one", "y", {"made": columns(one=[1.5] * 30)}, (TableError, "'one' is constant: 1.5 in every row")),
        ("f_a,f_b", "one", {"made": columns(one=[1.5] * 30)}, (TableError, "'one' is constant")),
        (
            "f_a,f_b,sum",
            "y",
            {"made": columns(sum=ROWS[:, 0] + 2 * ROWS[:, 1])},
            (TableError, "sum = 2 f_b \\+ f_a \\+ a constant"),
        ),
        ("f_a,f_b", "y", {"made": columns(f_b=EMPTY)}, (TableError, "an empty cell in line 31")),
        ("f_a,f_b", "y", {"made": columns(f_b=["x"] * 30)}, (TableError, "'f_b' has 'x' in line 2")),
        (
            "f_a,f_b",
            "y",
            {"made": {name: cells[:3] for name, cells in columns().items()}},
            (TableError, "3 rows for 3 columns"),
        ),
        ("f_a", None, {}, (TableError, "There is 1 column")),
        ("f_a,f_b", "y", {"required": ("f_a",)}, (SettingsError, "'f_a' is no edge")),
        ("f_a,f_b", "y", {"required": ("f_a:z",)}, (SettingsError, "'z' is not among the columns")),
        ("f_a,f_b", "y", {"required": ("y:f_a",)}, (SettingsError, "y → f_a is forbidden as well")),
        ("f_a,f_b", "y", {"required": ("f_a:f_b", "f_b:f_a")}, (SettingsError, "make the cycle")),
        ("f_a,f_b", "y", {"forbidden": ("f_a:f_b",), "required": ("f_a:f_b",)}, (SettingsError, "forbidden as well")),
        ("f_a,f_b", "y", {"most_vif": 1.0}, (SettingsError, "variance inflation factor is 1.0")),
        ("f_a,f_b", "y", {"made": columns(f_b=[""] * 30), "drop_missing": True}, (TableError, "No row of")),
    ],
)
def test_bad_input_is_told_by_name(
    tmp_path: Path, named: str, target: str | None, changes: dict[str, Any], error: tuple[type[EntropilotError], str]
) -> None:
    kind, words = error
    with pytest.raises(kind, match=words):
        read(tmp_path, named, target, **changes)
