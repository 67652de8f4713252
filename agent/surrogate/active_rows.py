"""The rows of a pool that a policy looks at: all of a small one, of a large one a sample that changes at every fit.

A row of a pool is described by its standardised features and its family, a column of 1/√2 for each of them (`prior`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.surrogate.pool_blocks import rows_of
from agent.surrogate.queries import Queries
from agent.surrogate.standardise import Standardisation

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]

GROUP_COLUMN: Final = 2.0**-0.5
"""A row in the column of its own family: two rows of different families lie 1 apart in the square."""

MOST_ACTIVE: Final = 3_000
"""Most rows that are looked at between two fits: a decision on more costs in proportion, and the sample is drawn anew
at every fit, so that all of a pool is looked at in time."""


class PoolRows:
    """Describes rows of a pool.

    Args:
        features: Of the pool, shape (N, d).
        family_codes: Shape (N,).
        families: How many families there are.
        columns: Statistics of the features.
    """

    def __init__(self, features: FloatArray, family_codes: IndexArray, families: int, columns: Standardisation) -> None:
        self._features, self._codes, self._columns = features, family_codes, columns
        self._families = families if families > 1 else 0

    @property
    def groups(self) -> int:
        """How many columns tell the family; none of a single one, which tells nothing."""
        return self._families

    def of(self, indices: IndexArray) -> FloatArray:
        """Return the rows of pool members, shape (r, d + groups)."""
        rows = self._columns.apply(rows_of(self._features, indices))
        if not self._families:
            return rows
        own = np.zeros((len(indices), self._families))
        own[np.arange(len(indices)), self._codes[indices]] = GROUP_COLUMN
        return np.concatenate((rows, own), axis=1)


class ActiveRows(Queries):
    """The rows of a pool that a growing process is asked about; drawn anew whenever its hyper-parameters are.

    Args:
        rows: Describes them.
        family_codes: Of the whole pool, shape (N,).
        reference: Pool indices that always belong to them, ascending, shape (r,).
        most: Most rows, those of the reference not counted.

    Attributes:
        known: Pool indices whose values the process has; they are not drawn.
        indices: Pool indices of the rows, ascending, shape (m,).
    """

    def __init__(
        self, rows: PoolRows, family_codes: IndexArray, reference: IndexArray, most: int = MOST_ACTIVE
    ) -> None:
        self._rows, self._codes, self._reference, self._most = rows, family_codes, reference, most
        self.known: IndexArray = np.empty(0, dtype=np.int64)
        self.indices: IndexArray = reference
        self.dtype = np.float64
        self._kept: Floats | None = None

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def is_partial(self) -> bool:
        """Whether the pool is larger than what is looked at."""
        return len(self._codes) > self._most

    def scale(self, lengthscales: FloatArray, training_rows: int) -> None:
        """Draw the rows anew where they are a sample; divide by lengthscales, shape (d + groups,), from now on."""
        if self.is_partial:
            drawn = equal_shares(self._codes, self.known, self._most)
            self.indices = np.union1d(drawn, self._reference)
        elif len(self.indices) < len(self._codes):
            self.indices = np.arange(len(self._codes))
        super().scale(lengthscales, training_rows)

    def _standardised_at(self, places: IndexArray) -> FloatArray:
        return self._rows.of(self.indices[places])


def equal_shares(codes: IndexArray, known: IndexArray, most: int) -> IndexArray:
    """Draw rows of a pool: equally many of each family, small families whole.

    The seed is the number of known rows, so that a campaign that is resumed draws the same.

    Args:
        codes: Family of every row, shape (N,).
        known: Pool indices that are not drawn.
        most: How many.

    Returns:
        Pool indices, ascending.
    """
    rng = np.random.default_rng(len(known))
    free = np.setdiff1d(np.arange(len(codes)), known)
    by_family = np.split(free[np.argsort(codes[free], kind="stable")], np.cumsum(np.bincount(codes[free]))[:-1])
    drawn: list[IndexArray] = []
    left = most
    for rank, members in enumerate(sorted(by_family, key=len)):
        share = left // (len(by_family) - rank)
        taken = members if len(members) <= share else rng.choice(members, share, replace=False)
        drawn.append(taken)
        left -= len(taken)
    return np.sort(np.concatenate(drawn))
