"""What a run found, written into its folder: the graph of its system and its loss, the molecules above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from protocols.extras import EXTRA_OF
from scenarios.findings.believed_graph import write_graph
from scenarios.findings.found_figure import DRAWS, can_draw, draw_found
from scenarios.findings.graph_figure import draw_graph
from scenarios.findings.molecules_found import MoleculesFound, molecules_found, write_found
from scenarios.findings.system_graph import MOST_POINTS, SystemGraph, draw_loss, system_graph, write_loss
from scenarios.settings.model import Scenario
from scenarios.sources.run_folder import (
    FOUND,
    FOUND_FIGURE,
    GRAPH,
    GRAPH_FIGURE,
    GRAPH_LOSS,
    GRAPH_LOSS_FIGURE,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    Attributes:
        files: Names of the files written, in the order in which people want them.
        lines: What they show, a sentence each.
    """

    files: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.files + other.files, self.lines + other.lines)


def write_findings(
    folder: Path,
    events: Sequence[Event],
    plan: CampaignPlan,
    pool: Pool,
    scenario: Scenario,
    *,
    title: str,
    whole: bool,
) -> Findings:
    """Write what a run found; nothing where it sought nothing of the kind.

    Args:
        folder: Of the run.
        events: Its journal.
        plan: What it was started with.
        pool: The candidates.
        scenario: The settings, which may know a true graph.
        title: Of the pictures.
        whole: Whether the campaign is over: then the loss of its graph is told, too. One that is interrupted has
            five seconds in all.

    Raises:
        StoreError: When a file cannot be written.
    """
    believed = system_graph(events, plan, pool, scenario, points=MOST_POINTS if whole else 0)
    found = molecules_found(events, plan, pool, scenario.campaign.code)
    return _write_graph(folder, believed, title) + _write_molecules(folder, found, title)


def findings_so_far(events: Sequence[Event], plan: CampaignPlan, pool: Pool, scenario: Scenario) -> Findings:
    """Return what a run has found by now, in words; nothing is written. Arguments as of `write_findings`."""
    believed = system_graph(events, plan, pool, scenario, points=0)
    found = molecules_found(events, plan, pool, scenario.campaign.code)
    lines = [f"graph: {believed.graph.in_words()}"] if believed is not None else []
    return Findings(lines=(*lines, *([f"found: {found.in_words()}"] if found is not None else [])))


def _write_graph(folder: Path, believed: SystemGraph | None, title: str) -> Findings:
    if believed is None:
        return Findings()
    write_graph(folder / GRAPH, believed.graph)
    draw_graph(folder / GRAPH_FIGURE, believed.graph, title=title, subtitle=believed.graph.in_words())
    graph = Findings((GRAPH, GRAPH_FIGURE), (f"graph: {believed.graph.in_words()}",))
    if believed.loss is None:
        return graph
    write_loss(folder / GRAPH_LOSS, believed.loss)
    draw_loss(folder / GRAPH_LOSS_FIGURE, believed.loss, title=title)
    return graph + Findings((GRAPH_LOSS, GRAPH_LOSS_FIGURE), (believed.loss.in_words(),))


def _write_molecules(folder: Path, found: MoleculesFound | None, title: str) -> Findings:
    if found is None:
        return Findings()
    write_found(folder / FOUND, found)
    line = f"found: {found.in_words()}"
    if not found.molecules:
        return Findings((FOUND,), (line,))
    draw_found(folder / FOUND_FIGURE, found, title=title)
    if not can_draw():
        line += f"; told by their SMILES: pip install 'entropilot[{EXTRA_OF[DRAWS]}]' draws them"
    return Findings((FOUND, FOUND_FIGURE), (line,))
