"""Graphs without cycles: an order in which causes come before effects, or the cycle that forbids one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def find_cycle(edges: BoolArray) -> list[int]:
    """Return the nodes of one cycle, each a cause of the next and the last of the first; empty where there is none.

    Args:
        edges: Whether column j is a cause of row i, shape (d, d).
    """
    left = list(range(len(edges)))
    while left:
        without_cause = [i for i in left if not edges[i, left].any()]
        if not without_cause:
            return _cycle_among(edges, left)
        left = [i for i in left if i not in without_cause]
    return []


def require_acyclic(weights: FloatArray) -> None:
    """Refuse weights that are no acyclic graph.

    Args:
        weights: B, shape (d, d); B_ij is the effect of j on i.

    Raises:
        TableError: When B is not square or not finite, or has a cycle.
    """
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not np.isfinite(weights).all():  # noqa: PLR2004
        raise TableError(
            f"The weights of a graph have the shape {weights.shape} or hold what is no number",
            expected="a square matrix of finite numbers, row i the effects on variable i",
        )
    cycle = find_cycle(weights != 0.0)
    if cycle:
        raise TableError(
            f"The weights have the cycle {path_in_words([str(node) for node in (*cycle, cycle[0])])}",
            expected="the weights of an acyclic graph",
        )


def path_in_words(names: Sequence[str]) -> str:
    """Return a path as people write it: `a → b → c`."""
    return " → ".join(names)


def _cycle_among(edges: BoolArray, nodes: list[int]) -> list[int]:
    """Walk from effect to cause among nodes that all have a cause among them, until one comes again."""
    walk = [nodes[0]]
    while True:
        cause = next(j for j in nodes if edges[walk[-1], j])
        if cause in walk:
            return walk[walk.index(cause) :][::-1]
        walk.append(cause)
