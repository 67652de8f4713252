"""What the columns of a table are taken for, and when it is asked instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from protocols.errors import TableError
from scenarios.init.table_columns import Assumed, Said, assume_columns

ROWS = 60
RNG = np.random.default_rng(3)
NUMBERS = RNG.normal(size=(ROWS, 4))


def assumed(folder: Path, said: Said | None = None, **columns: Any) -> Assumed:
    path = folder / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return assume_columns(path, said or Said())


def usual(**more: Any) -> dict[str, Any]:
    return {
        "sample": [f"s{n}" for n in range(ROWS)],
        "crystal_system": ["cubic", "hexagonal", "triclinic"] * (ROWS // 3),
        "x": NUMBERS[:, 0],
        "y": NUMBERS[:, 1],
        "hardness [GPa]": NUMBERS[:, 2],
    } | more


def test_ids_families_property_unit_and_features_are_found_with_why(tmp_path: Path) -> None:
    found = assumed(tmp_path, **usual())
    assert (found.id, found.family, found.families) == ("sample", "crystal_system", 3)
    assert (found.property, found.unit, found.features) == ("hardness [GPa]", "GPa", ("x", "y"))
    assert (found.known, found.is_oracle(), found.has_holes) == (ROWS, True, False)
    assert {"id", "family", "property"} <= set(found.why)


def test_a_column_that_says_where_a_row_comes_from_is_no_family(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "split_jarvis": ["train", "test", "val"] * (ROWS // 3),
        "data_source": ["icsd", "aflow"] * (ROWS // 2),
    }
    others = {name: cells for name, cells in usual().items() if name != "crystal_system"}
    assert assumed(tmp_path, **columns, **others, colour=["red", "blue"] * (ROWS // 2)).family == "colour"


def test_the_property_is_what_has_empty_cells(tmp_path: Path) -> None:
    gaps = np.where(np.arange(ROWS) < 20, NUMBERS[:, 3], np.nan)
    columns = {name: cells for name, cells in usual(wear=gaps).items() if "hardness" not in name}
    found = assumed(tmp_path, **columns)
    assert (found.property, found.known, found.is_oracle()) == ("wear", 20, False)


def test_where_empty_cells_and_names_disagree_it_is_asked(tmp_path: Path) -> None:
    gaps = np.where(np.arange(ROWS) < 20, NUMBERS[:, 3], np.nan)
    with pytest.raises(TableError, match="Which column") as asked:
        assumed(tmp_path, **usual(wear=gaps))
    assert "--property 'wear'" in asked.value.action
    assert assumed(tmp_path, Said(property="wear"), **usual(wear=gaps)).property == "wear"


def test_the_property_in_another_unit_and_running_numbers_are_no_features(tmp_path: Path) -> None:
    found = assumed(
        tmp_path, **usual(twice=2.0 * NUMBERS[:, 2] + 1.0, run=np.arange(ROWS) * 2, same=1.0)
    )  # fmt: skip
    assert found.features == ("x", "y")
    assert found.unused == {
        "twice": "it is the property again", "run": "it numbers the rows", "same": "the same in every row",
    }  # fmt: skip


def test_a_few_holes_are_left_out_and_not_asked_for(tmp_path: Path) -> None:
    holes = np.where(np.arange(ROWS) == 7, np.nan, NUMBERS[:, 2])
    found = assumed(tmp_path, **usual(**{"hardness [GPa]": holes}))
    assert (found.known, found.has_holes, found.is_oracle()) == (ROWS - 1, True, True)


def test_formulas_are_known_by_name_and_cells_and_sodium_nitride_is_one(tmp_path: Path) -> None:
    found = assumed(tmp_path, **usual(formula=["NaN", "Fe2O3", "TiAl"] * (ROWS // 3)))
    assert (found.composition, found.has_holes) == ("formula", False)
    words = assumed(tmp_path, **usual(formula=["not a formula"] * ROWS))
    assert words.composition is None


def test_a_column_that_is_not_there_is_named_with_its_neighbour(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column 'hardnes'") as refused:
        assumed(tmp_path, Said(property="hardnes"), **usual(hardness=NUMBERS[:, 3]))
    assert "hardness" in refused.value.action


def test_a_table_that_tells_candidates_apart_by_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column that tells candidates apart"):
        assumed(tmp_path, sample=[f"s{n}" for n in range(ROWS)], hardness=NUMBERS[:, 2])


def test_a_table_without_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column of numbers that could be the property"):
        assumed(tmp_path, name=[f"s{n}" for n in range(ROWS)], kind=["a", "b"] * (ROWS // 2))


def test_names_of_which_one_stands_twice_are_ids_all_the_same(tmp_path: Path) -> None:
    names = [f"S-{n:03}" for n in range(ROWS - 1)] + ["S-004"]
    columns = {name: cells for name, cells in usual().items() if name != "sample"}
    found = assumed(tmp_path, **columns | {"Probe Nr.": names})
    assert (found.id, found.id_is_distinct) == ("Probe Nr.", False)
    assert "'S-004' stands twice" in found.why["id"]
    dates = [f"{1 + n % 28:02}.{1 + n % 12:02}.20{10 + n // 12}" for n in range(ROWS)]
    assert assumed(tmp_path, measured=dates[:-1] + dates[:1], **columns).id is None, "a day names no row"


def test_what_numbers_the_rows_is_the_id_where_nothing_else_names_them(tmp_path: Path) -> None:
    columns = {name: cells for name, cells in usual().items() if name != "sample"}
    found = assumed(tmp_path, gdb=np.arange(ROWS) * 3 + 1, **columns)
    assert (found.id, found.why["id"], found.id_is_distinct) == ("gdb", "it numbers the rows", True)


@pytest.mark.parametrize("name", ["Formel", "chemical formula", "Compound"])
def test_formulas_are_no_families_in_any_language(tmp_path: Path, name: str) -> None:
    columns = {name: ["SrTiO3", "NaN", "MgO"] * (ROWS // 3)} | usual()
    found = assumed(tmp_path, **columns)
    assert (found.composition, found.family) == (name, "crystal_system")


def test_many_different_formulas_are_known_by_their_cells_and_words_that_look_so_are_none(tmp_path: Path) -> None:
    formulas = [f"Fe{n + 2}O{2 * n + 3}" for n in range(ROWS - 1)] + ["Fe2O3"]
    assert assumed(tmp_path, **usual(material=formulas)).composition == "material"
    assert assumed(tmp_path, **usual(packing=["FCC", "BCC", "HCP"] * (ROWS // 3))).composition is None


def test_a_family_may_lack_a_few_cells_and_such_rows_are_left_out(tmp_path: Path) -> None:
    systems = [None, *usual()["crystal_system"][1:]]
    found = assumed(tmp_path, **usual(crystal_system=systems))
    assert (found.family, found.families, found.has_holes) == ("crystal_system", 3, True)
    assert "1 cells are empty" in found.why["family"]


def test_who_and_when_are_no_families(tmp_path: Path) -> None:
    columns = {name: cells for name, cells in usual().items() if name != "crystal_system"}
    found = assumed(
        tmp_path, operator=["anna", "ben"] * (ROWS // 2), Datum=["01.02.2026", "02.02.2026"] * (ROWS // 2), **columns
    )
    assert found.family is None


def test_two_columns_that_make_the_property_together_are_no_features(tmp_path: Path) -> None:
    homo, lumo = NUMBERS[:, 0], NUMBERS[:, 1]
    found = assumed(tmp_path, sample=[f"s{n}" for n in range(ROWS)], homo=homo, x=NUMBERS[:, 3], lumo=lumo,
                    gap=lumo - homo)  # fmt: skip
    assert (found.property, found.unit, found.features) == ("gap", "", ("x",))
    assert found.unused == {"homo": "with lumo it makes the property", "lumo": "with homo it makes the property"}


def test_a_word_among_the_values_spoils_a_row_and_not_the_column(tmp_path: Path) -> None:
    values = ["> 12", *map(str, NUMBERS[1:, 2])]
    found = assumed(tmp_path, **usual(**{"hardness [GPa]": values}))
    assert (found.property, found.known, found.has_holes) == ("hardness [GPa]", ROWS - 1, True)
    found = assumed(tmp_path, **usual(z=["broken", *map(str, NUMBERS[1:, 3])]))
    assert found.unused == {"z": "words among its numbers"}


def test_a_molecules_measured_columns_are_features_where_nothing_else_tells_molecules_apart(tmp_path: Path) -> None:
    smiles = ["C" * (1 + n) for n in range(ROWS)]
    only = assumed(tmp_path, smiles=smiles, mu=NUMBERS[:, 0], gap=NUMBERS[:, 1])
    assert (only.property, only.features) == ("gap", ("mu",))
    other = assumed(tmp_path, smiles=smiles, mu=NUMBERS[:, 0], x=NUMBERS[:, 2], gap=NUMBERS[:, 1])
    assert other.features == ("x",)
