"""The pool that is made of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.table import CandidateTable, TableColumns
from protocols.wire.structure import CrystalStructure

COLUMNS = TableColumns(family="s", property="e", unit="eV", features=("a", "b"), composition="f")
CUBE = ((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0))


def table(**fields: object) -> CandidateTable:
    made = CandidateTable(
        columns=COLUMNS,
        candidate_ids=("z", "a", "m"),
        families=("cubic", "cubic", "trigonal"),
        values=np.array([0.125, -7.5, 3.25]),
        features=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        feature_names=("a", "b"),
        formulas=("NaCl", "KCl", "Fe2O3"),
        structures=None,
        additional={},
        dropped=0,
        warnings=(),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def test_named_feature_columns_make_the_features_and_rows_stay_together() -> None:
    pool = pool_from_table(table())
    assert pool.candidate_ids == ("a", "m", "z")
    assert [candidate.formula for candidate in pool.candidates] == ["KCl", "Fe2O3", "NaCl"]
    assert [candidate.family for candidate in pool.candidates] == ["cubic", "trigonal", "cubic"]
    np.testing.assert_array_equal(pool.features, [[3, 4], [5, 6], [1, 2]])
    assert pool.feature_names == ("a", "b")


def test_no_measured_value_gets_into_the_pool() -> None:
    pool = pool_from_table(table())
    other = pool_from_table(table(values=np.array([9.0, 9.5, -9.0]), additional={"gap": np.array([1.0, 2.0, 3.0])}))
    assert pool.digest == other.digest
    assert not np.isin(table().values, pool.features).any()


def test_formulas_make_the_features_where_there_is_nothing_else() -> None:
    from agent.pool.features import composition_features

    pool = pool_from_table(table(features=np.empty((3, 0)), feature_names=()))
    expected, names = composition_features(["KCl", "Fe2O3", "NaCl"])
    np.testing.assert_array_equal(pool.features, expected)
    assert pool.feature_names == tuple(names)


def test_structures_go_before_formulas_and_stay_with_their_candidate() -> None:
    from agent.pool.features import structure_features

    crystals = tuple(
        CrystalStructure(cell=CUBE, symbols=(metal, "Cl"), scaled_positions=((0, 0, 0), (0.5, 0.5, 0.5)))
        for metal in ("Na", "K", "Cs")
    )
    pool = pool_from_table(table(features=np.empty((3, 0)), feature_names=(), structures=crystals))
    expected, names = structure_features([crystals[1], crystals[2], crystals[0]])
    np.testing.assert_array_equal(pool.features, expected)
    assert pool.feature_names == tuple(names)
    assert [candidate.structure for candidate in pool.candidates] == [crystals[1], crystals[2], crystals[0]]


def test_a_formula_that_is_none_is_a_table_error(tmp_path: Path) -> None:
    with pytest.raises(TableError):
        pool_from_table(table(features=np.empty((3, 0)), feature_names=(), formulas=("NaCl", "no formula!", "KCl")))


def test_molecules_keep_their_smiles() -> None:
    pool = pool_from_table(table(smiles=("O", "N", "NC=O")))
    assert [(each.candidate_id, each.smiles) for each in pool.candidates] == [("a", "N"), ("m", "NC=O"), ("z", "O")]
