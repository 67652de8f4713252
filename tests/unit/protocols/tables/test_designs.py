"""Tables of designs: every candidate once, the designs that make it, and what may stand beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from protocols.errors import TableError
from protocols.tables.designs import read_features, read_log
from protocols.tables.format import TableFormat
from protocols.tables.table import TableColumns, read_table, read_values
from tests.support.samples.table_files import written

COLUMNS = TableColumns(
    smiles="smiles", family=(), factors=("x", "y"), property="dipole", unit="D", additional_properties={"gap": "eV"}
)
ROWS = """smiles,x,y,dipole,gap
c1ccccc1,H,H,0.0,4.9
Fc1ccccc1,F,H,1.5,
Fc1ccccc1,H,F,1.5,
Fc1ccccc1F,F,F,2.5,4.5
"""


def test_every_candidate_is_there_once_with_the_designs_that_make_it(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, ROWS), COLUMNS)
    assert table.smiles == ("c1ccccc1", "Fc1ccccc1", "Fc1ccccc1F")
    assert table.families == ("all",) * 3
    np.testing.assert_array_equal(table.values, [0.0, 1.5, 2.5])
    assert table.designs is not None
    assert table.designs.factors == {"x": ("H", "F", "H", "F"), "y": ("H", "H", "F", "F")}
    assert table.designs.made.tolist() == [0, 1, 1, 2]


def test_the_oracle_reads_the_same_candidates_and_values(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)
    known, table = read_values(path, COLUMNS), read_table(path, COLUMNS)
    assert known.candidate_ids == table.candidate_ids
    np.testing.assert_array_equal(known.values["dipole"], table.values)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("Fc1ccccc1,H,F,1.5,", "Fc1ccccc1,H,F,1.6,", r"'Fc1ccccc1' has 'dipole' = 1.5 in line 3 .* and 1.6 in line 4"),
        ("Fc1ccccc1,H,F,1.5,", "Fc1ccccc1,H,F,1.5,3", r"'gap' = nan in line 3 .* and 3 in line 4"),
        ("Fc1ccccc1,H,F,1.5,", "Fc1ccccc1,,F,1.5,", r"'x'.*line 4"),
    ],
)
def test_rows_of_one_candidate_say_the_same_of_it(tmp_path: Path, before: str, after: str, found: str) -> None:
    with pytest.raises(TableError, match=found):
        read_table(written(tmp_path, ROWS.replace(before, after)), COLUMNS)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"smiles": None}, "says by a smiles or an id column"),
        ({"factors": ("x", "x")}, "names one twice"),
        ({"queried": "z"}, "none of the factors"),
        ({"factors": (), "features": ("gap2",), "reference": "H"}, "name the factors"),
        ({"factors": ("x", "dipole")}, "cannot describe a candidate as well"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(columns: dict[str, object], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        TableColumns(**(COLUMNS.model_dump() | columns))


def test_features_are_read_by_candidate_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "smiles,mass,charge\nFc1ccccc1,96.1,0.2\nc1ccccc1,78.1,0.0\n", "features.csv")
    features = read_features(path, "smiles", ("*",))
    assert features.names == ("mass", "charge")
    np.testing.assert_array_equal(features.of(["c1ccccc1", "Fc1ccccc1"]), [[78.1, 0.0], [96.1, 0.2]])
    with pytest.raises(TableError, match=r"no row for 'CC' \(1 such"):
        features.of(["CC", "c1ccccc1"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("smiles,mass\nCC,30\nCC,30\n", "stands twice.*line 3"),
        ("smiles,mass\nCC,\n", "'mass'.*line 2"),
        ("name,mass\nCC,30\n", "no column 'smiles'"),
    ],
)
def test_a_table_of_features_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(TableError, match=found):
        read_features(written(tmp_path, text), "smiles", ("*",))


def test_what_is_measured_is_no_feature_whether_a_glob_would_take_it_or_it_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "smiles,mass,dipole\nCC,30.1,0.1\n", "features.csv")
    assert read_features(path, "smiles", ("*",), ("dipole",)).names == ("mass",)
    with pytest.raises(TableError, match=r"'dipole' is a measured property.*leave it out of pool\.features\.columns"):
        read_features(path, "smiles", ("mass", "dipole"), ("dipole",))
    with pytest.raises(TableError, match=r"No column .*features\.csv matches 'd\*'"):
        read_features(path, "smiles", ("d*",), ("dipole",))


def test_a_log_tells_some_factors_and_withholds_others(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "x,dipole\nF,1.5\n,0.3\n"), COLUMNS)
    assert log.factors == {"x": ("F", None)}
    assert log.values.tolist() == [1.5, 0.3]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dipole\n1.0\n", "no column of a factor"),
        ("x\nF\n", "no column 'dipole'"),
        ("x,dipole\nF,\n", "'dipole'.*line 2"),
    ],
)
def test_a_log_that_cannot_be_used_is_told(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(TableError, match=found):
        read_log(written(tmp_path, text), COLUMNS)


def test_what_stands_beside_a_table_is_written_in_its_own_way(tmp_path: Path) -> None:
    how = TableFormat(delimiter=";", decimal=",", missing=("?",))
    features = written(tmp_path, "smiles;mass\nCC;30,1\n", "features.csv")
    assert read_features(features, "smiles", ("*",), (), how).of(["CC"]).tolist() == [[30.1]]
    log = read_log(written(tmp_path, "x;dipole\nF;1,5\n?;0,3\n"), COLUMNS, how)
    assert (log.factors, log.values.tolist()) == ({"x": ("F", None)}, [1.5, 0.3])
