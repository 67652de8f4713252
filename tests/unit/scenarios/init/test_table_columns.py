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
