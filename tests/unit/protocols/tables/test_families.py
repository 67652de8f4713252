"""Families of any kind: a column, a number cut into bins, and combinations of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.table import CandidateTable, TableColumns, read_table
from protocols.wire.limits import MAX_ID_LENGTH

TABLE = """jid,system,energy,gap,f
a,cubic,-0.5,0.0,1
b,cubic,0.1,0.5,2
c,hexagonal,0.2,0.5,3
d,hexagonal,0.3,3.25,4
"""


def columns(**fields: object) -> TableColumns:
    defaults = {"id": "jid", "property": "energy", "unit": "eV/atom", "features": ["f"], "on_no_entropy": "warn"}
    return TableColumns.model_validate(defaults | fields)


def families(folder: Path, content: str = TABLE, **fields: object) -> tuple[str, ...]:
    path = folder / "table.csv"
    path.write_text(content)
    return read_table(path, columns(**fields)).families


def test_a_number_is_cut_at_its_edges_and_a_value_on_an_edge_belongs_above(tmp_path: Path) -> None:
    cut = families(tmp_path, family={"column": "gap", "edges": [0.5, 2]})
    assert cut == ("gap < 0.5", "gap 0.5 to 2", "gap 0.5 to 2", "gap >= 2")


def test_bins_hold_about_equally_many_rows_and_equal_values_stay_together(tmp_path: Path) -> None:
    cut = families(tmp_path, family={"column": "energy", "bins": 2}, property="gap", unit="eV")
    assert cut[0] == cut[1] != cut[2] == cut[3]
    _, second, third, _ = families(tmp_path, family={"column": "gap", "bins": 4})
    assert second == third


def test_several_at_once_give_their_combinations(tmp_path: Path) -> None:
    both = families(tmp_path, family=["system", {"column": "gap", "edges": [1]}])
    assert both == ("cubic / gap < 1", "cubic / gap < 1", "hexagonal / gap < 1", "hexagonal / gap >= 1")


def test_a_crystal_system_is_derived_from_the_structure_inside_a_combination_too(tmp_path: Path) -> None:
    cell = '"{""cell"": [[4,0,0],[0,4,0],[0,0,%s]], ""symbols"": [""Cu""], ""scaled_positions"": [[0,0,0]]}"'
    content = f"energy,gap,crystal\n0.1,0,{cell % 4}\n0.2,2,{cell % 5}\n"
    both = families(
        tmp_path, content, family=["crystal_system", {"column": "gap", "edges": [1]}],
        structure="crystal", features=[], id=None,
    )  # fmt: skip
    assert both == ("cubic / gap < 1", "tetragonal / gap >= 1")


def test_rows_that_only_a_cut_number_tells_apart_have_ids_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("energy,gap,f\n0.1,0.25,1\n0.2,0.5,1\n")
    table = read_table(path, columns(family={"column": "gap", "edges": [1]}, id=None))
    assert len(set(table.candidate_ids)) == 2


def test_an_empty_cell_of_a_cut_number_is_named_or_left_out(tmp_path: Path) -> None:
    content = TABLE.replace("b,cubic,0.1,0.5,2", "b,cubic,0.1,,2")
    cut = {"column": "gap", "edges": [1]}
    with pytest.raises(TableError, match=r"Column 'gap' has an empty cell in line 3 of table\.csv"):
        families(tmp_path, content, family=cut)
    assert len(families(tmp_path, content, family=cut, on_missing="drop")) == 3


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no column 'gapp'.*did you mean 'gap'"):
        families(tmp_path, family={"column": "gapp", "bins": 2})


def test_a_combined_name_that_no_message_can_carry_is_refused(tmp_path: Path) -> None:
    content = TABLE.replace("cubic", "c" * (MAX_ID_LENGTH - 3))
    with pytest.raises(TableError, match=r"characters.*at most"):
        families(tmp_path, content, family=["system", "jid"], id=None)


@pytest.mark.parametrize(
    ("family", "found"),
    [
        ({"column": "gap"}, "at edges or into bins"),
        ({"column": "gap", "edges": [1], "bins": 2}, "at edges or into bins"),
        ({"column": "gap", "edges": [2, 1]}, "do not ascend"),
        ({"column": "energy", "bins": 2}, "measured property and cannot describe"),
    ],
)
def test_what_cannot_be_cut_is_refused_before_any_table_is_read(family: object, found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        columns(family=family)


def cut(folder: Path, values: Sequence[object], **family: object) -> CandidateTable:
    lines = "".join(f"c{row},{row},{value},{7 * row % 11}\n" for row, value in enumerate(values))
    (folder / "table.csv").write_text("jid,energy,gap,f\n" + lines)
    return read_table(folder / "table.csv", columns(family={"column": "gap"} | family))


@pytest.mark.parametrize(
    "edges",
    [
        [-1101.4, -1101.3, -1101.2, -1101.15],
        [1.0, 1.0 + 1e-12, 1.0 + 2e-12],
        [1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.75],
        [0.1, np.nextafter(0.1, 1)],
        [-1e-300, 0.0, 5e-324],
    ],
)
def test_edges_make_as_many_families_as_they_say_however_close_they_lie(tmp_path: Path, edges: list[float]) -> None:
    values = [edges[0] - 1, *edges]
    table = cut(tmp_path, [repr(float(value)) for value in values], edges=edges)
    assert len(set(table.families)) == len(edges) + 1
    assert table.account == ()


def test_an_edge_is_named_with_all_its_digits_and_a_short_one_as_ever(tmp_path: Path) -> None:
    assert cut(tmp_path, [0, 9], edges=[0.123456]).families == ("gap < 0.123456", "gap >= 0.123456")
    assert cut(tmp_path, [0, 9], edges=[7.5]).families == ("gap < 7.5", "gap >= 7.5")
    assert cut(tmp_path, [0, 1e6], edges=[100000]).families == ("gap < 1e+05", "gap >= 1e+05")


@pytest.mark.parametrize(("offset", "step"), [(0.0, 1.0), (1e6, 1e-3), (1.0, 1e-12), (-1e12, 1.0)])
def test_bins_between_close_values_have_names_of_their_own(tmp_path: Path, offset: float, step: float) -> None:
    table = cut(tmp_path, [repr(offset + step * row) for row in range(40)], bins=5)
    assert [table.families.count(each) for each in dict.fromkeys(table.families)] == [8] * 5


def test_fewer_bins_than_asked_for_are_told(tmp_path: Path) -> None:
    (said,) = cut(tmp_path, [0] * 70 + list(range(1, 31)), bins=5).account
    assert (said.handling, said.count) == ("noted", 70)
    assert "bins = 5 make 2 families, because equal values stay together (0 stands in 70 rows)" in said.reason


def test_edges_beyond_all_values_are_told(tmp_path: Path) -> None:
    (said,) = cut(tmp_path, [0, 1], edges=[0.5, 100, 200]).account
    assert str(said) == "2 noted: column 'gap': the edges make 4 families, of which 2 have no row."


def test_families_are_renamed_as_the_scenario_says_and_told(tmp_path: Path) -> None:
    content = TABLE.replace("c,hexagonal", "c,Hexagonal glass").replace("d,hex", "d, hex")
    (tmp_path / "table.csv").write_text(content)
    table = read_table(tmp_path / "table.csv", columns(family="system", family_names={"Hexagonal glass": "hexagonal"}))
    assert table.families == ("cubic", "cubic", "hexagonal", "hexagonal")
    assert [str(each) for each in table.account] == [
        "1 folded: column 'system': 'Hexagonal glass' is read as 'hexagonal' (line 4 of table.csv)."
    ]


def test_a_family_that_looks_like_a_missing_one_stays_when_it_is_named(tmp_path: Path) -> None:
    content = TABLE.replace("hexagonal", "NA")
    with pytest.raises(TableError, match=r"'system' has 'NA', which counts as missing, in line 4.*family_names"):
        families(tmp_path, content, family="system")
    assert families(tmp_path, content, family="system", family_names={"NA": "NA"}) == ("cubic", "cubic", "NA", "NA")


def test_bins_can_be_renamed(tmp_path: Path) -> None:
    renamed = families(tmp_path, family={"column": "gap", "edges": [2]}, family_names={"gap < 2": "metal"})
    assert renamed == ("metal", "metal", "metal", "gap >= 2")


def test_a_renamed_family_that_no_row_has_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"maps 'Kubic'.*cubic, hexagonal.*did you mean 'cubic'"):
        families(tmp_path, family="system", family_names={"Kubic": "cubic"})


def test_families_that_are_likely_the_same_are_told_and_told_apart(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE.replace("b,cubic", "b,Cubic glass").replace("a,cubic", "a,cubic-glass"))
    table = read_table(tmp_path / "table.csv", columns(family="system"))
    assert table.families[:2] == ("cubic-glass", "Cubic glass")
    (said,) = table.account
    assert (said.handling, said.places) == ("noted", ("line 2 of table.csv",))
    assert "'Cubic glass'" in said.reason
    assert "'cubic-glass'" in said.reason
    assert "family_names" in said.reason
