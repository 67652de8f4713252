"""A real table plays the lab: the second set of the ET-AL paper, where it lies beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.run.request import RunRequest
from scenarios.run.run import run
from scenarios.run.summary.model import read_summary
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world

TABLE = Path(__file__).parents[2] / ".." / "shared" / "data" / "oqmd8" / "oqmd8.csv"

SCENARIO = """
name = "oqmd8"
[pool]
source = "table"
path = {path!r}
[pool.columns]
id = "Unnamed: 0"
family = "crystal_system"
property = "energy"
unit = "eV/atom"
features = ["Co", "Ni", "W", "Al", "Cr", "Fe", "Ti", "Cu", "volume"]
[start]
size = 400
minimum_per_family = 3
[campaign]
budget = 30
parallel = 4
[simulator]
concurrency = 4
"""

PUBLISHED = {
    "cubic": 0.547116,
    "hexagonal": 0.043566,
    "trigonal": -0.066757,
    "tetragonal": -0.091653,
    "orthorhombic": 0.007670,
    "monoclinic": -0.561636,
    "triclinic": -0.054406,
}
"""Entropy of each family over the whole table [nat], as the paper's notebook prints it."""


@pytest.mark.system
@pytest.mark.skipif(not TABLE.exists(), reason="the folder of real tables is not beside the repository")
def test_a_campaign_runs_on_the_papers_second_table(tmp_path: Path) -> None:
    (tmp_path / "oqmd8.toml").write_text(SCENARIO.format(path=str(TABLE.resolve())))
    scenario = load_scenario(str(tmp_path / "oqmd8.toml"), Overrides(), {}).settings
    world = build_world(scenario)
    assert len(world.pool) == 2953
    assert set(world.pool.families) == set(PUBLISHED)
    outcome = run(RunRequest(scenario, world, "oqmd8", tmp_path / "run"), None)
    assert outcome.finished
    summary = read_summary(tmp_path / "run" / "summary.json")
    assert (summary.spent, summary.observations, summary.quarantined) == (30, 430, 0)
    assert summary.random is not None


@pytest.mark.skipif(not TABLE.exists(), reason="the folder of real tables is not beside the repository")
def test_the_whole_table_has_the_entropies_that_the_paper_prints(tmp_path: Path) -> None:
    from agent.entropy.bias import measure_bias

    (tmp_path / "oqmd8.toml").write_text(SCENARIO.format(path=str(TABLE.resolve())))
    world = build_world(load_scenario(str(tmp_path / "oqmd8.toml"), Overrides(), {}).settings)
    point = measure_bias(world.pool.families, world.pool.family_codes, world.values)
    found = dict(zip(point.families, point.entropies, strict=True))
    assert found == pytest.approx(PUBLISHED, abs=1e-6)
