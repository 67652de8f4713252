"""The effects of a closure of designs as queries of its candidates.

The effect of a level g of the queried factor against the reference r, averaged over the remaining factors:

    w_g·f = mean over the rest of [f(g, rest) − f(r, rest)]

over all combinations of the rest of which both designs are there: in a full closure that is the difference of two
means; where cells are missing, only what differs in the queried factor alone is compared. It is a population quantity
of the closure (do(x = g) against do(x = r), the rest uniform), no coefficient of any model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.pool.designs import Designs

FloatArray = NDArray[np.float64]


def effect_queries(designs: Designs, candidates: int) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the query matrix W, one row for each level but the reference, and the names of these levels.

    Args:
        designs: m of them.
        candidates: n, how many the pool has.

    Returns:
        Shape (q, n), rows that sum to zero; length q.
    """
    asked = [level for level in range(len(designs.groups)) if level != designs.reference]
    W = np.zeros((len(asked), candidates))
    for row, level in zip(W, asked, strict=True):
        with_level, with_reference = designs.matched(level)
        share = 1.0 / len(with_level)
        np.add.at(row, designs.candidate[with_level], share)
        np.add.at(row, designs.candidate[with_reference], -share)
    return W, tuple(designs.groups[level] for level in asked)
