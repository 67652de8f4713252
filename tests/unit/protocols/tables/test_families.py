"""Families of any kind: a column, a number cut into bins, and combinations of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.table import TableColumns, read_table
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
