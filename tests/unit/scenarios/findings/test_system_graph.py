"""The graph of a system: the same whoever answered first, and a loss that only the scenario can tell."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.campaign.events import CampaignStarted, Event, StartSetLoaded
from agent.campaign.plan import AdditionalProperty, CampaignPlan
from agent.causal.graph.losses import laplacian_distance, structural_hamming_distance
from agent.causal.structural.committee import Committee
from agent.pool.candidates import Pool
from scenarios.findings.system_graph import COLUMNS, draw_loss, system_graph, write_loss
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModel
from tests.support.campaigns import small_plan

SCENARIO: Scenario = load_scenario("synthetic_scm", Overrides()).settings
assert SCENARIO.pool.structural_model is not None
MODEL = StructuralModel(SCENARIO.pool.structural_model)
POOL, VALUES = make_structural_bed(SCENARIO.pool.structural_model)
OTHERS = tuple(name for name in MODEL.settings.variables if name != "y")


def plan(others: tuple[str, ...] = OTHERS, **changes: Any) -> CampaignPlan:
    beside = tuple(AdditionalProperty(name, "", (-1e6, 1e6), 1.0, 1.0, 0.1) for name in others)
    return small_plan(POOL, property_name="y", unit="", additional_properties=beside, **changes)


def journal(chosen: CampaignPlan, indices: list[int]) -> list[Event]:
    """A campaign whose observations came in this order."""
    ids = tuple(POOL.candidate_ids[index] for index in indices)
    rows = tuple(tuple(float(VALUES[name][index]) for name in chosen.property_names[1:]) for index in indices)
    return [CampaignStarted(chosen), StartSetLoaded(ids, tuple(float(VALUES["y"][i]) for i in indices), rows)]


DONE = list(range(0, 90, 3))


def test_it_is_what_the_committee_believes_of_all_rows() -> None:
    told = system_graph(journal(plan(), DONE), plan(), POOL, SCENARIO, points=2)
    assert told is not None
    bed = POOL.interventions
    assert bed is not None
    rows = np.column_stack([VALUES[name][DONE] for name in bed.variables])
    graphs = Committee(bed.variables, bed.passive, bed.target).graphs(rows, bed.variable[DONE])
    p = graphs.edge_probabilities()
    assert {(e.effect, e.cause): e.probability for e in told.graph.edges if e.probability} == {
        (i, j): p[i, j] for i, j in np.argwhere(p > 0).tolist()
    }
    assert {(e.effect, e.cause): e.truth for e in told.graph.edges if e.truth} == {
        (i, j): MODEL.weights[i, j] for i, j in np.argwhere(MODEL.weights).tolist()
    }
    assert [told.graph.names[place] for place in told.graph.hidden] == ["x2", "y"]
    assert told.loss is not None
    assert told.loss.hamming[-1, 0] == np.mean(
        [structural_hamming_distance(B, MODEL.weights, least=0.0) for B in graphs.weights]
    )
    assert told.loss.laplacian[-1, 0] == np.mean([laplacian_distance(B, MODEL.weights) for B in graphs.weights])


def test_who_answered_first_does_not_count() -> None:
    one, other = (system_graph(journal(plan(), rows), plan(), POOL, SCENARIO, points=2) for rows in (DONE, DONE[::-1]))
    assert one is not None
    assert other is not None
    assert one.graph == other.graph


def test_losses_are_of_the_observations_so_far_from_none_to_all_and_of_no_more_than_asked() -> None:
    told = system_graph(journal(plan(), DONE), plan(), POOL, SCENARIO, points=4)
    assert told is not None
    assert told.loss is not None
    assert told.loss.observations.tolist() == [0, 10, 20, 30]
    half = system_graph(journal(plan(), DONE[:10]), plan(), POOL, SCENARIO, points=2)
    assert half is not None
    assert half.loss is not None
    assert told.loss.hamming[1] == pytest.approx(half.loss.hamming[-1])
    assert told.loss.in_words().startswith("graph loss: structural Hamming distance ")


def test_a_campaign_that_does_not_measure_all_variables_or_has_few_passive_rows_tells_none() -> None:
    few = plan(OTHERS[:3])
    assert system_graph(journal(few, DONE), few, POOL, SCENARIO) is None
    bed = POOL.interventions
    assert bed is not None
    lacking: Pool = replace(POOL, interventions=replace(bed, passive=bed.passive[:9]))
    assert system_graph(journal(plan(), DONE), plan(), lacking, SCENARIO) is None
    none: Pool = replace(POOL, interventions=None)
    assert system_graph(journal(plan(), DONE), plan(), none, SCENARIO) is None


def test_where_nobody_knows_the_truth_there_is_no_loss() -> None:
    unknown = SCENARIO.model_copy(update={"pool": SCENARIO.pool.model_copy(update={"structural_model": None})})
    told = system_graph(journal(plan(), DONE), plan(), POOL, unknown)
    assert told is not None
    assert told.loss is None
    assert not told.graph.knows_truth


def test_losses_are_written_and_drawn(tmp_path: Path) -> None:
    told = system_graph(journal(plan(), DONE), plan(), POOL, SCENARIO, points=4)
    assert told is not None
    assert told.loss is not None
    write_loss(tmp_path / "loss.csv", told.loss)
    draw_loss(tmp_path / "loss.png", told.loss, title="t")
    with (tmp_path / "loss.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["0", "10", "20", "30"]
    assert (tmp_path / "loss.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
