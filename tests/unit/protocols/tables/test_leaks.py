"""A column that tells what is to be measured is found, whatever its unit; one that merely goes with it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.cells import FloatArray
from protocols.tables.leaks import Leak, find_leaks
from protocols.tables.table import CandidateTable, TableColumns, read_table

DATA = Path(__file__).parents[4] / "../shared/data"
DRAW = np.random.default_rng(5)
ENERGY = DRAW.normal(-0.5, 0.8, 300).round(5)
GAP = np.where(DRAW.random(300) < 0.6, 0.0, DRAW.gamma(2.0, 1.0, 300)).round(4)

LEAKS: dict[str, tuple[FloatArray, FloatArray, str]] = {
    "itself": (ENERGY, ENERGY, "copy"),
    "in kJ/mol": (ENERGY, (96.485 * ENERGY).round(2), "linear"),
    "against another reference": (ENERGY, -ENERGY + 3.7, "linear"),
    "all but a few rows": (ENERGY, np.where(np.arange(300) % 25 == 0, 9.0, ENERGY), "copy"),
    "a gap in meV, most of them zero": (GAP, 1000.0 * GAP, "linear"),
    "rounded to two digits": (ENERGY, ENERGY.round(2), "order"),
    "its exponential": (ENERGY, np.exp(-ENERGY), "order"),
    "its rank": (ENERGY, ENERGY.argsort().argsort().astype(float), "order"),
    "its bins": (ENERGY, np.floor(4 * ENERGY), "order"),
}
LAWFUL: dict[str, tuple[FloatArray, FloatArray]] = {
    "a prediction": (ENERGY, ENERGY + DRAW.normal(0.0, 0.02, 300)),
    "another gap, zero for the same rows": (GAP, np.where(GAP > 0.0, DRAW.gamma(2.0, 1.0, 300), 0.0)),
    "whether there is a gap": (GAP, (GAP > 0.0).astype(float)),
    "a constant": (ENERGY, np.ones(300)),
    "something else": (ENERGY, DRAW.normal(size=300)),
    "four rows in one order": (ENERGY[:4], np.sort(ENERGY[:4])),
    "nothing known": (np.full(300, np.nan), ENERGY),
}


def leaks(values: FloatArray, feature: FloatArray) -> list[Leak]:
    return list(find_leaks({"f": feature}, {"energy": values}))


@pytest.mark.parametrize(("values", "feature", "kind"), LEAKS.values(), ids=LEAKS)
def test_the_property_by_another_name_is_found(values: FloatArray, feature: FloatArray, kind: str) -> None:
    (leak,) = leaks(values, feature)
    assert (leak.column, leak.measured, leak.kind) == ("f", "energy", kind)
    assert "column 'f' is the measured property 'energy' by another name: " in str(leak)


@pytest.mark.parametrize(("values", "feature"), LAWFUL.values(), ids=LAWFUL)
def test_what_only_goes_with_it_is_a_feature(values: FloatArray, feature: FloatArray) -> None:
    assert leaks(values, feature) == []


def test_the_factor_between_two_units_is_told() -> None:
    (leak,) = leaks(ENERGY, 96.485 * ENERGY)
    assert leak.how == "96.485 times its value"


def test_only_known_values_are_looked_at() -> None:
    known = np.where(np.arange(300) % 2 == 0, ENERGY, np.nan)
    assert [each.kind for each in leaks(known, np.nan_to_num(known, nan=77.0))] == ["copy"]


def test_each_column_is_told_once_for_the_first_property_that_it_tells() -> None:
    found = find_leaks({"a": ENERGY, "b": GAP, "c": 2 * GAP}, {"energy": ENERGY, "gap": GAP})
    assert [(each.column, each.measured) for each in found] == [("a", "energy"), ("b", "gap"), ("c", "gap")]


@given(
    slope=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    shift=st.floats(-1e3, 1e3),
    rows=st.integers(20, 2000),
    seed=st.integers(0, 1000),
)
def test_any_line_is_found_in_a_table_of_any_length(slope: float, shift: float, rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=rows)
    (leak,) = leaks(values, slope * (values + shift))
    assert leak.kind in {"linear", "copy"}


def test_no_feature_of_the_oqmd_table_tells_its_energy() -> None:
    path = DATA / "oqmd8/oqmd8.csv"
    if not path.exists():
        pytest.skip("the real tables are not here")
    frame = pd.read_csv(path).select_dtypes("number")
    features = {str(name): frame[name].to_numpy(dtype=float) for name in frame if name != "energy"}
    assert list(find_leaks(features, {"energy": frame["energy"].to_numpy(dtype=float)})) == []


# --- in a table -----------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame({
    "name": [f"c{place}" for place in range(60)],
    "family": ["a", "b"] * 30,
    "energy": ENERGY[:60],
    "f_size": DRAW.normal(size=60),
    "kj": 96.485 * ENERGY[:60],
})  # fmt: skip


def read(folder: Path, *features: str, **changes: object) -> CandidateTable:
    FRAME.to_csv(folder / "t.csv", index=False)
    columns = {"id": "name", "family": "family", "property": "energy", "unit": "eV", "features": features}
    return read_table(folder / "t.csv", TableColumns.model_validate(columns | changes))


def test_a_pattern_takes_no_column_that_tells_the_property_and_says_so(tmp_path: Path) -> None:
    table = read(tmp_path, "*")
    assert table.feature_names == ("f_size",)
    assert ["'kj'" in each.reason and "96.485 times" in each.reason for each in table.account] == [True]


def test_one_that_is_named_stays_and_is_told(tmp_path: Path) -> None:
    """The agent makes no pool of it; whoever trims the table needs none."""
    table = read(tmp_path, "f_size", "kj")
    assert table.feature_names == ("f_size", "kj")
    assert ["'kj'" in each.reason for each in table.account] == [True]
    with pytest.raises(TableError, match=r"column 'kj' is the measured property 'energy' by another name"):
        pool_from_table(table)


def test_one_in_the_same_order_is_taken_when_it_is_named_and_told(tmp_path: Path) -> None:
    FRAME["rank"] = FRAME["energy"].rank()
    try:
        table = read(tmp_path, "f_size", "rank")
    finally:
        del FRAME["rank"]
    assert table.feature_names == ("f_size", "rank")
    assert ["'rank'" in each.reason for each in table.account] == [True]


def test_a_pattern_that_takes_nothing_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="'kj' is the measured property"):
        read(tmp_path, "k*")


def test_ids_made_of_the_content_do_not_depend_on_what_is_measured(tmp_path: Path) -> None:
    ids = read(tmp_path, "[fk]*", id=None).candidate_ids
    assert ids == read(tmp_path, "f_*", id=None).candidate_ids
