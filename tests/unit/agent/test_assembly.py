"""A run folder is opened as the campaign that it holds, whatever the program's defaults have become since."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.assembly import assemble_agent
from agent.campaign.events import CampaignPaused
from agent.campaign.life_cycle import Phase
from agent.entropy.measure import EntropyMeasure
from agent.opening import CampaignFiles, open_campaign
from agent.run_files import DATABASE, LOG
from agent.runtime.resume import begin
from agent.settings import CampaignSettings
from agent.store.commit import Commit
from protocols.errors import StoreError
from protocols.link.broker_settings import BrokerSettings
from tests.support.campaigns import PROPERTY, SENT_AT, UNIT, small_plan, small_pool
from tests.support.stored_campaigns import opened

POOL = small_pool(12)
TERMS = {
    "property": PROPERTY, "unit": UNIT, "budget": 6, "policy": "random", "seed": 7, "valid_range": (-10.0, 10.0),
}  # fmt: skip

SETTINGS = CampaignSettings.model_validate(TERMS)
BROKER = BrokerSettings(url="mqtt://127.0.0.1:1")


def opened_again(
    folder: Path, start: list[float], *, resume: bool, **changes: Any
) -> AbstractContextManager[CampaignFiles]:
    """Open a run folder."""
    return open_campaign(
        folder,
        pool=POOL,
        settings=CampaignSettings.model_validate(TERMS | changes),
        campaign="demo",
        recipients=("simulator-1",),
        start=list(zip(POOL.candidate_ids, start, strict=False)),
        resume=resume,
    )


def measure_of(folder: Path, start: list[float], *, resume: bool, **changes: Any) -> EntropyMeasure:
    """Open a run folder, and say which entropy its campaign means."""
    with opened_again(folder, start, resume=resume, **changes) as files:
        return files.plan.measure


def test_a_campaign_keeps_the_resolution_of_its_own_start_set(tmp_path: Path) -> None:
    began = measure_of(tmp_path, [1.0, 3.0, 1.0, 3.0], resume=False)
    assert began == EntropyMeasure("m_spacing", 1e-3)
    assert measure_of(tmp_path, [1.0, 3.0, 1.0, 3.0, 9.0], resume=True) == began  # the lab's table has grown meanwhile
    with pytest.raises(StoreError, match=r"resolution: 0\.001 then, 0\.5 now"):
        measure_of(tmp_path, [1.0, 3.0, 1.0, 3.0], resume=True, resolution=0.5)


def test_a_campaign_of_an_older_version_goes_on_with_the_published_entropy(tmp_path: Path) -> None:
    store = opened(tmp_path / DATABASE, POOL)
    begin(store, POOL, small_plan(POOL), [], versions={}, now=SENT_AT)
    store.close()
    assert measure_of(tmp_path, [], resume=True) == EntropyMeasure("published")
    with pytest.raises(StoreError, match="estimator: 'published' then, 'm_spacing' now"):
        measure_of(tmp_path, [], resume=True, estimator="m_spacing")


def test_what_a_resumed_campaign_takes_back_and_goes_on_with_stands_in_its_log(tmp_path: Path) -> None:
    store = opened(tmp_path / DATABASE, POOL)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    begin(store, POOL, small_plan(POOL), [], versions={}, now=tomorrow.isoformat())
    store.append(Commit(events=(CampaignPaused("nobody answers"),)), now=SENT_AT)
    store.close()
    with (
        opened_again(tmp_path, [], resume=True) as files,
        assemble_agent(files, pool=POOL, settings=SETTINGS, broker=BROKER, header={}),
    ):
        assert files.ledger.campaign.phase is Phase.RUNNING
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    told = {line["event"]: line for line in lines}
    assert datetime.fromisoformat(told["begin_corrected"]["began_at"]) < tomorrow
    assert told["campaign_resumed"]["why"] == "the agent was started again"
    assert told["agent_ended"]["sequence"] == 5
