"""The causal graph of a table's columns: DirectLiNGAM on bootstrap samples of its rows, weights in deviations.

Columns are brought to unit deviation first, so that weights can be compared; the order that is found does not hang on
it. What it takes for granted: straight relations, disturbances that are not Gaussian, and nothing unmeasured that acts
on two of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.causal.graph.bootstrap import bootstrap
from agent.causal.graph.stability import edge_stability
from agent.causal.graph.variables import standardise
from scenarios.display.progress import ProgressCall
from scenarios.findings.believed_graph import BelievedGraph, believed_graph
from scenarios.graph.source import GraphSource

FITTING = "fitting graphs to samples of the rows"


@dataclass(frozen=True, slots=True)
class GraphOfTable:
    """What was found.

    Attributes:
        source: What it was found of.
        graph: What is believed of the graph.
        stability: How far the samples agree on their edges (`agent.causal.graph.stability`); None where not defined.
        seed: Of the samples.
    """

    source: GraphSource
    graph: BelievedGraph
    stability: float | None
    seed: int


def graph_of(source: GraphSource, samples: int, seed: int, progress: ProgressCall) -> GraphOfTable:
    """Find the graph.

    Args:
        source: Rows, and what is known.
        samples: How many samples, at least 2.
        seed: Of the samples.
        progress: For a progress bar.
    """
    progress(FITTING, 0, samples)
    fitted = bootstrap(
        source.variables,
        source.knowledge,
        samples=samples,
        seed=seed,
        on_sample=lambda done: progress(FITTING, done, samples),
    )
    graph = believed_graph(fitted, standardise(source.variables).scale, target=source.target)
    return GraphOfTable(source, graph, edge_stability(fitted.weights, source.knowledge.allowed), seed)
