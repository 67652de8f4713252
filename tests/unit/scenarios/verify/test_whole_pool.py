"""The whole pool is made again where declared metrics need it and may be computed, and else it is said why not."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from agent.campaign.events import CampaignStarted
from agent.campaign.plan import CampaignPlan
from agent.run_files import RECORDING
from protocols.errors import StoreError
from protocols.recording.writer import RecordingWriter
from scenarios.settings.stored import recorded_settings
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.verify.whole_pool import LIMIT_S, NOT_COMPUTED, WholePool, bounded_world, whole_pool
from tests.support.runs.played_runs import small_system, write_run
from tests.support.samples.rewritten import rewrite_recording


@pytest.fixture
def plan(tmp_path: Path) -> CampaignPlan:
    started, *_ = write_run(tmp_path, *small_system())
    assert isinstance(started, CampaignStarted)
    return started.plan


def test_the_pool_is_the_campaign_s_and_the_truth_stands_beside_it(plan: CampaignPlan, tmp_path: Path) -> None:
    found = whole_pool(tmp_path, plan)
    assert found.pool is not None
    assert (found.pool.digest, found.pool.is_whole, found.why_not) == (plan.pool_digest, True, "")
    assert set(found.true_effects) == {f"x{k}" for k in range(8)}


def test_a_campaign_that_declares_nothing_needs_none(plan: CampaignPlan, tmp_path: Path) -> None:
    assert whole_pool(tmp_path, plan.model_copy(update={"metrics": ()})) == WholePool()


@pytest.mark.parametrize(
    ("changed", "why_not"),
    [
        ({"policy": "mine.py:Mine"}, "code of the user's own"),
        ({"metrics_of": "mine.py:Mine"}, "code of the user's own"),
        ({"fingerprint": "another"}, "other versions"),
        ({"pool_digest": "0" * 64}, "the pool of its scenario has changed"),
        ({"additional_properties": ()}, "does not measure"),
    ],
)
def test_where_it_cannot_be_it_is_said_why(
    plan: CampaignPlan, tmp_path: Path, changed: dict[str, object], why_not: str
) -> None:
    found = whole_pool(tmp_path, plan.model_copy(update=changed))
    assert found.pool is None
    assert found.why_not.startswith(NOT_COMPUTED)
    assert why_not in found.why_not


def test_without_a_recording_it_is_said_too(plan: CampaignPlan, tmp_path: Path) -> None:
    (tmp_path / RECORDING).unlink()
    assert whole_pool(tmp_path, plan).why_not.startswith(NOT_COMPUTED)


@pytest.mark.parametrize("huge", [{"passive_rows": 900_000}, {"repeats": 9_000}])
def test_a_model_of_a_stranger_s_recording_with_rows_beyond_number_is_not_made(
    plan: CampaignPlan, tmp_path: Path, huge: dict[str, int]
) -> None:
    def change(_number: int, row: dict[str, Any]) -> None:
        row["scenario"]["pool"]["structural_model"] |= huge

    rewrite_recording(tmp_path / RECORDING, change)
    assert "its structural model has " in whole_pool(tmp_path, plan).why_not


def test_a_pool_that_takes_too_long_is_given_up(plan: CampaignPlan, tmp_path: Path) -> None:
    scenario = load_scenario("oracle_table", Overrides(), {}).settings
    (tmp_path / RECORDING).unlink()
    RecordingWriter(tmp_path / RECORDING, {"campaign": "small", "scenario": recorded_settings(scenario)}).close()
    with pytest.raises(StoreError, match="takes longer than 600 s"):
        bounded_world(tmp_path, plan, itertools.count(step=LIMIT_S).__next__)
