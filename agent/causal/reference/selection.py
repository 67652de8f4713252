"""The published selection and its controls, on rows whose values are all known: for benchmarks.

| arm | drawn at random in a round | kept |
|---|---|---|
| active | a batch of each of three subsets | the one that brings the graph nearest to the global graph |
| control | a batch of one subset, itself drawn: the publication's control | this batch |
| best_of_three | three batches of all rows: the fair control | as in `active` |

`schedule` draws, `kept_rows` keeps. It begins with one row.

What `active` and `best_of_three` need, no laboratory has: the global graph, fitted to the values of all rows. What they
cost, the publication does not count: the values of all three batches must be known before one of them is kept.

Reference: Z. R. Fox, A. Ghosh, Mach. Learn.: Sci. Technol. 5, 035056 (2024), with their public code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.lingam import CausalGraph
from agent.causal.graph.variables import Variables
from agent.causal.reference.global_graph import GlobalGraph
from agent.causal.reference.kept_rows import KeptRows, Selection
from agent.causal.reference.schedule import BATCH, ROUNDS, Arm, draw_schedule

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """All rows that could be chosen, their values known; made by `of`.

    Attributes:
        variables: Rows, the target the last column.
        subsets: Places of the rows of each subset, ascending.
        told: The graph of all rows.
    """

    variables: Variables
    subsets: tuple[IndexArray, ...]
    told: GlobalGraph

    @classmethod
    def of(cls, variables: Variables, labels: IndexArray) -> Self:
        """Fit the global graph.

        Args:
            variables: Rows, the property, which causes nothing, the last column.
            labels: Subset of each row, shape (n,).

        Raises:
            TableError: When a column is constant or a linear function of others.
        """
        return cls(variables, subsets_of(labels), GlobalGraph.of_rows(variables))

    def graph_of(self, rows: IndexArray) -> CausalGraph:
        """Return the graph of some rows."""
        return self.told.graph_of(self.variables.values[rows])


def subsets_of(labels: IndexArray) -> tuple[IndexArray, ...]:
    """Return the places of the rows of each subset, ascending.

    Args:
        labels: Subset of each row, shape (n,).
    """
    return tuple(np.flatnonzero(labels == label) for label in np.unique(labels))


def select(universe: Universe, arm: Arm, *, seed: int, rounds: int = ROUNDS, batch: int = BATCH) -> Selection:
    """Choose rows for a number of rounds.

    Args:
        universe: All rows.
        arm: How.
        seed: Of all draws, not negative; all arms of one seed begin with the same row.
        rounds: How many, at least 1.
        batch: Rows of a batch, at least as many as there are variables.

    Raises:
        SettingsError: As of `draw_schedule`.
    """
    names = universe.variables.names
    schedule = draw_schedule(universe.subsets, arm, len(names), seed=seed, rounds=rounds, batch=batch)
    return KeptRows(schedule, universe.told, universe.variables.values).selection()
