from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agent.pool.features import structure_feature_names
from agent.pool.statistics import statistic_names
from protocols.errors import SettingsError, TableError
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.world.world import build_world


def scenario(pool: Mapping[str, object] | None = None, **changes: Mapping[str, object]) -> Scenario:
    values = {
        "name": "argon",
        "pool": {"source": "crystals", "crystals": {"elements": ["Ar"], "number": 14}, **(pool or {})},
        "campaign": {"property": "formation_energy_per_atom", "unit": "eV/atom", "budget": 3},
        "simulator": {"calculator": "lennard_jones", "calculator_parameters": {"sigma": 3.4}},
    }
    return scenario_of({**values, **changes})


def test_nothing_is_known_of_crystals_that_nobody_has_calculated() -> None:
    world = build_world(scenario())
    assert len(world.pool) == 14
    assert not world.all_known
    assert len(world.start) == 0
    assert world.pool.feature_names == structure_feature_names()


def test_a_pool_that_is_kept_is_the_same_pool() -> None:
    told: list[str] = []
    first = build_world(scenario())
    again = build_world(scenario(), lambda what, _done, _total: told.append(what))
    assert first.pool.digest == again.pool.digest
    assert told == []


def test_a_start_set_is_drawn_of_what_is_known_only() -> None:
    with pytest.raises(SettingsError, match=r"start.size = 7, and nothing is known.*pool.crystals.calculated"):
        build_world(scenario(start={"size": 7}))


def test_statistics_of_composition_join_the_features_and_change_no_candidate() -> None:
    plain = build_world(scenario()).pool
    described = build_world(scenario({"composition_statistics": True})).pool
    assert described.candidate_ids == plain.candidate_ids
    assert described.digest != plain.digest
    names = described.feature_names
    assert names[:45] == plain.feature_names
    assert set(names[45:]) == set(statistic_names()) - set(plain.feature_names)
    assert np.array_equal(described.features[:, :45], plain.features)


def test_embeddings_of_a_table_take_the_place_of_features_by_id(tmp_path: Path) -> None:
    plain = build_world(scenario()).pool
    path = tmp_path / "embeddings.csv"
    frame = pd.DataFrame({"id": plain.candidate_ids[::-1], "e0": np.arange(14.0), "e1": 1.5})
    frame.to_csv(path, index=False)
    described = build_world(scenario({"features": {"path": str(path)}})).pool
    assert described.feature_names == ("e0", "e1")
    assert described.features[:, 0].tolist() == np.arange(14.0)[::-1].tolist()
    frame[1:].to_csv(path, index=False)
    with pytest.raises(TableError, match="has no row for"):
        build_world(scenario({"features": {"path": str(path)}}))


@pytest.mark.parametrize(
    ("pool", "says"),
    [
        (
            {"source": "table", "path": "t.csv", "columns": {"property": "p", "unit": "", "features": ["f"]}},
            "go together",
        ),
        ({"crystals": {"elements": ["Ar"], "number": 0}}, "makes no crystals"),
        ({"crystals": {"elements": ["Ar", "Ar"]}}, "named twice"),
        ({"crystals": {"elements": []}}, "at least 1"),
        ({"crystals": {"elements": ["Ar"], "strain": 0.5}}, "0.2"),
        ({"crystals": {"elements": ["Ar"], "families": ["qubic"]}}, "'cubic'"),
        ({"crystal": {}}, "crystal"),
    ],
)
def test_settings_that_mean_nothing_are_refused(pool: Mapping[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        scenario(pool)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"campaign": {"property": "band_gap", "unit": "eV", "budget": 3}}, "no property 'band_gap'"),
        ({"simulator": {"evaluator": "lab:Own"}}, "no instrument calculates crystals"),
    ],
)
def test_what_cannot_be_calculated_in_advance_is_refused(changes: Mapping[str, object], says: str) -> None:
    pool = {"crystals": {"elements": ["Ar"], "number": 7, "calculated": True}}
    with pytest.raises(SettingsError, match=says):
        build_world(scenario(pool, **changes))  # type: ignore[arg-type]
