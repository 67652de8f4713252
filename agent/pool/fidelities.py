"""By which method, and which time, each row of a pool measures: for a policy that chooses what to ask and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MAX_REPETITIONS: Final = 64
"""Most repetitions of one candidate by one method: each is a row of the pool, whether it is asked for or not."""


@dataclass(frozen=True, slots=True, eq=False)
class Fidelities:
    """What the rows of a pool measure: a candidate, by a method, for the first time or again.

    Rows of the target method's first time are the candidates themselves.

    Attributes:
        names: Methods, the target last.
        costs: Of each, in units of the budget.
        candidate: Row → its candidate, as index of the target row, shape (n,).
        method: Row → index into `names`, shape (n,).
        replicate: Row → which repetition, from 0, shape (n,).
    """

    names: tuple[str, ...]
    costs: tuple[int, ...]
    candidate: IndexArray
    method: IndexArray
    replicate: IndexArray

    @property
    def target(self) -> int:
        """Index of the target method."""
        return len(self.names) - 1

    @property
    def is_candidate(self) -> BoolArray:
        """Whether each row is a candidate itself: measured by the target method, for the first time, shape (n,)."""
        is_candidate: BoolArray = self.candidate == np.arange(len(self.candidate))
        return is_candidate

    @property
    def cost(self) -> IndexArray:
        """What a request of each row costs [unit of the budget], shape (n,)."""
        return np.array(self.costs, dtype=np.int64)[self.method]

    def rows_of(self, candidate: int, method: int) -> IndexArray:
        """Return the rows that measure a candidate by a method, its first time first.

        Args:
            candidate: Index of its target row.
            method: Index into `names`.
        """
        return np.flatnonzero((self.candidate == candidate) & (self.method == method))
