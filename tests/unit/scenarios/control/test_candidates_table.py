"""New candidates get ids, families and features as those of the pool have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocols.errors import SettingsError, TableError
from protocols.tables.format import USUAL, TableFormat
from scenarios.control.candidates_table import TableOfCandidates, read_candidates, typed_candidate
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.world.world import World, build_world

ROWS = [
    (f"m{number}", "cubic" if number % 2 else "trigonal", number / 7, (number * 7 % 11) / 3, number % 5)
    for number in range(20)
]


def made(folder: Path, **columns: Any) -> tuple[Scenario, World]:
    """A scenario on a table, with its world."""
    table = folder / "table.csv"
    lines = ["id,family,energy,feat_a,feat_b"]
    lines += [
        f"{one},{family},{(number * 37 % 20) - 9.5 + a},{a},{b}" for number, (one, family, a, b, _) in enumerate(ROWS)
    ]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    meant = {"family": "family", "property": "energy", "unit": "eV", "features": ["feat_*"]} | columns
    content = {
        "name": "lab", "pool": {"path": str(table), "columns": meant},
        "start": {"size": 4, "minimum_per_family": 1}, "campaign": {"policy": "random", "budget": 3},
    }  # fmt: skip
    scenario = scenario_of(content)
    return scenario, build_world(scenario)


def read(folder: Path, text: str, how: TableFormat = USUAL, **columns: Any) -> TableOfCandidates:
    scenario, world = made(folder, **columns)
    path = folder / "new.csv"
    path.write_text(text, encoding="utf-8")
    return read_candidates(path, how, scenario, world.pool)


def test_a_row_needs_no_value_and_its_features_stand_in_the_order_of_the_pool(tmp_path: Path) -> None:
    found = read(tmp_path, "feat_b,id,feat_a,family\n2,New 1,1,cubic\n-0.5,n2,3,trigonal\n", id="id")
    first, second = found.candidates
    assert (first.family, first.features, second.features) == ("cubic", (1.0, 2.0), (3.0, -0.5))
    assert second.candidate_id == "n2"
    assert first.candidate_id.startswith("new-1-")
    assert (found.places, first.origin) == (("line 2 of new.csv", "line 3 of new.csv"), "line 2 of new.csv")


def test_a_candidate_that_the_pool_has_already_gets_the_same_id(tmp_path: Path) -> None:
    scenario, world = made(tmp_path)
    known = world.pool.candidates[3]
    a, b = world.pool.features[3]
    path = tmp_path / "new.csv"
    path.write_text(f"family,feat_a,feat_b\n{known.family},{a!r},{b!r}\n".replace("np.float64(", "").replace(")", ""))
    (same,) = read_candidates(path, USUAL, scenario, world.pool).candidates
    assert same.candidate_id == known.candidate_id


@pytest.mark.parametrize("features", [[], ["feat_*"]])
def test_what_is_to_be_set_comes_along_whether_it_is_a_feature_or_not(tmp_path: Path, features: list[str]) -> None:
    to_set: dict[str, Any] = {
        "features": features,
        "parameters": {"feat_a": "K", "feat_b": "min"},
        "labels": ["family"],
    }
    (new,) = read(tmp_path, "family,feat_b,feat_a\ncubic,2,1\n", **to_set).candidates
    assert [(each.name, each.value, each.unit) for each in new.parameters] == [("feat_a", 1, "K"), ("feat_b", 2, "min")]
    assert (new.features, new.labels) == ((1.0, 2.0), {"family": "cubic"})
    scenario, world = made(tmp_path, **to_set)
    (typed,) = typed_candidate({"family": "cubic", "feat_a": "1", "feat_b": "2"}, scenario, world.pool).candidates
    assert typed.parameters == new.parameters


def test_features_of_formulas_are_made_as_those_of_the_pool(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    formulas = ["NaCl", "KCl", "LiF", "MgO", "CaO", "TiO2", "ZnS", "GaAs"]
    rows = [f"{formula},{'ab'[place % 2]},{place * 0.7 - place**2}" for place, formula in enumerate(formulas)]
    table.write_text("\n".join(["formula,family,energy", *rows]) + "\n", encoding="utf-8")
    columns = {"composition": "formula", "family": "family", "property": "energy", "unit": "eV"}
    scenario = scenario_of(
        {"name": "lab", "pool": {"path": str(table), "columns": columns}, "start": {"size": 2, "minimum_per_family": 1},
         "campaign": {"policy": "random", "budget": 3}}
    )  # fmt: skip
    pool = build_world(scenario).pool
    path = tmp_path / "new.csv"
    path.write_text("formula,family\nNaCl,a\nNaBr,b\n", encoding="utf-8")
    again, new = read_candidates(path, USUAL, scenario, pool).candidates
    assert again.candidate_id in pool.index_of
    np.testing.assert_array_equal(again.features, pool.features[pool.index_of[again.candidate_id]])
    assert (new.formula, len(new.features)) == ("NaBr", len(pool.feature_names))


def test_a_family_of_equally_many_rows_is_named_in_a_column_of_its_own(tmp_path: Path) -> None:
    binned = {"column": "feat_a", "bins": 2}
    named = read(tmp_path, "family,feat_a,feat_b\nfeat_a < 1,1,2\n", family=binned)
    assert named.candidates[0].family == "feat_a < 1"
    with pytest.raises(TableError, match="no column 'family'"):
        read(tmp_path, "feat_a,feat_b\n1,2\n", family=binned)


def test_a_family_at_given_edges_follows_from_the_number(tmp_path: Path) -> None:
    cut = {"column": "feat_a", "edges": [1.5]}
    assert read(tmp_path, "feat_a,feat_b\n1,2\n", family=cut).candidates[0].family == "feat_a < 1.5"


def test_a_family_goes_by_the_name_that_the_scenario_gives_it(tmp_path: Path) -> None:
    renamed = {"cubic": "isometric"}
    found = read(tmp_path, "family,feat_a,feat_b\ntrigonal,1,2\n", family_names=renamed)
    assert found.candidates[0].family == "trigonal"
    assert read(tmp_path, "family,feat_a,feat_b\ncubic,1,2\n", family_names=renamed).candidates[0].family == "isometric"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("family,feat_a\ncubic,1\n", "no column 'feat_b'"),
        ("family,feat_a,feat_b\ncubic,1,\n", "line 2"),
        ("family,feat_a,feat_b\n,1,2\n", "line 2"),
        ("family,feat_a,feat_b\ncubic,1,wide\n", "'wide'"),
        ("family,feat_a,feat_b\ncubic,1,2\ncubic,1,2\n", "line 2 of new.csv and line 3"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(TableError, match=why):
        read(tmp_path, text)


def test_a_row_that_was_typed_is_read_by_the_same_rules(tmp_path: Path) -> None:
    scenario, world = made(tmp_path, id="id")
    typed = typed_candidate({"id": "n1", "family": "cubic", "feat_a": "1", "feat_b": "-2"}, scenario, world.pool)
    assert typed.candidates[0].features == (1.0, -2.0)
    with pytest.raises(TableError, match="The row that was typed has no column 'feat_b'"):
        typed_candidate({"id": "n1", "family": "cubic", "feat_a": "1"}, scenario, world.pool)
    with pytest.raises(TableError, match="has 'x' in what was typed"):
        typed_candidate({"id": "n1", "family": "cubic", "feat_a": "1", "feat_b": "x"}, scenario, world.pool)


def test_a_closure_takes_no_new_candidates(tmp_path: Path) -> None:
    scenario, world = made(tmp_path)
    from dataclasses import replace

    closed = replace(world.pool, interventions=object())  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="closure"):
        read_candidates(tmp_path / "new.csv", USUAL, scenario, closed)
