"""Total effects: by how much a variable moves when another one is set, along all paths.

x = B x + e gives x = (I − B)⁻¹ e, and setting x_j to a value adds its change times column j of T = (I − B)⁻¹: T_ij is
the total effect of j on i, the sum over all directed paths of the product of their weights (S. Wright, Ann. Math. Stat.
5, 161 (1934); P. Spirtes, C. Glymour, R. Scheines, Causation, Prediction, and Search (MIT Press, 2000), chapter 7).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.acyclic import require_acyclic
from protocols.errors import TableError

FloatArray = NDArray[np.float64]


def total_effects(weights: FloatArray) -> FloatArray:
    """Return T, shape (d, d): T_ij is the total effect of j on i [unit of i / unit of j]; T_ii = 1.

    Args:
        weights: B, shape (d, d); B_ij is the direct effect of j on i.

    Raises:
        TableError: When B is not square, not finite, or has a cycle.
    """
    require_acyclic(weights)
    return np.asarray(np.linalg.inv(np.eye(len(weights)) - weights), dtype=np.float64)


def effects_on(weights: FloatArray, target: int) -> FloatArray:
    """Return the total effect of each variable on a target, shape (d,); 1 of the target itself.

    Args:
        weights: B, as above.
        target: Place of the target.

    Raises:
        TableError: As above, or when there is no such place.
    """
    if not 0 <= target < len(weights):
        raise TableError(f"The target has the place {target}", expected=f"a place from 0 to {len(weights) - 1}")
    result: FloatArray = total_effects(weights)[target]
    return result
