"""Candidates that join a pool of crystals: described as those that were made."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.control.candidates_table import typed_candidate
from scenarios.settings.derived import scenario_of
from scenarios.world.world import build_world

pytestmark = pytest.mark.system


def test_a_candidate_that_an_operator_adds_is_described_as_the_pool_is() -> None:
    crystals = {"elements": ["Ar"], "number": 14}
    scenario = scenario_of(
        {
            "name": "argon",
            "pool": {"source": "crystals", "crystals": crystals, "composition_statistics": True},
            "campaign": {"property": "volume_per_atom", "unit": "Å^3", "budget": 3},
            "simulator": {"calculator": "lennard_jones", "calculator_parameters": {"sigma": 3.4}},
        }
    )
    pool = build_world(scenario).pool
    known = pool.candidates[3]
    assert known.structure is not None
    added = typed_candidate({"structure": known.structure.model_dump_json()}, scenario, pool).candidates[0]
    assert added.family == known.family
    assert np.allclose(added.features, pool.features[3])
