"""What a campaign of interventions says of the graph of its system, and how far that is off after so many labels.

Recomputed from the observations of its journal with the committee that its policy would ask
(`agent.causal.structural.committee`), whatever its policy was. The true graph is known to the scenario alone: it stands
beside what is believed, and no policy sees it.

How far the belief is off is the mean over its graphs of their loss, which is the loss that is expected of a graph drawn
from it (as in L. Lorch et al., NeurIPS 34, 24111 (2021), for the structural Hamming distance).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.causal.interventions import InterventionModel
from agent.campaign.context import pool_arrays
from agent.campaign.dataset import dataset_of
from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.causal.graph.bootstrap import GraphSamples
from agent.causal.graph.losses import laplacian_distance, structural_hamming_distance
from agent.pool.candidates import Pool
from protocols.storage.csv_file import write_csv
from scenarios.display.observation_axis import OBSERVATION_LABEL
from scenarios.display.panels import Curve, Panel, draw_panels
from scenarios.findings.believed_graph import BelievedGraph, believed_graph
from scenarios.settings.model import Scenario
from simulators.structural_model import StructuralModel

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

MOST_POINTS: Final = 25
"""Most numbers of observations at which the loss is computed: each takes the committee 20 ms."""

COLUMNS: Final = (
    "observation", "structural_hamming_distance", "structural_hamming_distance_std", "laplacian_distance",
    "laplacian_distance_std",
)  # fmt: skip
"""Of the file of losses: means over the graphs that are believed, and their deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphLoss:
    """How far a belief is off.

    Attributes:
        observations: How many there were, ascending, shape (k,).
        hamming: Structural Hamming distance, mean and deviation over the graphs, shape (k, 2) [pair].
        laplacian: Laplacian distance, likewise [unit of a weight].
    """

    observations: IndexArray
    hamming: FloatArray
    laplacian: FloatArray

    def in_words(self) -> str:
        """Say how far the belief was off at first and at last."""
        (pairs, _), (pairs_now, _) = self.hamming[0], self.hamming[-1]
        (laplacian, _), (laplacian_now, _) = self.laplacian[0], self.laplacian[-1]
        return (
            f"graph loss: structural Hamming distance {pairs:.1f} → {pairs_now:.1f} pairs, Laplacian distance "
            f"{laplacian:.2f} → {laplacian_now:.2f} (mean over the graphs)"
        )


@dataclass(frozen=True, slots=True, eq=False)
class SystemGraph:
    """What is believed of the graph at the end, and the losses on the way; None where nobody knows or asks for them."""

    graph: BelievedGraph
    loss: GraphLoss | None


def system_graph(
    events: Iterable[Event], plan: CampaignPlan, pool: Pool, scenario: Scenario, *, points: int = MOST_POINTS
) -> SystemGraph | None:
    """Return what a campaign says of its system; None where it is none, or too little of it is measured to tell.

    Args:
        events: Its journal.
        plan: What it was started with.
        pool: The candidates.
        scenario: Its settings, which may know the true graph.
        points: Most numbers of observations at which the loss is computed; 0 for none.
    """
    bed = pool.interventions
    if bed is None or not set(bed.variables) <= set(plan.property_names) or len(bed.passive) <= len(bed.variables):
        return None
    observed, rows = _observed(events, plan, pool, bed.variables)
    model = InterventionModel(pool_arrays(pool))
    settings = scenario.pool.structural_model
    truth = None if settings is None else StructuralModel(settings).weights
    graph = believed_graph(
        _graphs(model, observed, rows),
        bed.passive.std(axis=0),
        target=bed.variables[bed.target],
        truth=truth,
        hidden=() if settings is None else tuple(settings.hidden),
    )
    return SystemGraph(graph, None if truth is None or not points else _loss(model, observed, rows, truth, points))


def write_loss(path: Path, loss: GraphLoss) -> None:
    """Write the losses as CSV.

    Raises:
        StoreError: When the file cannot be written.
    """
    columns = (loss.observations, *loss.hamming.T, *loss.laplacian.T)
    write_csv(path, COLUMNS, zip(*(column.tolist() for column in columns), strict=True))


def draw_loss(path: Path, loss: GraphLoss, *, title: str) -> None:
    """Draw both losses against the observations.

    Args:
        path: PNG file to write, 1800 pixels wide.
        loss: What to draw.
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    x = loss.observations.astype(np.float64)
    panels = [
        Panel(name, remark, {"mean over the graphs": Curve(x, values[:, 0], np.zeros(len(x)))}, from_zero=True)
        for name, remark, values in (
            ("Structural Hamming distance [pairs]", "edges missing, surplus or turned; lower is better", loss.hamming),
            ("Laplacian distance", "of the sums of weights into each variable; lower is better", loss.laplacian),
        )
    ]
    subtitle = "How far the believed graph is off the true one, which no policy sees"
    draw_panels(path, panels, title=title, subtitle=subtitle, x_label=OBSERVATION_LABEL)


def _observed(
    events: Iterable[Event], plan: CampaignPlan, pool: Pool, variables: tuple[str, ...]
) -> tuple[IndexArray, FloatArray]:
    """Return which interventions were observed, and all variables of each, in the order of the journal."""
    places = [plan.property_names.index(name) for name in variables]
    observed, rows = [], []
    for each in dataset_of(events, plan.property_names[1:]).values():
        values = (each.value, *each.additional)
        observed.append(pool.index_of[each.candidate_id])
        rows.append([values[place] for place in places])
    return np.array(observed, dtype=np.int64), np.array(rows, dtype=np.float64).reshape(len(rows), len(variables))


def _graphs(model: InterventionModel, observed: IndexArray, rows: FloatArray) -> GraphSamples:
    """Return what the committee believes in; rows go in the order of the pool, whoever answered first."""
    order = np.argsort(observed, kind="stable")
    return model.graphs(observed[order], rows[order])


def _loss(
    model: InterventionModel, observed: IndexArray, rows: FloatArray, truth: FloatArray, points: int
) -> GraphLoss:
    numbers = np.unique(np.linspace(0, len(observed), points).round().astype(np.int64))
    hamming, laplacian = [], []
    for k in numbers.tolist():
        graphs = _graphs(model, observed[:k], rows[:k]).weights
        hamming.append([float(structural_hamming_distance(B, truth, least=0.0)) for B in graphs])
        laplacian.append([laplacian_distance(B, truth) for B in graphs])
    return GraphLoss(
        numbers, *(np.column_stack((np.mean(each, axis=1), np.std(each, axis=1))) for each in (hamming, laplacian))
    )
