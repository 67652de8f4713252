"""Earlier values of a table: whose they are by an id, or by what describes a candidate where there are no ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.errors import TableError
from protocols.tables.format import USUAL, TableFormat
from protocols.tables.table import TableColumns, read_values
from protocols.wire.messages import Quantity
from scenarios.control.orders import Terms
from scenarios.control.results_table import TableOfResults, read_results

TERMS = Terms("energy", "eV")


def read(folder: Path, text: str, terms: Terms = TERMS, how: TableFormat = USUAL, **columns: object) -> TableOfResults:
    path = folder / "old.csv"
    path.write_text(text, encoding="utf-8")
    meant = TableColumns.model_validate({"property": "energy", "unit": "eV"} | columns) if columns else None
    return read_results(path, how, terms, meant)


def test_rows_with_a_value_are_taken_with_its_uncertainty_and_the_others_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "id,energy,standard_deviation\nm1,-0.5,0.1\nMP 2,,\nMP 3,2,\n")
    assert [(each.candidate_id, each.source_id) for each in found.results] == [("m1", None), (None, "MP 3")]
    assert [each.quantity for each in found.results] == [
        Quantity(name="energy", value=-0.5, unit="eV", standard_deviation=0.1),
        Quantity(name="energy", value=2.0, unit="eV"),
    ]
    assert (found.places, found.without_value) == (("line 2 of old.csv", "line 4 of old.csv"), 1)


def test_the_column_of_ids_is_the_tables_own_before_the_usual_ones(tmp_path: Path) -> None:
    found = read(tmp_path, "id,sample,value\nx,m1,1\n", id="sample", composition="formula")
    assert found.results[0].candidate_id == "m1"
    assert read(tmp_path, "source_id,id,value\nA 1,m1,1\n").results[0].source_id == "A 1"


def test_a_unit_that_a_row_names_is_sent_as_it_stands(tmp_path: Path) -> None:
    found = read(tmp_path, "id,energy,unit\nm1,1,meV\nm2,1,\n")
    assert [each.quantity.unit for each in found.results] == ["meV", "eV"]


def test_values_of_all_properties_that_are_balanced_belong_to_a_row(tmp_path: Path) -> None:
    both = Terms("energy", "eV", {"gap": "meV"})
    found = read(tmp_path, "id,energy,gap\nm1,1,12\n", both)
    assert found.results[0].additional == (Quantity(name="gap", value=12.0, unit="meV"),)
    with pytest.raises(TableError, match="'gap' has an empty cell in line 2"):
        read(tmp_path, "id,energy,gap\nm1,1,\n", both)
    with pytest.raises(TableError, match="no column 'gap'"):
        read(tmp_path, "id,energy\nm1,1\n", both)


def test_a_table_may_be_written_as_others_are(tmp_path: Path) -> None:
    found = read(tmp_path, "id;energy\nm1;-0,5\n", how=TableFormat(delimiter=";", decimal=","))
    assert found.results[0].quantity.value == -0.5


def test_without_ids_a_row_is_the_candidate_that_it_describes(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"family": "family", "features": ["f0", "f1"]}
    found = read(tmp_path, "family,f0,f1,energy\ncubic,1,2,0.5\ncubic,3,4,\n", **columns)
    pool = tmp_path / "pool.csv"
    pool.write_text("family,f0,f1,energy\ncubic,9,9,1\ncubic,1.0,2,7\n", encoding="utf-8")
    ids = read_values(pool, TableColumns.model_validate({"property": "energy", "unit": "eV"} | columns)).candidate_ids
    assert [each.candidate_id for each in found.results] == [ids[1]]
    assert (found.results[0].quantity.value, found.without_value) == (0.5, 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name,energy\nm1,1\n", "does not say whose"),
        ("id,enery\nm1,1\n", "did you mean 'enery'|no column 'energy'"),
        ("id,energy\n,1\n", "'id' has an empty cell in line 2"),
        ("id,energy\nm1,much\n", "no number|'much'"),
        ("id,energy\nm1,\n", "holds no value"),
        ("id,energy\nm1,1e200\n", "stands in line 2"),
        ("id,energy,standard_deviation\nm1,1,-1\n", "uncertainty in line 2"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(TableError, match=why):
        read(tmp_path, text)
