from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from protocols.wire.structure import CrystalStructure
from scenarios.pool.pool import pool_in_words, write_pool
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.world.world import build_world


def argon(**pool: object) -> Scenario:
    return scenario_of(
        {
            "name": "argon",
            "pool": {"source": "crystals", "crystals": {"elements": ["Ar"], "number": 14}, **pool},
            "campaign": {"property": "volume_per_atom", "unit": "Å^3", "budget": 3},
            "simulator": {"calculator": "lennard_jones", "calculator_parameters": {"sigma": 3.4}},
        }
    )


def test_a_written_pool_has_the_ids_and_the_structures_that_requests_carry(tmp_path: Path) -> None:
    scenario = argon()
    world = build_world(scenario)
    write_pool(world, scenario, tmp_path / "pool.csv", features=True)
    with (tmp_path / "pool.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(row["id"] for row in rows) == world.pool.candidate_ids
    structures = [CrystalStructure.model_validate_json(row["structure"]) for row in rows]
    assert structures == [each.structure for each in world.pool.candidates]
    written = np.array([[float(row[f"feature_{name}"]) for name in world.pool.feature_names] for row in rows])
    assert np.array_equal(written, world.pool.features)
    assert not {"volume_per_atom", "smiles"} & set(rows[0])


def test_what_is_in_a_pool_is_told_by_family() -> None:
    lines = list(pool_in_words(build_world(argon())))
    assert lines[0] == "14 candidates, 45 features, 0 values known"
    assert len(lines) == 8
    assert lines[1].split() == ["cubic", "2", "of", "1", "formulas"]
