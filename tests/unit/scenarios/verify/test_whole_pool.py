"""The whole pool is made again where declared metrics need it and may be computed, and else it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.campaign.events import CampaignStarted
from agent.campaign.plan import CampaignPlan
from agent.run_files import RECORDING
from scenarios.verify.whole_pool import NOT_COMPUTED, WholePool, whole_pool
from tests.support.played_runs import small_system, write_run


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
