"""How sure a graph is: the same fit on samples of its rows, drawn with replacement.

| here | meaning |
|---|---|
| probability of an edge | share of the samples whose graph has it, in this direction |
| interval of a total effect | between quantiles of the effects in the graphs of the samples (percentile bootstrap) |

Sample k of a seed is the same whatever the number of samples. A variable that chance makes constant in a sample, or a
linear function of others, has no effect of its own there (`lingam.fit_sample`).

Reference: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (Chapman and Hall, 1993), section 13.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.effects import total_effects
from agent.causal.graph.lingam import fit_sample
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from protocols.errors import SettingsError

FloatArray = NDArray[np.float64]

DEFAULT_SAMPLES: Final = 100
"""Samples: the probability of an edge has a standard error of at most 0.05."""

DEFAULT_LEVEL: Final = 0.9
"""Of an interval."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphSamples:
    """Graphs of samples of the same rows.

    Attributes:
        names: Of the variables.
        weights: Of every graph, shape (samples, d, d).
    """

    names: tuple[str, ...]
    weights: FloatArray

    def edge_probabilities(self, *, least: float = 0.0) -> FloatArray:
        """Return the share of graphs with the edge j → i, shape (d, d).

        Args:
            least: An edge has a weight of a greater magnitude than this [unit of i / unit of j].
        """
        return np.asarray((np.abs(self.weights) > least).mean(axis=0), dtype=np.float64)

    def total_effects(self) -> FloatArray:
        """Return the total effects in every graph, shape (samples, d, d)."""
        return np.array([total_effects(weights) for weights in self.weights])

    def effect_intervals(self, level: float = DEFAULT_LEVEL) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the intervals of the total effects, each of shape (d, d).

        Raises:
            SettingsError: When the level is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise SettingsError(f"The level of an interval is {level}", expected="a number between 0 and 1")
        low, high = np.quantile(self.total_effects(), ((1.0 - level) / 2.0, (1.0 + level) / 2.0), axis=0)
        return low, high


def bootstrap(
    variables: Variables,
    knowledge: PriorKnowledge | None = None,
    *,
    samples: int = DEFAULT_SAMPLES,
    seed: int,
    on_sample: Callable[[int], None] = lambda _done: None,
) -> GraphSamples:
    """Fit a graph to each of some samples of the rows.

    Args:
        variables: Rows.
        knowledge: What is known of the graph.
        samples: How many samples, at least 1.
        seed: Of the draws, not negative.
        on_sample: Called with the number of samples that are done, for progress.

    Raises:
        SettingsError: When there is no sample, or the knowledge is about other columns.
    """
    if samples < 1:
        raise SettingsError(f"The number of bootstrap samples is {samples}", expected="at least 1")
    n = len(variables.values)
    graphs = []
    for k in range(samples):
        rows = np.random.default_rng((seed, k)).integers(n, size=n)
        graphs.append(fit_sample(variables.rows(rows), knowledge))
        on_sample(k + 1)
    return GraphSamples(variables.names, np.array([graph.weights for graph in graphs]))
