"""Run folders of small causal campaigns, played without a broker: a journal, and a recording that names a scenario."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agent.campaign.events import Event
from agent.campaign.ledger import Ledger
from agent.run_files import DATABASE, RECORDING
from agent.store.commit import Commit
from protocols.recording.writer import RecordingWriter
from protocols.settings.user_code import INSTALLED
from scenarios.run.offline import play_offline
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_settings
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import World, build_world
from tests.support.campaigns import SENT_AT
from tests.support.stored_campaigns import opened


def small_system(budget: int = 4) -> tuple[Scenario, World]:
    """Interventions in the equations of `synthetic_scm`, few enough for a unit test."""
    settings = (f"campaign.budget={budget}", "pool.structural_model.passive_rows=60")
    scenario = load_scenario("synthetic_scm", Overrides(assignments=settings), {}).settings
    return scenario, build_world(scenario)


def write_run(folder: Path, scenario: Scenario, world: World) -> tuple[Event, ...]:
    """Play the campaign of a scenario, and write its database and recording; return its journal."""
    played = play_offline(world.pool, world.balanced, list(world.start), scenario.campaign)
    ledger = Ledger(world.pool, INSTALLED)
    changes = [ledger.fold(event) for event in played.events]
    metrics = tuple(each.metrics for each in changes if each.metrics is not None)
    with closing(opened(folder / DATABASE, world.pool)) as store:
        store.append(Commit(events=played.events), now=SENT_AT)
        store.append(Commit(bias=metrics), now=SENT_AT)
    header = {"campaign": "small", "pool_digest": world.pool.digest, "scenario": recorded_settings(scenario)}
    RecordingWriter(folder / RECORDING, {**header, "versions": {}}).close()
    return played.events
