"""A causal graph as it is believed: every edge with its weight and probability, and the true one beside it where known.

| here | meaning | shape |
|---|---|---|
| p_ij | share of the graphs that have the edge j → i | (d, d) |
| w_ij | mean weight of the edge in the graphs that have it [unit of i / unit of j] | (d, d) |

An edge is believed where at least half of the graphs have it, in its direction. In the causal order that comes next on
which those that are left act least by believed edges; of several, what acts on them most and they on it least, by all
edges (the greedy rule of P. Eades, X. Lin, W. F. Smyth, Inf. Process. Lett. 47, 319 (1993), with probabilities).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.bootstrap import GraphSamples
from protocols.storage.csv_file import write_csv

FloatArray = NDArray[np.float64]

BELIEVED: Final = 0.5
"""Probability from which on an edge is believed: a majority."""

TIE: Final = 1e-9
"""Sums of probabilities that differ by less are equal; the variable that is named first comes first."""

COLUMNS: Final = ("cause", "effect", "weight", "standardised_weight", "probability", "truth")
"""Of the file. The truth is a weight, 0 for an edge that there is not, and empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge, in one direction.

    Attributes:
        cause: Place of the cause.
        effect: Place of the effect.
        weight: Mean over the graphs that have it, 0 where none has [unit of the effect / unit of the cause].
        standardised: The same between variables of unit deviation.
        probability: Share of the graphs that have it.
        truth: The true weight, 0 where there is no such edge; None where nobody knows.
    """

    cause: int
    effect: int
    weight: float
    standardised: float
    probability: float
    truth: float | None = None

    @property
    def is_believed(self) -> bool:
        """Whether at least half of the graphs have it."""
        return self.probability >= BELIEVED

    @property
    def is_true(self) -> bool:
        """Whether it is known to be there."""
        return bool(self.truth)


@dataclass(frozen=True, slots=True)
class BelievedGraph:
    """What is believed of a graph.

    Attributes:
        names: Of the variables.
        order: Places of the variables, causes before effects as far as can be.
        edges: That any graph has, or that are true; the most probable first.
        graphs: How many graphs it is drawn from.
        target: Place of the variable that effects are asked on; None for none.
        hidden: Places of the variables that something acts on which nobody measures, as far as that is known.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    edges: tuple[Edge, ...]
    graphs: int
    target: int | None = None
    hidden: tuple[int, ...] = ()

    @property
    def believed(self) -> tuple[Edge, ...]:
        """The edges that at least half of the graphs have."""
        return tuple(edge for edge in self.edges if edge.is_believed)

    @property
    def knows_truth(self) -> bool:
        """Whether the true graph stands beside it."""
        return any(edge.truth is not None for edge in self.edges)

    def in_words(self) -> str:
        """Say what it comes to, in one sentence."""
        said = f"{len(self.believed)} edges in at least half of {self.graphs} graphs"
        if self.knows_truth:
            found = sum(edge.is_true for edge in self.believed)
            true = sum(edge.is_true for edge in self.edges)
            said += f": {found} of the {true} true ones, {len(self.believed) - found} that are not"
        if self.hidden:
            names = [self.names[place] for place in self.hidden]
            said += (
                f"; what nobody measures acts on {', '.join(names[:-1])} and {names[-1]}"
                if names[1:]
                else (f"; what nobody measures acts on {names[0]}")
            )
        return said


def believed_graph(
    samples: GraphSamples,
    scale: FloatArray,
    *,
    target: str | None = None,
    truth: FloatArray | None = None,
    hidden: tuple[str, ...] = (),
) -> BelievedGraph:
    """Return what graphs of samples come to.

    Args:
        samples: The graphs.
        scale: Standard deviation of each variable, shape (d,).
        target: Name of the variable that effects are asked on.
        truth: Weights of the true graph, shape (d, d); None where nobody knows it.
        hidden: Names of the variables that something acts on which nobody measures.
    """
    names, p = samples.names, samples.edge_probabilities()
    counts = np.maximum((samples.weights != 0.0).sum(axis=0), 1)
    w = samples.weights.sum(axis=0) / counts
    there = (p > 0.0) if truth is None else (p > 0.0) | (truth != 0.0)
    edges = [
        Edge(
            j,
            i,
            float(w[i, j]),
            float(w[i, j] * scale[j] / scale[i]) if scale[i] > 0.0 else 0.0,
            float(p[i, j]),
            None if truth is None else float(truth[i, j]),
        )
        for i, j in np.argwhere(there).tolist()
    ]
    edges.sort(key=lambda edge: (-edge.probability, -abs(edge.standardised), edge.cause, edge.effect))
    return BelievedGraph(
        names,
        _order(p),
        tuple(edges),
        len(samples.weights),
        None if target is None else names.index(target),
        tuple(names.index(name) for name in hidden),
    )


def write_graph(path: Path, graph: BelievedGraph) -> None:
    """Write every edge as CSV, the most probable first.

    Raises:
        StoreError: When the file cannot be written.
    """
    rows = (
        (
            graph.names[edge.cause],
            graph.names[edge.effect],
            edge.weight,
            edge.standardised,
            edge.probability,
            "" if edge.truth is None else edge.truth,
        )
        for edge in graph.edges
    )
    write_csv(path, COLUMNS, rows)


def _order(p: FloatArray) -> tuple[int, ...]:
    left = list(range(len(p)))
    order: list[int] = []
    while left:
        among = p[np.ix_(left, left)]
        believed = np.where(among >= BELIEVED, among, 0.0).sum(axis=1)
        caused = among.sum(axis=1) - among.sum(axis=0)
        caused[believed > believed.min() + TIE] = np.inf
        order.append(left.pop(int(np.flatnonzero(caused <= caused.min() + TIE)[0])))
    return tuple(order)
