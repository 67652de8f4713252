"""Tables of candidates: what is read, and what every bad file is told."""

from __future__ import annotations

import gzip
import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables import files as table_files
from protocols.tables import table as tables
from protocols.tables.table import TableColumns, read_table, read_values
from protocols.wire.messages import ID_PATTERN
from protocols.wire.structure import CrystalStructure
from tests.support.samples.table_files import written

OQMD = Path(__file__).parents[4] / "../shared/data/oqmd8/oqmd8.csv"

COLUMNS = TableColumns(
    id="jid", family="system", property="energy", unit="eV/atom", features=("f_*",), on_no_entropy="warn"
)
GOOD = """jid,system,energy,f_a,f_b,note
JVASP-1,cubic,-0.5,1,0.25,x
JVASP-2,cubic,0.1,2,0.5,
JVASP-3,hexagonal,1e-3,3,0.75,NA
JVASP-4,hexagonal,0.30000000000000004,4,1,z
"""
CIF = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Cs1 Cs 0 0 0 {occupancy}
Cl1 Cl 0.5 0.5 0.5 1
"""


def refused(folder: Path, content: str | bytes, columns: TableColumns = COLUMNS, name: str = "t.csv") -> str:
    with pytest.raises(TableError) as caught:
        read_table(written(folder, content, name), columns)
    return str(caught.value)


def changed(**fields: object) -> TableColumns:
    return TableColumns.model_validate(COLUMNS.model_dump() | fields)


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_good_table_gives_ids_families_values_and_features_in_file_order(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, GOOD), COLUMNS)
    assert table.candidate_ids == ("jvasp-1", "jvasp-2", "jvasp-3", "jvasp-4")
    assert table.families == ("cubic", "cubic", "hexagonal", "hexagonal")
    assert table.feature_names == ("f_a", "f_b")
    np.testing.assert_array_equal(table.features, [[1, 0.25], [2, 0.5], [3, 0.75], [4, 1]])
    assert table.values.tolist() == [-0.5, 0.1, 1e-3, 0.30000000000000004]
    assert (table.structures, table.dropped, table.warnings, table.formulas) == (None, 0, (), ("",) * 4)


def test_values_are_the_floats_nearest_to_the_decimals_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    texts = [f"{x:.17g}" for x in rng.normal(size=2000) * 10.0 ** rng.integers(-30, 9, size=2000)]
    path = written(tmp_path, "s,e,f\n" + "".join(f"a,{text},{i}\n" for i, text in enumerate(texts)))
    table = read_table(path, TableColumns(family="s", property="e", unit="", features=("f",)))
    assert table.values.tolist() == [float(text) for text in texts]


def test_gzip_byte_order_mark_windows_line_ends_and_spaces_after_commas_change_nothing(tmp_path: Path) -> None:
    plain = read_table(written(tmp_path, GOOD), COLUMNS)
    odd = b"\xef\xbb\xbf" + GOOD.replace(",", ", ").replace("\n", "\r\n\r\n").encode()
    other = read_table(written(tmp_path, gzip.compress(odd), "t.csv.gz"), COLUMNS)
    assert other.candidate_ids == plain.candidate_ids
    assert other.families == plain.families
    np.testing.assert_array_equal(other.features, plain.features)


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    csv = read_table(written(tmp_path, GOOD), COLUMNS)
    frame = pd.read_csv(tmp_path / "t.csv").astype({"system": "category", "f_a": "Int64"})
    frame.to_parquet(tmp_path / "t.parquet")
    parquet = read_table(tmp_path / "t.parquet", COLUMNS)
    assert parquet.candidate_ids == csv.candidate_ids
    assert parquet.families == csv.families
    np.testing.assert_array_equal(parquet.features, csv.features)
    np.testing.assert_array_equal(parquet.values, csv.values)


def test_truth_values_are_features_of_one_and_zero(tmp_path: Path) -> None:
    content = "jid,system,energy,f_a\na,x,1,True\nb,x,2,False\n"
    assert read_table(written(tmp_path, content), COLUMNS).features.tolist() == [[1.0], [0.0]]


def test_a_formula_that_looks_like_not_a_number_is_sodium_nitride(tmp_path: Path) -> None:
    content = "jid,system,energy,formula\na,x,1,NaN\nb,x,2,Na\nc,x,2,nan\n"
    table = read_table(written(tmp_path, content), changed(features=(), composition="formula", on_missing="drop"))
    assert table.formulas == ("NaN", "Na")


def test_a_glob_never_takes_a_column_with_another_meaning(tmp_path: Path) -> None:
    content = "f_energy,f_a,f_gap,f_b,f_sys,f_id\n1,2,3,4,x,a\n2,3,4,5,x,b\n"
    columns = TableColumns(
        id="f_id",
        family="f_sys",
        property="f_energy",
        unit="",
        features=("f_*",),
        additional_properties={"f_gap": "eV"},
    )
    assert read_table(written(tmp_path, content), columns).feature_names == ("f_a", "f_b")


def test_a_column_whose_name_has_glob_signs_is_taken_by_its_name(tmp_path: Path) -> None:
    content = "jid,system,energy,d[A],dA\na,x,1,2,9\nb,x,2,3,9\n"
    assert read_table(written(tmp_path, content), changed(features=("d[A]",))).feature_names == ("d[A]",)


def test_a_further_property_may_be_unknown_for_some(tmp_path: Path) -> None:
    content = GOOD.replace("note", "gap").replace(",x\n", ",1.5\n").replace(",z\n", ",2.5\n")
    table = read_table(written(tmp_path, content), changed(additional_properties={"gap": "eV"}))
    np.testing.assert_array_equal(table.additional["gap"], [1.5, np.nan, np.nan, 2.5])


def test_values_are_found_by_id_in_any_order(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, GOOD), COLUMNS)
    assert table.values_of(["jvasp-3", "jvasp-1"]).tolist() == [1e-3, -0.5]
    with pytest.raises(TableError, match="no candidate 'jvasp-9'"):
        table.values_of(["jvasp-1", "jvasp-9"])


# --- ids ------------------------------------------------------------------------------------------------------------


def test_an_id_made_of_content_does_not_depend_on_row_order_other_columns_or_the_property(tmp_path: Path) -> None:
    columns = changed(id=None)
    lines = GOOD.splitlines()
    moved = "\n".join([lines[0], *reversed(lines[1:])]).replace("-0.5", "7.5").replace("JVASP", "other")
    first = read_table(written(tmp_path, GOOD), columns).candidate_ids
    second = read_table(written(tmp_path, moved), columns).candidate_ids
    assert first == tuple(reversed(second))
    assert len(set(first)) == 4
    assert all(re.fullmatch(ID_PATTERN, each) for each in first)


@pytest.mark.parametrize(("old", "new"), [("1,0.25", "1,0.26"), ("JVASP-1,cubic", "JVASP-1,other")])
def test_an_id_made_of_content_changes_with_feature_and_family(tmp_path: Path, old: str, new: str) -> None:
    columns = changed(id=None)
    first = read_table(written(tmp_path, GOOD), columns).candidate_ids
    second = read_table(written(tmp_path, GOOD.replace(old, new)), columns).candidate_ids
    assert first[0] != second[0]
    assert first[1:] == second[1:]


def test_formula_and_family_both_tell_materials_apart(tmp_path: Path) -> None:
    content = "system,energy,formula\ncubic,1,NaCl\nhexagonal,2,NaCl\ncubic,3,KCl\n"
    columns = changed(id=None, features=(), composition="formula")
    ids = read_table(written(tmp_path, content), columns).candidate_ids
    assert len(set(ids)) == 3
    assert [each.rpartition("-")[0] for each in ids] == ["nacl", "nacl", "kcl"]


def test_a_material_that_stands_twice_is_an_error_when_ids_are_made_of_content(tmp_path: Path) -> None:
    content = GOOD + "JVASP-5,cubic,9.9,1,0.25,\n"
    message = refused(tmp_path, content, changed(id=None))
    assert all(part in message for part in ("line 2", "line 6", "name an id column"))


def test_minus_zero_is_the_same_content_as_zero(tmp_path: Path) -> None:
    ids = [
        read_table(written(tmp_path, f"system,energy,f_a\nx,1,{zero}\nx,2,5\n"), changed(id=None)).candidate_ids
        for zero in ("0", "-0.0")
    ]
    assert ids[0] == ids[1]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["is empty"]),
        (b"\n \n", ["is empty"]),
        (b"jid,system,energy,f_a\n", ["no rows"]),
        (GOOD.replace("energy", "Energie").encode(), ["no column 'energy'", "jid, system, Energie", "'Energie'"]),
        (GOOD.replace("energy", "y").encode(), ["no column 'energy'", "name a column that exists"]),
        (GOOD.replace("f_", "g_").encode(), ["no column 'f_*'"]),
        (GOOD.replace("note", "f_a").encode(), ["several columns 'f_a'"]),
        (GOOD.replace(",", ";").encode(), ["separated by ';'", "commas"]),
        (GOOD.replace("cubic", "k\xfcbisch").encode("latin-1"), ["not UTF-8"]),
        (GOOD.encode("utf-16"), ["not UTF-8"]),
        (GOOD.replace("0.25,x", "0.25,x,y").encode(), ["Line 2 of", "has 7 cells, and the header 6"]),
        (GOOD.replace("0.5,\n", "0.5,,y\n").encode(), ["Line 3 of", "has 7 cells"]),
        (GOOD.replace("0.1", '"0.1').encode(), ["cannot be read"]),
        (b"\x00\x01\x02\x03" * 100, ["t.csv"]),
        (GOOD.replace("0.1", "1,5").encode(), ["Line 3 of", "decimals with a point"]),
        (GOOD.replace("0.1", "about 1").encode(), ["'energy' has 'about 1' in line 3"]),
        (GOOD.replace("0.1", "1_000").encode(), ["'energy' has '1_000' in line 3"]),
        (GOOD.replace("0.75", "0.75 eV").encode(), ["'f_b' has '0.75 eV' in line 4"]),
        (GOOD.replace("0.1", "").encode(), ["'energy' has an empty cell in line 3 of t.csv. "]),
        (GOOD.replace("0.1", "N/A").encode(), ["'energy' has 'N/A', which counts as missing, in line 3"]),
        (GOOD.replace("0.1", "inf").encode(), ["'energy' has 'inf' in line 3"]),
        (
            GOOD.replace("3,0.75", "-" + "9" * 400 + ",0.75").encode(),
            ["'f_a' has a number beyond all bounds in line 4"],
        ),
        (GOOD.replace("0.1", "9" * 5000).encode(), ["'energy' has"]),
        (GOOD.replace("3,0.75", "-inf,0.75").encode(), ["'f_a' has '-inf' in line 4"]),
        (
            GOOD.replace("cubic", " ").encode(),
            ["'system' has an empty cell in line 2 of t.csv (2 such", 'on_missing = "drop"'],
        ),
        (GOOD.replace("JVASP-3", "").encode(), ["'jid' has an empty cell in line 4"]),
        (GOOD.replace("JVASP-4,hexagonal,0.30000000000000004,4,1,z", "JVASP-4,hexagonal").encode(), ["line 5"]),
        (GOOD.replace("0.1", "1e13").encode(), ["1e+13 in line 3", "between -1e+12 and 1e+12"]),
        (GOOD.replace("cubic", "c" * 65).encode(), ["'system'", "65 characters", "at most 64"]),
    ],
)
def test_a_table_that_cannot_be_used_says_where_and_why(tmp_path: Path, content: bytes, parts: list[str]) -> None:
    message = refused(tmp_path, content)
    missing = [part for part in parts if part not in message]
    assert not missing, message


def test_a_range_that_says_so_lets_values_of_any_size_in(tmp_path: Path) -> None:
    content = GOOD.replace("-0.5,", "8.1e+18,").replace("0.1,", "1e21,")
    assert "set valid_range to what can be true" in refused(tmp_path, content.encode())
    table = read_table(written(tmp_path, content), changed(valid_range=(-1e10, 1e22)))
    assert table.values[:2].tolist() == [8.1e18, 1e21]
    assert "between -1e+150 and 1e+150" in refused(
        tmp_path, GOOD.replace("0.1", "1e151").encode(), changed(valid_range=(-1e200, 1e200))
    )


def test_an_additional_property_may_have_any_size_that_a_message_carries(tmp_path: Path) -> None:
    """What a campaign believes of it is for the campaign to say; many tables hold some that none balances."""
    columns = changed(additional_properties={"f_b": "cm^-3"}, features=("f_a",))
    table = read_table(written(tmp_path, GOOD.replace("0.75", "4e18")), columns)
    assert table.additional["f_b"][2] == 4e18
    message = refused(tmp_path, GOOD.replace("0.75", "4e180").encode(), columns)
    assert "'f_b' has 4e+180 in line 4" in message
    assert "valid_range" not in message


def test_a_feature_whose_square_is_no_number_is_refused(tmp_path: Path) -> None:
    assert "'f_b' has 4e+180 in line 4" in refused(tmp_path, GOOD.replace("0.75", "4e180").encode())


def test_a_value_outside_of_its_range_is_an_error(tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD, changed(valid_range=(-0.4, 5.0)))
    assert "-0.5 in line 2" in message
    assert "between -0.4 and 5" in message
    assert len(read_table(tmp_path / "t.csv", changed(valid_range=(-0.5, 0.31))).values) == 4


def test_an_infinite_further_property_is_an_error(tmp_path: Path) -> None:
    content = GOOD.replace("note", "gap").replace(",x\n", ",inf\n").replace(",z\n", ",2.5\n")
    assert "'gap' has inf in line 2" in refused(tmp_path, content, changed(additional_properties={"gap": "eV"}))


def test_lines_are_counted_as_an_editor_counts_them_past_blank_lines_and_long_cells(tmp_path: Path) -> None:
    content = 'jid,system,energy,f_a,note\n\na,x,1,2,"three\nlines\nhere"\n\nb,x,oops,2,\n'
    assert "'oops' in line 7" in refused(tmp_path, content)


@pytest.mark.parametrize("name", ["table.xls", "table.gz", "table"])
def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, GOOD, name=name)
    assert [ending for ending in (".csv", ".gz", ".parquet", ".xlsx", ".jsonl") if ending not in said] == []


def test_a_missing_file_and_a_folder_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("nowhere.csv", "folder.csv", "nowhere.parquet"):
        with pytest.raises(TableError, match="There is no table"):
            read_table(tmp_path / name, COLUMNS)


@pytest.mark.parametrize("content", [GOOD.encode(), gzip.compress(GOOD.encode())[:-12]])
def test_a_gzip_file_that_is_none_or_is_cut_short_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "cannot be read" in refused(tmp_path, content, name="t.csv.gz")


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    assert "cannot be read" in refused(tmp_path, b"PAR1 not", name="t.parquet")


def test_a_parquet_row_is_named_by_its_number(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    frame = pd.DataFrame({"jid": ["a", "b"], "system": ["x", "x"], "energy": [1.0, None], "f_a": [1, 2]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"'energy' has an empty cell in row 2 of t\.parquet"):
        read_table(tmp_path / "t.parquet", COLUMNS)


def test_a_date_is_no_number(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    dates = pd.to_datetime(["2020-01-01", "2020-01-02"])
    frame = pd.DataFrame({"jid": ["a", "b"], "system": ["x", "x"], "energy": dates, "f_a": [1, 2]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"'energy' of .*t.parquet holds dates or times"):
        read_table(tmp_path / "t.parquet", COLUMNS)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*filter(lambda each: each.startswith("pyarrow"), sys.modules), "pyarrow", "pyarrow.parquet"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert "pip install 'entropilot[parquet]'" in refused(tmp_path, b"PAR1", name="t.parquet")


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, GOOD)
    monkeypatch.setattr(table_files, "MAX_TABLE_ROWS", 4)
    assert len(read_table(path, COLUMNS).values) == 4
    monkeypatch.setattr(table_files, "MAX_TABLE_ROWS", 3)
    with pytest.raises(TableError, match="too many rows"):
        read_table(path, COLUMNS)


def test_too_large_a_file_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    os.truncate(path, tables.MAX_TABLE_BYTES + 1)  # sparse: takes no space
    with pytest.raises(TableError, match=r"4\.0 GiB"):
        read_table(path, COLUMNS)


# --- gaps and warnings ----------------------------------------------------------------------------------------------


def test_rows_with_gaps_are_dropped_and_counted_when_asked(tmp_path: Path) -> None:
    content = GOOD.replace("0.1", "").replace("3,0.75", "inf,0.75") + "JVASP-5,,1,1,1,\nJVASP-6,cubic,2,2,2,\n"
    table = read_table(written(tmp_path, content), changed(on_missing="drop"))
    assert table.candidate_ids == ("jvasp-1", "jvasp-4", "jvasp-6")
    assert table.features[:, 0].tolist() == [1, 4, 2]
    assert table.dropped == 3
    assert not [each for each in table.warnings if "left out" in each]
    assert [str(each) for each in table.account] == [
        "1 dropped: column 'system': an empty cell (line 6 of t.csv).",
        "1 dropped: column 'energy': an empty cell (line 3 of t.csv).",
        "1 dropped: column 'f_a': a number beyond all bounds (line 4 of t.csv).",
    ]


def test_a_row_after_dropped_ones_keeps_its_line(tmp_path: Path) -> None:
    content = GOOD.replace("0.1", "").replace("JVASP-4", "JVASP-3")
    assert "line 4 of t.csv and line 5 of t.csv" in refused(tmp_path, content, changed(on_missing="drop"))


def test_text_in_a_numeric_column_is_dropped_and_counted_like_a_gap(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, GOOD.replace("0.1", "oops")), changed(on_missing="drop"))
    assert table.candidate_ids == ("jvasp-1", "jvasp-3", "jvasp-4")
    assert [str(each) for each in table.account] == ["1 dropped: column 'energy': no number (line 3 of t.csv)."]


def test_a_table_without_a_complete_row_names_the_columns_at_fault(tmp_path: Path) -> None:
    content = "jid,system,energy,f_a\na,x,,1\nb,x,,2\n"
    said = refused(tmp_path, content, changed(on_missing="drop"))
    assert "column 'energy': an empty cell in 2 rows" in said
    assert "correct these: energy" in said
    assert "the first, column 'energy' in line 2 of t.csv, has an empty cell" in said


def test_a_decimal_comma_is_told_with_the_setting_that_reads_it(tmp_path: Path) -> None:
    said = refused(tmp_path, GOOD.replace("0.1", '"0,1"'), COLUMNS)
    assert 'set decimal = ","' in said


def test_a_table_of_values_beyond_the_range_names_the_first_and_the_setting_that_lets_them_in(tmp_path: Path) -> None:
    content = "jid,system,energy,f_a\na,x,1e15,1\nb,x,2e15,2\n"
    said = refused(tmp_path, content, changed(on_missing="drop"))
    assert "the first, column 'energy' in line 2 of t.csv, has 1e+15" in said
    assert "set valid_range to what can be true" in said


def test_equal_values_and_a_family_of_one_are_errors_unless_a_warning_will_do(tmp_path: Path) -> None:
    content = "jid,system,energy,f_a\na,x,1,1\nb,x,1,2\nc,alone,1,3\n"
    for columns in (changed(on_no_entropy="error"), changed(on_no_entropy="error", on_missing="unknown")):
        told = refused(tmp_path, content, columns)
        assert "t.csv: Every candidate has energy = 1" in told
        assert "1 of 2 families have a single candidate, whose entropy says nothing: 'alone'" in told
        assert 'on_no_entropy = "warn"' in told
    said = read_table(written(tmp_path, content), COLUMNS).warnings
    assert len(said) == 2
    assert "equal values" in said[0]
    assert "'alone'" in said[1]


# --- candidates that are not measured yet ---------------------------------------------------------------------------

UNKNOWN = changed(on_missing="unknown")


def test_an_empty_property_is_a_candidate_that_is_not_measured_yet(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, GOOD.replace("0.1", "").replace("1e-3", "n/a")), UNKNOWN)
    assert table.candidate_ids == ("jvasp-1", "jvasp-2", "jvasp-3", "jvasp-4")
    np.testing.assert_array_equal(table.values, [-0.5, np.nan, np.nan, 0.30000000000000004])
    assert table.features[:, 0].tolist() == [1, 2, 3, 4]
    assert (table.dropped, table.warnings) == (0, ("energy is known for 2 of 4 rows, and not measured yet for 2.",))


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_in_which_nothing_is_measured_yet_is_read(tmp_path: Path, name: str) -> None:
    columns = {"jid": ["a", "b"], "system": ["x", "x"], "energy": [None, None], "f_a": [1, 2]}
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is an extra")
        pd.DataFrame(columns).to_parquet(tmp_path / name)
    else:
        pd.DataFrame(columns).to_csv(tmp_path / name, index=False)
    table = read_table(tmp_path / name, UNKNOWN)
    assert np.isnan(table.values).tolist() == [True, True]
    assert table.warnings == ("energy is known for 0 of 2 rows, and not measured yet for 2.",)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("3,0.75", ",0.75", ["'f_a' has an empty cell in line 4", "only 'energy' may be unknown"]),
        ("3,0.75", "inf,0.75", ["'f_a' has 'inf' in line 4"]),
        ("JVASP-2,cubic", "JVASP-2,", ["'system' has an empty cell in line 3"]),
        ("JVASP-3", "", ["'jid' has an empty cell in line 4"]),
        ("0.1", "inf", ["'energy' has inf in line 3", "between"]),
        ("0.1", "soon", ["'energy' has 'soon' in line 3"]),
    ],
)
def test_all_but_the_property_must_be_complete_and_what_it_has_must_be_a_number(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    message = refused(tmp_path, GOOD.replace("-0.5", "").replace(old, new), UNKNOWN)
    assert not [part for part in parts if part not in message], message


def test_a_range_holds_for_the_known_rows_of_an_incomplete_table(tmp_path: Path) -> None:
    content = GOOD.replace("0.1", "")
    assert "-0.5 in line 2" in refused(tmp_path, content, changed(on_missing="unknown", valid_range=(-0.4, 5.0)))
    table = read_table(tmp_path / "t.csv", changed(on_missing="unknown", valid_range=(-0.5, 5.0)))
    assert np.isfinite(table.values).sum() == 3


def test_an_id_made_of_content_stays_when_the_value_becomes_known(tmp_path: Path) -> None:
    columns = changed(id=None, on_missing="unknown")
    before = read_table(written(tmp_path, GOOD.replace("0.1", "")), columns).candidate_ids
    assert read_table(written(tmp_path, GOOD), columns).candidate_ids == before


def test_the_oracle_does_not_know_what_is_not_measured_yet(tmp_path: Path) -> None:
    known = read_values(written(tmp_path, GOOD.replace("0.1", "")), UNKNOWN)
    assert known.candidate_ids == ("jvasp-1", "jvasp-2", "jvasp-3", "jvasp-4")
    np.testing.assert_array_equal(known.values["energy"], [-0.5, np.nan, 1e-3, 0.30000000000000004])


def test_equal_known_values_are_a_warning_and_a_single_one_is_none(tmp_path: Path) -> None:
    content = "jid,system,energy,f_a\na,x,1.5,1\nb,x,1.5,2\nc,x,,3\n"
    said = read_table(written(tmp_path, content), UNKNOWN).warnings
    assert said[1:] == (
        "All 2 known rows have energy = 1.5: equal values leave nothing to balance until another comes.",
    )
    assert len(read_table(written(tmp_path, content.replace("b,x,1.5", "b,x,")), UNKNOWN).warnings) == 1


def test_the_error_of_an_empty_cell_offers_unknown_for_the_property_only(tmp_path: Path) -> None:
    assert 'or set on_missing = "unknown" when' in refused(tmp_path, GOOD.replace("0.1", ""))
    assert "unknown" not in refused(tmp_path, GOOD.replace("3,0.75", ",0.75"))


# --- structures -----------------------------------------------------------------------------------------------------


def structure_table(folder: Path, cells: list[str], **columns: object) -> tuple[Path, TableColumns]:
    path = folder / "crystals.csv"
    frame = pd.DataFrame({"energy": range(len(cells)), "crystal": cells, "jid": [f"c{i}" for i in range(len(cells))]})
    frame.to_csv(path, index=False)
    described = {"id": "jid", "property": "energy", "unit": "eV", "structure": "crystal", "on_no_entropy": "warn"}
    return path, TableColumns.model_validate(described | columns)


def cif(a: float, c: float, occupancy: float = 1) -> str:
    return CIF.format(name="CsCl", a=a, c=c, occupancy=occupancy)


def test_structures_are_read_of_cif_and_json_and_give_family_and_formula(tmp_path: Path) -> None:
    crystal = CrystalStructure(
        cell=((4, 0, 0), (0, 5, 0), (0, 0, 6)), symbols=("Cs", "Cl"), scaled_positions=((0, 0, 0), (0.5, 0.5, 0.5))
    )
    path, columns = structure_table(tmp_path, [cif(4.1, 4.1), cif(4.1, 4.9), crystal.model_dump_json()])
    table = read_table(path, columns)
    assert table.families == ("cubic", "tetragonal", "orthorhombic")
    assert table.structures is not None
    assert table.structures[2] == crystal
    assert table.structures[0].symbols == ("Cs", "Cl")
    assert table.structures[0].volume == pytest.approx(4.1**3)
    assert table.formulas == ("CsCl",) * 3
    assert len(set(read_table(path, columns.model_copy(update={"id": None})).candidate_ids)) == 3


def test_a_family_column_of_that_name_goes_before_the_derived_one(tmp_path: Path) -> None:
    path, columns = structure_table(tmp_path, [cif(4.1, 4.1)])
    pd.read_csv(path).assign(crystal_system="said").to_csv(path, index=False)
    assert read_table(path, columns).families == ("said",)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [("garbage", "garbage"), (cif(4, 4, 0.5), "occupied"), ('{"cell": 1}', "cell"), ("/etc/hostname", "CIF")],
)
def test_a_structure_that_cannot_be_parsed_is_named_by_its_line(tmp_path: Path, bad: str, reason: str) -> None:
    path, columns = structure_table(tmp_path, [cif(4.1, 4.1), bad])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            TableError, match=rf"'crystal' has .* in line {3 + CIF.count(chr(10))} of crystals\.csv"
        ) as caught:
            read_table(path, columns)
    assert reason in str(caught.value)


def test_the_oracle_reads_the_same_ids_and_keeps_the_same_rows(tmp_path: Path) -> None:
    path, columns = structure_table(tmp_path, [cif(4.1, 4.1), "garbage", cif(4.1, 4.9)], id=None, on_missing="drop")
    known = read_values(path, columns)
    assert known.candidate_ids == read_table(path, columns).candidate_ids
    assert known.values["energy"].tolist() == [0, 2]
    assert known.units == {"energy": "eV"}


def test_the_oracle_parses_no_structure_of_a_table_with_ids_of_its_own(tmp_path: Path) -> None:
    path, columns = structure_table(tmp_path, [cif(4.1, 4.1), "garbage"])
    assert read_values(path, columns).candidate_ids == ("c0", "c1")


# --- the settings ---------------------------------------------------------------------------------------------------


def test_columns_are_made_of_json_and_of_toml_values() -> None:
    made = changed(features=["f_a"], valid_range=[-1, 5.5], additional_properties={"gap": "eV"})
    assert made.features == ("f_a",)
    assert made.valid_range == (-1.0, 5.5)
    assert TableColumns.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    "fields",
    [
        {"features": ()},
        {"features": ("energy",)},
        {"features": ("gap",), "additional_properties": {"gap": "eV"}},
        {"additional_properties": {"energy": "eV"}},
        {"family": "energy"},
        {"valid_range": (1.0, 1.0)},
        {"valid_range": (0.0, float("inf"))},
        {"features": (1,)},
        {"on_missing": "ignore"},
        {"columns": "x"},
        {"property": "p" * 65},
    ],
)
def test_columns_that_contradict_each_other_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        changed(**fields)


@pytest.mark.skipif(not OQMD.exists(), reason="the folder of real tables is not here")
def test_a_real_table_is_described_without_changing_it() -> None:
    elements = ("Co", "Ni", "W", "Al", "Cr", "Fe", "Ti", "Cu")
    columns = TableColumns(
        id="Unnamed: 0", family="crystal_system", property="energy", unit="eV/atom", features=(*elements, "volume")
    )
    table = read_table(OQMD, columns)
    assert table.features.shape == (2953, 9)
    assert table.families.count("cubic") == 611
    # Published: the differential entropy of its cubic family (van Es, Ebrahimi or Vasicek by size).
    from scipy.stats import differential_entropy

    cubic = table.values[np.array(table.families) == "cubic"]
    assert differential_entropy(cubic) == pytest.approx(0.547116, abs=1e-6)
    with pytest.raises(TableError, match="same material"):
        read_table(OQMD, columns.model_copy(update={"id": None}))


def test_a_row_of_parquet_without_a_family_is_left_out_when_asked(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    frame = pd.DataFrame(
        {"jid": ["a", "b", "c"], "system": ["x", None, "x"], "energy": [1.0, 2.0, 3.0], "f_a": [1, 2, 3]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", changed(on_missing="drop")).candidate_ids == ("a", "c")


def test_too_many_rows_of_parquet_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    frame = pd.DataFrame({"jid": ["a", "b"], "system": ["x", "x"], "energy": [1.0, 2.0], "f_a": [1, 2]})
    frame.to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(table_files, "MAX_TABLE_ROWS", 1)
    with pytest.raises(TableError, match="too many rows"):
        read_table(tmp_path / "t.parquet", COLUMNS)


def test_a_row_below_a_very_long_cell_is_named_by_its_line(tmp_path: Path) -> None:
    content = GOOD.replace(",x\n", f",{'x' * 200_000}\n").replace("1e-3", "oops")
    assert "'oops' in line 4 of t.csv" in refused(tmp_path, content)


def test_a_structure_without_a_crystal_system_is_named_by_its_line(tmp_path: Path) -> None:
    one_on_the_other = CrystalStructure(
        cell=((4, 0, 0), (0, 5, 0), (0, 0, 6)), symbols=("Cs", "Cs"), scaled_positions=((0, 0, 0), (0, 0, 0))
    )
    path, columns = structure_table(tmp_path, [one_on_the_other.model_dump_json()])
    with pytest.raises(TableError, match=r"'crystal' has .* in line 2 of crystals\.csv"):
        read_table(path, columns)
