"""The pool that is made of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.cells import FloatArray
from protocols.tables.designs import DesignRows, FeatureTable, LogRows
from protocols.tables.table import CandidateTable, TableColumns
from protocols.wire.structure import CrystalStructure
from tests.support.samples.closures import rows_of, text_of

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


def test_candidates_keep_the_ids_of_their_table_and_have_none_where_it_has_none() -> None:
    pool = pool_from_table(table(source_ids=("Z α", "a", "M")))
    assert [candidate.source_id for candidate in pool.candidates] == ["a", "M", "Z α"]
    assert {candidate.source_id for candidate in pool_from_table(table()).candidates} == {""}


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
    expected, names = structure_features([crystals[1], crystals[2], crystals[0]], 0.01, -1.0)
    np.testing.assert_array_equal(pool.features, expected)
    assert pool.feature_names == tuple(names)
    assert [candidate.structure for candidate in pool.candidates] == [crystals[1], crystals[2], crystals[0]]


def test_features_hang_on_the_tolerances_of_the_table() -> None:
    """Two atoms a hundredth of the cell off a body centre: two sites within 0.01 Å, one within 0.1 Å."""
    off = CrystalStructure(cell=CUBE, symbols=("Cu", "Cu"), scaled_positions=((0, 0, 0), (0.5, 0.5, 0.51)))
    sites = []
    for tolerance in (0.01, 0.1):
        columns = COLUMNS.model_copy(update={"symmetry_tolerance": tolerance})
        made = table(features=np.empty((3, 0)), feature_names=(), structures=(off,) * 3, columns=columns)
        pool = pool_from_table(made)
        sites.append(pool.features[0, pool.feature_names.index("sites_per_primitive_cell")])
    assert sites == [2, 1]


def test_features_of_structures_may_come_from_who_has_them() -> None:
    asked = []

    def describe(structures: Sequence[CrystalStructure | None], *tolerances: float) -> tuple[FloatArray, tuple[str]]:
        asked.append((len(structures), tolerances))
        return np.array([[3.0], [1.0], [2.0]]), ("own",)

    crystal = CrystalStructure(cell=CUBE, symbols=("Cu",), scaled_positions=((0, 0, 0),))
    made = table(features=np.empty((3, 0)), feature_names=(), structures=(crystal,) * 3)
    pool = pool_from_table(made, describe=describe)
    assert asked == [(3, (0.01, -1.0))]
    assert (pool.feature_names, pool.features.tolist()) == (("own",), [[1.0], [2.0], [3.0]])


def test_a_formula_that_is_none_is_a_table_error(tmp_path: Path) -> None:
    with pytest.raises(TableError):
        pool_from_table(table(features=np.empty((3, 0)), feature_names=(), formulas=("NaCl", "no formula!", "KCl")))


def test_molecules_keep_their_smiles() -> None:
    pool = pool_from_table(table(smiles=("O", "N", "NC=O")))
    assert [(each.candidate_id, each.smiles) for each in pool.candidates] == [("a", "N"), ("m", "NC=O"), ("z", "O")]


DESIGN_COLUMNS = TableColumns(
    smiles="m", family=(), factors=("x", "y", "place"), queried="x", reference="-", property="e", unit="D"
)


def table_of_designs(**fields: object) -> CandidateTable:
    """The made-up closure as a table: its rows are designs, and its candidates stand there once, last made first."""
    rows = rows_of()
    texts = sorted({text_of(*row) for row in rows}, reverse=True)
    n = len(texts)
    made = replace(
        table(),
        columns=DESIGN_COLUMNS,
        candidate_ids=tuple(f"c-{text}" for text in texts),
        families=("all",) * n,
        values=np.arange(n) / 7.0,
        features=np.empty((n, 0)),
        feature_names=(),
        formulas=("",) * n,
        smiles=tuple(texts),
        keys=tuple(texts),
        designs=DesignRows(
            {factor: tuple(row[k] for row in rows) for k, factor in enumerate(DESIGN_COLUMNS.factors)},
            np.array([texts.index(text_of(*row)) for row in rows]),
        ),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def features_of(made: CandidateTable, *names: str, factor: float = 1.0) -> FeatureTable:
    """A table of features in another order than the candidates': each column tells which candidate it is of."""
    rows = {key: np.full(len(names), factor * len(key) + 0.5) for key in sorted(made.keys)}
    return FeatureTable(Path("features.csv"), names, rows)


def test_designs_make_the_candidates_that_their_rows_say_whatever_the_order_of_the_table() -> None:
    made = table_of_designs()
    pool = pool_from_table(made)
    assert pool.designs is not None
    assert pool.candidate_ids == tuple(sorted(made.candidate_ids))
    for codes, candidate in zip(pool.designs.codes, pool.designs.candidate, strict=True):
        levels = [pool.designs.levels[k][code] for k, code in enumerate(codes)]
        assert pool.candidates[candidate].smiles == text_of(*levels)
    assert (pool.designs.queried, pool.designs.groups[pool.designs.reference]) == ("x", "-")


def test_features_beside_the_table_stay_with_their_candidate_and_follow_its_own() -> None:
    made = table_of_designs()
    own = replace(
        made, feature_names=("own",), features=np.arange(len(made.keys), dtype=np.float64).reshape(-1, 1) * 3.0 % 5.0
    )
    pool = pool_from_table(own, features_of(made, "length", "again"))
    assert pool.feature_names == ("own", "length", "again")
    for candidate, row in zip(pool.candidates, pool.features, strict=True):
        place = made.keys.index(candidate.smiles)
        assert row.tolist() == [3.0 * place % 5.0, len(candidate.smiles) + 0.5, len(candidate.smiles) + 0.5]


def test_a_feature_that_stands_in_both_tables_is_refused() -> None:
    made = table_of_designs()
    own = replace(made, feature_names=("length",), features=np.ones((len(made.keys), 1)))
    with pytest.raises(TableError, match=r"'length' stands in the pool's table and in the table of features"):
        pool_from_table(own, features_of(made, "length"))


def test_a_candidate_without_features_is_named() -> None:
    made = table_of_designs()
    beside = features_of(made, "length")
    lacking = FeatureTable(beside.path, beside.names, {key: row for key, row in beside.rows.items() if key != "ring"})
    with pytest.raises(TableError, match=r"no row for 'ring' \(1 such\)"):
        pool_from_table(made, lacking)


def test_features_without_designs_are_taken_too() -> None:
    made = table_of_designs(designs=None)
    pool = pool_from_table(made, features_of(made, "length"))
    assert (pool.designs, pool.feature_names) == (None, ("length",))


def test_a_log_stands_in_the_pool_with_the_codes_of_its_designs_and_changes_its_digest() -> None:
    made = table_of_designs()
    log = LogRows({"x": ("q", None), "place": ("far", "near")}, np.array([1.0, 2.0]))
    pool = pool_from_table(made, None, log)
    assert pool.log is not None
    assert pool.designs is not None
    assert pool.log.codes[0, 0] == pool.designs.groups.index("q")
    assert pool.log.values.tolist() == [1.0, 2.0]
    assert pool.digest != pool_from_table(made).digest


@pytest.mark.parametrize("where", ["of its own", "of the table beside it"])
@pytest.mark.parametrize("measured", ["e", "gap"])
def test_a_feature_that_is_a_measured_property_by_another_name_is_refused(where: str, measured: str) -> None:
    made = table_of_designs()
    gap = np.where(np.arange(len(made.keys)) % 2, np.nan, np.arange(len(made.keys)) * 3.0)
    made = replace(made, additional={"gap": gap})
    told = made.values if measured == "e" else np.nan_to_num(gap, nan=17.0)
    beside = None
    if where == "of its own":
        made = replace(made, feature_names=("told",), features=told.reshape(-1, 1))
    else:
        rows = {key: np.array([value]) for key, value in zip(made.keys, told, strict=True)}
        beside = FeatureTable(Path("features.csv"), ("told",), rows)
    with pytest.raises(TableError, match=rf"'told' is the measured property '{measured}' by another name"):
        pool_from_table(made, beside)


def test_a_feature_that_agrees_with_two_values_alone_is_no_property() -> None:
    made = table_of_designs()
    values = np.where(np.arange(len(made.keys)) < 5, 1.0, np.nan)
    values[1] = 2.0
    same = replace(made, values=values, feature_names=("a",), features=np.nan_to_num(values, nan=9.0).reshape(-1, 1))
    assert pool_from_table(same).feature_names == ("a",)
