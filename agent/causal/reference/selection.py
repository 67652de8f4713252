"""The published selection and its controls: batch after batch, by the distance of a graph from the graph of all rows.

| arm | drawn at random in a round | kept |
|---|---|---|
| active | a batch of each of three subsets | the one that brings the graph nearest to the global graph |
| control | a batch of one subset, itself drawn: the publication's control | this batch |
| best_of_three | three batches of all rows: the fair control | as in `active` |

Nearness is the Laplacian distance of `graph.losses`, on values in their own units, the target being a sink. It begins
with one row. Rows are drawn from all of a subset in every round, kept or not, as the published code does.

What `active` and `best_of_three` need, no laboratory has: the global graph, fitted to the values of all rows. What they
cost, the publication does not count: the values of all three batches must be known before one of them is kept.

Reference: Z. R. Fox, A. Ghosh, Mach. Learn.: Sci. Technol. 5, 035056 (2024), with their public code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.lingam import CausalGraph, fit_sample
from agent.causal.graph.losses import laplacian_distance
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from protocols.errors import SettingsError

IndexArray = NDArray[np.int64]

Arm = Literal["active", "control", "best_of_three"]
ARMS: Final[tuple[Arm, ...]] = get_args(Arm)

BATCH: Final = 20
"""Rows of a batch: the publication's."""

ROUNDS: Final = 40
"""The publication's: 801 rows with the first."""

BATCHES_OF_FAIR_CONTROL: Final = 3
"""As many as the publication has subsets."""


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """All rows that could be chosen, their values known; made by `of`.

    Attributes:
        variables: Rows, the target among them.
        knowledge: That the target is a sink.
        subsets: Places of the rows of each subset, ascending.
        graph: Of all rows.
    """

    variables: Variables
    knowledge: PriorKnowledge
    subsets: tuple[IndexArray, ...]
    graph: CausalGraph

    @classmethod
    def of(cls, variables: Variables, target: str, labels: IndexArray) -> Self:
        """Fit the global graph.

        Args:
            variables: Rows.
            target: Name of the property, which causes nothing.
            labels: Subset of each row, shape (n,).

        Raises:
            SettingsError: When the target is unknown.
        """
        knowledge = PriorKnowledge.of(variables.names, sinks=[target])
        subsets = tuple(np.flatnonzero(labels == label) for label in np.unique(labels))
        return cls(variables, knowledge, subsets, fit_sample(variables, knowledge))

    def graph_of(self, rows: IndexArray) -> CausalGraph:
        """Return the graph of some rows."""
        return fit_sample(self.variables.rows(rows), self.knowledge)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What an arm chose.

    Attributes:
        arm: Its name.
        rows: Places of the rows that were kept, in their order; one may come more than once.
        looked_at: Places of all rows whose values were needed, in their order, those that were kept among them.
        losses: Distance from the global graph after each round.
        kept: Which of its batches was kept in each round; of `control`, the subset.
    """

    arm: Arm
    rows: IndexArray
    looked_at: IndexArray
    losses: tuple[float, ...]
    kept: tuple[int, ...]

    @property
    def is_told_the_answer(self) -> bool:
        """Whether the arm chooses by the global graph, which is what it is to find."""
        return self.arm != "control"


def select(universe: Universe, arm: Arm, *, seed: int, rounds: int = ROUNDS, batch: int = BATCH) -> Selection:
    """Choose rows for a number of rounds.

    Args:
        universe: All rows.
        arm: How.
        seed: Of all draws, not negative; all arms of one seed begin with the same row.
        rounds: How many, at least 1.
        batch: Rows of a batch, at least as many as there are variables.

    Raises:
        SettingsError: When the arm is unknown, there is no round, a subset has fewer rows than a batch, or a batch
            fewer than there are variables.
    """
    _require_sizes(universe, arm, rounds, batch)
    start = np.random.default_rng(seed).integers(len(universe.variables.values), size=1)
    rng = np.random.default_rng((seed, ARMS.index(arm)))
    rows, looked_at = start, [start]
    losses, kept = [], []
    for _ in range(rounds):
        batches, first = _batches(universe, arm, batch, rng)
        distances = [_distance(universe, np.concatenate((rows, each))) for each in batches]
        best = int(np.argmin(distances))
        rows = np.concatenate((rows, batches[best]))
        looked_at += batches
        losses.append(distances[best])
        kept.append(first + best)
    return Selection(arm, rows, np.concatenate(looked_at), tuple(losses), tuple(kept))


def _batches(universe: Universe, arm: Arm, batch: int, rng: np.random.Generator) -> tuple[list[IndexArray], int]:
    """Return the batches of a round, and the number of the first."""
    if arm == "active":
        return [_drawn(subset, batch, rng) for subset in universe.subsets], 0
    if arm == "control":
        subset = int(rng.integers(len(universe.subsets)))
        return [_drawn(universe.subsets[subset], batch, rng)], subset
    everything = np.arange(len(universe.variables.values))
    return [_drawn(everything, batch, rng) for _ in range(BATCHES_OF_FAIR_CONTROL)], 0


def _drawn(rows: IndexArray, batch: int, rng: np.random.Generator) -> IndexArray:
    return rng.choice(rows, batch, replace=False)


def _distance(universe: Universe, rows: IndexArray) -> float:
    return laplacian_distance(universe.graph_of(rows).weights, universe.graph.weights)


def _require_sizes(universe: Universe, arm: Arm, rounds: int, batch: int) -> None:
    if arm not in ARMS:
        raise SettingsError(f"There is no arm {arm!r}", expected=f"one of {', '.join(ARMS)}")
    if rounds < 1:
        raise SettingsError(f"The number of rounds is {rounds}", expected="at least 1")
    columns = len(universe.variables.names)
    smallest = min(len(subset) for subset in universe.subsets)
    if not columns <= batch <= smallest:
        raise SettingsError(
            f"A batch has {batch} rows, the smallest subset {smallest}, and there are {columns} variables",
            expected="a batch of at least as many rows as there are variables, from subsets that have as many",
        )
