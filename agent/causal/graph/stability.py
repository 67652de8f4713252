"""How far graphs that were found of samples of the same rows agree on their edges.

| here | meaning |
|---|---|
| M | graphs, at least two |
| m | edges that may be |
| p_e | share of the graphs that have edge e, in its direction |
| k | mean number of edges of a graph, Σ p_e |

    Φ = 1 − (1/m) Σ_e M/(M − 1) p_e (1 − p_e) / ((k/m) (1 − k/m))

Φ is 1 where all graphs have the same edges, and 0 on the mean where each has its number of edges anywhere at random. So
it is corrected for chance: the share of edges on which nearly all agree is large for any graphs of few edges, for on
most of the pairs they agree that there is none.

Reference: S. Nogueira, K. Sechidis, G. Brown, J. Mach. Learn. Res. 18 (174), 1 (2018), there for selected features;
N. Meinshausen, P. Bühlmann, J. R. Stat. Soc. B 72, 417 (2010), for graphs as selections of edges.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import invariant

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

LEAST_GRAPHS: Final = 2
"""Graphs that can differ."""


def edge_stability(weights: FloatArray, possible: BoolArray) -> float | None:
    """Return Φ; None where every graph has no edge at all, or all that may be: then chance has no say.

    Args:
        weights: Of every graph, shape (M, d, d), M ≥ 2; an edge is a weight other than 0.
        possible: Whether column j may act on row i, shape (d, d).
    """
    M = len(weights)
    invariant(M >= LEAST_GRAPHS, "stability is that of several graphs")
    p = (weights[:, possible] != 0.0).mean(axis=0)
    share = float(p.mean())
    by_chance = share * (1.0 - share)
    if by_chance == 0.0:
        return None
    return 1.0 - M / (M - 1) * float(np.mean(p * (1.0 - p))) / by_chance
