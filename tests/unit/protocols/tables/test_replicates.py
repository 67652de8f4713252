"""Several rows of one candidate are refused, or become their mean with how well it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.account import Handling
from protocols.tables.table import CandidateTable, TableColumns, read_table, read_values

COLUMNS = TableColumns(
    id="name", family="system", property="energy", unit="eV", features=("f_*",), on_no_entropy="warn",
    on_replicates="mean", additional_properties={"gap": "eV"},
)  # fmt: skip
TABLE = """name,system,energy,f_a,gap
Cu 1,cubic,1.0,1,0.5
Fe-2,cubic,2.0,2,
Cu 1,cubic,2.0,1,
Zn-3,cubic,5.0,3,1.5
Cu 1,cubic,6.0,1,0.7
Zn-3,cubic,5.0,3,1.5
"""


VALUES = np.random.default_rng(3).normal(size=40).round(4).tolist()


def read(folder: Path, text: str = TABLE, **changes: object) -> CandidateTable:
    (folder / "t.csv").write_text(text)
    return read_table(folder / "t.csv", TableColumns.model_validate(COLUMNS.model_dump() | changes))


def refused(folder: Path, text: str = TABLE, **changes: object) -> str:
    with pytest.raises(TableError) as told:
        read(folder, text, **changes)
    return str(told.value)


def test_rows_of_one_candidate_become_their_mean_and_the_error_of_it(tmp_path: Path) -> None:
    table = read(tmp_path)
    assert table.source_ids == ("Cu 1", "Fe-2", "Zn-3")
    assert table.values.tolist() == [3.0, 2.0, 5.0]
    # s² of 1, 2 and 6 about 3 is (4 + 1 + 9) / 2
    assert table.uncertainties["energy"] == pytest.approx([np.sqrt(7.0 / 3.0), np.nan, 0.0], nan_ok=True)
    assert table.additional["gap"] == pytest.approx([0.6, np.nan, 1.5], nan_ok=True)
    assert table.uncertainties["gap"] == pytest.approx([0.1, np.nan, 0.0], nan_ok=True)
    assert table.features.tolist() == [[1.0], [2.0], [3.0]]


def test_what_was_merged_is_counted_with_its_lines(tmp_path: Path) -> None:
    (entry,) = (each for each in read(tmp_path).account if each.handling is Handling.MERGED)
    assert entry.count == 3
    assert entry.places == ("line 4 of t.csv", "line 6 of t.csv", "line 7 of t.csv")
    assert "2 candidates" in entry.reason


def test_the_lab_that_plays_the_table_knows_the_same(tmp_path: Path) -> None:
    table = read(tmp_path)
    known = read_values(tmp_path / "t.csv", COLUMNS)
    assert known.candidate_ids == table.candidate_ids
    for name in ("energy", "gap"):
        assert np.array_equal(known.uncertainties[name], table.uncertainties[name], equal_nan=True)


def test_without_the_setting_they_are_refused_and_it_is_named(tmp_path: Path) -> None:
    message = refused(tmp_path, on_replicates="error")
    assert "line 2 of t.csv and line 4 of t.csv" in message
    assert 'on_replicates = "mean"' in message


def test_without_a_column_of_ids_rows_of_one_content_are_replicates(tmp_path: Path) -> None:
    table = read(tmp_path, id=None)
    assert table.values.tolist() == [3.0, 2.0, 5.0]
    assert 'on_replicates = "mean"' in refused(tmp_path, id=None, on_replicates="error")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (("Cu 1,cubic,6.0,1", "Cu 1,hexagonal,6.0,1"), ["'system'", "'cubic' in line 2", "'hexagonal' in line 6"]),
        (("Cu 1,cubic,6.0,1", "Cu 1,cubic,6.0,1.5"), ["'f_a'", "1 in line 2", "1.5 in line 6"]),
    ],
)
def test_rows_of_one_candidate_that_describe_two_are_refused(
    tmp_path: Path, change: tuple[str, str], parts: list[str]
) -> None:
    message = refused(tmp_path, TABLE.replace(*change))
    assert [part for part in parts if part not in message] == []


def test_what_tells_the_property_may_differ_as_it_does_where_a_pattern_takes_it(tmp_path: Path) -> None:
    """It is no feature, so that it describes nothing."""
    lines = [f"c{row // 2},a,{value},{row // 2 * 7 % 5},{96.485 * value}" for row, value in enumerate(VALUES)]
    table = read(tmp_path, "name,system,energy,f_a,f_kj\n" + "\n".join(lines), additional_properties={})
    assert table.feature_names == ("f_a",)
    assert len(table.values) == len(VALUES) // 2


def test_ids_that_differ_as_written_are_no_replicates(tmp_path: Path) -> None:
    """`Cu 1` and `cu-1` may be two materials."""
    table = read(tmp_path, TABLE.replace("Cu 1,cubic,6.0,1", "cu-1,cubic,6.0,4"))
    assert table.source_ids == ("Cu 1", "Fe-2", "Zn-3", "cu-1")
    assert table.values.tolist() == [1.5, 2.0, 5.0, 6.0]


def test_a_table_of_designs_is_not_averaged() -> None:
    with pytest.raises(ValidationError, match="designs"):
        TableColumns.model_validate(COLUMNS.model_dump() | {"factors": ("f_a",)})


def test_values_that_are_not_known_yet_are_no_measurements(tmp_path: Path) -> None:
    text = TABLE.replace("cubic,6.0", "cubic,").replace("cubic,5.0", "cubic,")
    table = read(tmp_path, text, on_missing="unknown")
    assert table.values == pytest.approx([1.5, 2.0, np.nan], nan_ok=True)
    assert table.uncertainties["energy"] == pytest.approx([0.5, np.nan, np.nan], nan_ok=True)


@given(
    groups=st.lists(
        st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=5), min_size=2, max_size=6
    ),
    scale=st.sampled_from([1.0, 1e100, 1e-100]),
)
def test_the_mean_and_its_error_are_those_of_each_candidate(
    groups: list[list[float]], scale: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [(f"c{place}", place, value * scale) for place, values in enumerate(groups) for value in values]
    text = "name,system,energy,f_a,gap\n" + "".join(f"{name},a,{value!r},{place},\n" for name, place, value in rows)
    table = read(tmp_path_factory.mktemp("t"), text, valid_range=(-1e150, 1e150))
    for place, values in enumerate(groups):
        measured = np.array(values) * scale
        assert table.values[place] == pytest.approx(measured.mean(), rel=1e-9, abs=1e-9 * scale)
        error = measured.std(ddof=1) / np.sqrt(len(measured)) if len(measured) > 1 else np.nan
        assert table.uncertainties["energy"][place] == pytest.approx(error, rel=1e-6, abs=1e-9 * scale, nan_ok=True)
        if len(set(values)) == 1:
            assert table.values[place] == measured[0]
