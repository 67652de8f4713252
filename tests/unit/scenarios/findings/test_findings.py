"""What a run found is in its folder, is named, and says in a sentence what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.campaign.events import CampaignStarted, Event, StartSetLoaded
from scenarios.findings import findings, found_figure
from scenarios.findings.findings import Findings, write_findings
from scenarios.findings.system_graph import MOST_POINTS
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.initial_events import initial_events
from scenarios.world.world import World, build_world


def written(folder: Path, name: str, observed: int, *, whole: bool = True) -> Findings:
    """What is written of a campaign that knows the first values of its pool."""
    scenario: Scenario = load_scenario(name, Overrides()).settings
    world: World = build_world(scenario)
    plan, _ = initial_events(scenario, world, campaign="demo", uid="u")
    rows = tuple(map(tuple, world.balanced[:observed, 1:].tolist()))
    start = StartSetLoaded(world.pool.candidate_ids[:observed], tuple(world.values[:observed].tolist()), rows)
    events: list[Event] = [CampaignStarted(plan), start]
    return write_findings(folder, events, plan, world.pool, scenario, title="demo", whole=whole)


def test_a_system_has_its_graph_and_the_loss_of_it(tmp_path: Path) -> None:
    told = written(tmp_path, "synthetic_scm", 40)
    assert told.files == ("graph.csv", "graph.png", "graph_loss.csv", "graph_loss.png")
    assert {path.name for path in tmp_path.iterdir()} == set(told.files)
    assert [line.partition(":")[0] for line in told.lines] == ["graph", "graph loss"]
    assert len((tmp_path / "graph_loss.csv").read_text().splitlines()) == 1 + MOST_POINTS


def test_an_interrupted_campaign_has_its_graph_alone(tmp_path: Path) -> None:
    told = written(tmp_path, "synthetic_scm", 40, whole=False)
    assert told.files == ("graph.csv", "graph.png")
    assert {path.name for path in tmp_path.iterdir()} == set(told.files)


def test_molecules_above_the_threshold_are_shown_and_counted(tmp_path: Path) -> None:
    told = written(tmp_path, "substituted_benzenes", 60)
    assert told.files == ("found.csv", "found.png")
    assert {path.name for path in tmp_path.iterdir()} == set(told.files)
    assert told.lines[0].startswith("found: ")


def test_where_nothing_was_found_there_is_no_picture_of_it(tmp_path: Path) -> None:
    told = written(tmp_path, "substituted_benzenes", 1)
    assert told == Findings(("found.csv",), ("found: 0 of 1 molecules measured are above 5 D",))


def test_without_rdkit_the_summary_names_the_extra_that_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "can_draw", lambda: False)
    monkeypatch.setattr(found_figure, "can_draw", lambda: False)
    told = written(tmp_path, "substituted_benzenes", 60)
    assert told.files == ("found.csv", "found.png")
    assert "pip install 'entropilot[molecules]'" in told.lines[0]


def test_a_campaign_after_evenness_leaves_nothing_of_the_kind(tmp_path: Path) -> None:
    assert written(tmp_path, "oracle_table", 30) == Findings()
    assert list(tmp_path.iterdir()) == []
