"""Values that look impossible are told with their rows, and a column as it should be is left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.tables.account import Handling
from protocols.tables.cells import FloatArray
from protocols.tables.outliers import find_outliers, noted_values

DATA = Path(__file__).parents[4] / "../shared/data"
DRAW = np.random.default_rng(13)

LAWFUL = {
    "formation energies": DRAW.normal(-0.5, 0.8, 400),
    "total energies that lie close": DRAW.normal(-1101.0, 0.1, 400),
    "moduli": DRAW.gamma(2.0, 50.0, 400),
    "band gaps, most of them zero": np.where(DRAW.random(400) < 0.6, 0.0, DRAW.gamma(2.0, 1.0, 400)),
    "carriers over twelve decades": 10 ** DRAW.uniform(10, 22, 400),
    "a lognormal property": DRAW.lognormal(0.0, 3.0, 400),
    "whole numbers": DRAW.integers(0, 300, 400).astype(float),
    "angles, where -99 is one": DRAW.uniform(-180, 180, 400).round(),
    "one value": np.full(50, 3.0),
    "too few to have a spread": np.array([1.0, 2.0, 3.0, 1e9]),
    "nothing known": np.full(20, np.nan),
    "no rows": np.empty(0),
}

REAL = {
    "oqmd8/oqmd8.csv": ["energy", "volume"],
    "jcfid/rows.csv.gz": ["formation_energy_peratom", "bulk_modulus_kv", "shear_modulus_gv", "optb88vdw_bandgap"],
    "mp3dsc/mp_3dsc_4704.csv": ["volume", "density", "formation_energy_per_atom", "band_gap"],
    "qm9/qm9_130829.csv.gz": ["mu", "alpha", "homo", "lumo", "gap", "r2", "cv"],
    "qm9/qm9_3000.csv": ["A", "B", "C", "mu", "u0"],
    "benzenes/table.csv": ["dipole", "energy", "gap"],
    "wbm/wbm_symmetry_ml_eform.csv.gz": ["e_form_ml_mace_mp0", "e_form_ml_voronoi_rf"],
}  # fmt: skip


def kinds(values: FloatArray) -> list[str]:
    return [each.kind for each in find_outliers(values, "y", "")]


def spoilt(values: FloatArray, rows: slice, change: FloatArray | float) -> FloatArray:
    values = values.copy()
    values[rows] = change
    return values


@pytest.mark.parametrize("values", LAWFUL.values(), ids=LAWFUL)
def test_a_lawful_column_is_left_in_peace(values: FloatArray) -> None:
    assert kinds(values) == []


@pytest.mark.parametrize(("path", "columns"), REAL.items(), ids=REAL)
def test_nothing_is_said_of_the_real_tables(path: str, columns: list[str]) -> None:
    """No value of theirs is impossible; the rotational constants of water and acetylene are the strangest."""
    if not (DATA / path).exists():
        pytest.skip("the real tables are not here")
    frame = pd.read_csv(DATA / path, usecols=columns)
    assert {name: kinds(frame[name].to_numpy(dtype=np.float64)) for name in columns} == {name: [] for name in columns}


def test_moduli_a_million_times_too_large_are_told_with_their_rows() -> None:
    values = spoilt(LAWFUL["moduli"], slice(2, 9, 3), 4e7)
    (finding,) = noted_values(values, "modulus", "GPa", np.arange(100, 500))
    assert finding.handling is Handling.NOTED
    assert "column 'modulus': 3 values lie far beyond the spread of the others: 4e+07 GPa" in finding.reason
    assert "set valid_range" in finding.reason
    assert (finding.count, list(finding.rows)) == (3, [102, 105, 108])


def test_a_lesser_slip_is_told_beside_sure_ones_and_left_in_peace_alone() -> None:
    largest = float(LAWFUL["moduli"].max())
    alone = spoilt(LAWFUL["moduli"], slice(2, 3), 6.0 * largest)
    assert kinds(alone) == []
    (found,) = find_outliers(spoilt(alone, slice(5, 7), 4e7), "modulus", "GPa")
    assert found.rows.tolist() == [2, 5, 6]


@pytest.mark.parametrize("name", ["formation energies", "moduli", "band gaps, most of them zero"])
@pytest.mark.parametrize("mark", [-9999.0, -999.0, 99999.0, 1e20])
def test_marks_of_missing_values_are_told_however_often_they_stand_there(name: str, mark: float) -> None:
    for rows in (slice(5, 6), slice(0, 400, 3)):
        (found,) = find_outliers(spoilt(LAWFUL[name], rows, mark), "y", "")
        assert (found.kind, found.rows.tolist()) == ("mark", list(range(400))[rows])
        assert f'set missing = ["{mark:g}"]' in found.told


def test_the_only_negative_value_of_a_column_is_a_mark_when_it_stands_there_several_times() -> None:
    assert kinds(spoilt(LAWFUL["moduli"], slice(0, 4), -1.0)) == ["mark"]
    assert kinds(spoilt(LAWFUL["moduli"], slice(0, 1), -1.0)) == []
    assert kinds(spoilt(LAWFUL["formation energies"], slice(0, 4), -1.0)) == []


@pytest.mark.parametrize(("factor", "units"), [(1000.0, "eV and meV"), (96.485, "eV and kJ/mol")])
@pytest.mark.parametrize("name", ["moduli", "total energies that lie close"])
def test_a_column_of_two_units_is_told_as_likely(name: str, factor: float, units: str) -> None:
    values = LAWFUL[name].copy()
    values[::3] *= factor
    (found,) = find_outliers(values, "y", "eV")
    assert found.kind == "unit"
    assert units in found.told
    assert len(found.rows) == pytest.approx(400 / 3, rel=0.1)


def test_a_zero_amid_total_energies_that_lie_close_is_far() -> None:
    assert kinds(spoilt(LAWFUL["total energies that lie close"], slice(7, 8), 0.0)) == ["far"]


def test_gaps_of_knowledge_are_no_values() -> None:
    values = spoilt(LAWFUL["moduli"], slice(2, 9, 3), 4e7)
    values[10:200] = np.nan
    (found,) = find_outliers(values, "y", "")
    assert found.rows.tolist() == [2, 5, 8]


@given(
    exponent=st.integers(-60, 60),
    sign=st.sampled_from([1.0, -1.0]),
    name=st.sampled_from(["formation energies", "moduli", "carriers over twelve decades"]),
)
def test_what_is_far_does_not_depend_on_the_unit(exponent: int, sign: float, name: str) -> None:
    scale = sign * 2.0**exponent
    assert kinds(LAWFUL[name] * scale) == []
    values = spoilt(LAWFUL[name], slice(3, 5), 1e80)
    found = find_outliers(values * scale, "y", "")
    assert [(each.kind, each.rows.tolist()) for each in found] == [("far", [3, 4])]


def test_three_values_in_a_million_are_found() -> None:
    values = np.random.default_rng(2).normal(size=1_000_000)
    assert kinds(values) == []
    (found,) = find_outliers(spoilt(values, slice(10, 31, 10), 4e7), "y", "")
    assert (found.kind, found.rows.tolist()) == ("far", [10, 20, 30])
    assert kinds(np.where(np.arange(1_000_000) % 3 == 0, 1000.0, 1.0) * (10.0 + values)) == ["unit"]


def test_values_over_hundreds_of_decades_are_judged_without_a_warning() -> None:
    decades = np.array([10.0**-each for each in range(80, 200, 8)] + [1.0, 2.0])
    subnormal = np.array([5e-324 * each for each in range(1, 14)] + [1e12])
    with np.errstate(all="raise", under="ignore"):
        assert find_outliers(decades, "y", "eV") == ()
        assert [each.rows.tolist() for each in find_outliers(subnormal, "y", "eV")] == [[13]]
