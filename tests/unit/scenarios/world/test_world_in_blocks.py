"""A world whose table is read in blocks is the world of the table in memory: the same start, the same campaign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from protocols.errors import SettingsError, TableError
from scenarios.compare.trials import make_trials
from scenarios.run.offline import play_offline
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.world.world import build_world
from simulators.evaluator import EvaluationFailed
from simulators.oracle_table import OracleTable
from tests.support.sample_messages import request

ROWS = 600
COLUMNS: dict[str, Any] = {
    "id": "name", "family": "system", "property": "energy", "unit": "eV/atom", "features": ["f?"],
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scenario]:
    """Makes a scenario of a table that is read in blocks, or not."""
    pytest.importorskip("pyarrow", reason="pyarrow is in the extra parquet")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS, 3)).astype(np.float32)
    energy = np.sin(2.0 * X[:, 0]) + X[:, 1] + rng.normal(scale=0.05, size=ROWS)
    frame = pd.DataFrame(
        {
            "name": [f"m{number}" for number in rng.permutation(ROWS)],
            "system": rng.choice(["cubic", "hexagonal", "trigonal"], ROWS),
            "energy": energy,
            "known": np.where(np.arange(ROWS) < 40, energy, np.nan),
            **{f"f{place}": X[:, place] for place in range(3)},
        }
    )
    path = tmp_path / "table.parquet"
    frame.to_parquet(path, row_group_size=100)

    def scenario(*, in_blocks: bool, columns: dict[str, Any] | None = None, **sections: Any) -> Scenario:
        campaign = {"budget": 12, "seed": 3, "policy": "gap_gain", "policy_options": {"active_rows": "all"}}
        meant = COLUMNS | (columns or {}) | {"in_blocks": in_blocks}
        return scenario_of(
            {
                "name": "world",
                "pool": {"path": str(path), "columns": meant} | sections.pop("pool", {}),
                "start": {"size": 40} | sections.pop("start", {}),
                "campaign": campaign | sections.pop("campaign", {}),
                **sections,
            }
        )

    return scenario


@pytest.mark.parametrize("policy", ["gap_gain", "uncertainty", "random", "etal"])
def test_it_is_the_same_campaign(made: Callable[..., Scenario], policy: str) -> None:
    """Every event of it: choices, scores and reasons."""
    journals = []
    for in_blocks in (False, True):
        scenario = made(in_blocks=in_blocks, campaign={"policy": policy, "policy_options": {}})
        world = build_world(scenario)
        assert world.pool.in_blocks is in_blocks
        played = play_offline(world.pool, world.balanced, world.start.tolist(), scenario.campaign)
        journals.append(played.events)
    assert journals[0] == journals[1]


def test_what_a_lab_has_measured_is_the_start_set(made: Callable[..., Scenario]) -> None:
    lab = {"columns": {"property": "known", "on_missing": "unknown"}, "start": {"size": 0}}
    whole, blocks = (build_world(made(in_blocks=each, **lab)) for each in (False, True))
    assert len(blocks.start) == 40
    assert blocks.start_observations() == whole.start_observations()
    assert any("known for 40 of 600 rows" in each for each in blocks.warnings)


def test_the_oracle_answers_what_the_oracle_in_memory_does(made: Callable[..., Scenario]) -> None:
    answers = []
    for in_blocks in (False, True):
        scenario = made(in_blocks=in_blocks)
        world, (simulator,) = build_world(scenario), scenario.instruments
        assert simulator.table is not None
        oracle = OracleTable.from_settings(simulator.table)
        asked = [request(candidate_id=which) for which in world.pool.candidate_ids[::50]]
        answers.append([oracle.evaluate(each) for each in asked])
        with pytest.raises(EvaluationFailed, match="is not among the 600 rows"):
            oracle.evaluate(request(candidate_id="nobody"))
    assert answers[0] == answers[1]
    assert len(answers[0]) == 12


def test_what_looks_at_each_candidate_alone_is_refused(made: Callable[..., Scenario]) -> None:
    with pytest.raises(SettingsError, match=r"says which candidates may be asked for, and the pool is read in blocks"):
        build_world(made(in_blocks=True, limits={"parameters": {"f0": (0.0, 1.0)}}))
    scenario = made(in_blocks=True)
    world = build_world(scenario)
    with pytest.raises(SettingsError, match=r"600 candidates and is read in blocks, and rows are held out"):
        make_trials(scenario, world, [0], 0.2)


def test_features_of_another_table_are_refused(made: Callable[..., Scenario], tmp_path: Path) -> None:
    beside = {"features": {"path": str(tmp_path / "table.parquet")}}
    with pytest.raises(TableError, match=r"is read in blocks, and pool\.features stands beside it"):
        build_world(made(in_blocks=True, pool=beside))
