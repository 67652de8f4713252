"""How far a graph is from another one, by its weights B and R, shape (d, d), both of the same variables.

| loss | definition | blind to |
|---|---|---|
| Laplacian distance | ‖eig L(B) − eig L(R)‖₂, eigenvalues ascending, L(B) = diag(B 1) − B | causes; names |
| structural Hamming distance | pairs of variables with another edge (missing, surplus, turned) | weights |
| F1 of edges | 2 hits / (edges of B + edges of R) | weights |
| Frobenius distance | ‖B − R‖_F | nothing, but paths count for each weight on them |
| error of effects | root of the mean square of T_B − T_R in the row of the target, T as in `effects` | the rest |

The Laplacian distance is what the published code of active causal learning computes (Z. R. Fox, A. Ghosh, Mach. Learn.:
Sci. Technol. 5, 035056 (2024)). B of an acyclic graph is a triangle in the causal order, and so is L(B): the
eigenvalues are the diagonal, the sums of the rows of B. So the distance is ‖sort(B 1) − sort(R 1)‖₂, without an
eigenvalue problem, and it sees nothing but the signed sum of the weights into each variable: x₀ → x₂ against x₁ → x₂ of
the same weight is 0, and so is any renaming. It adds weights of different units.

The words of that paper, a distance of the spectra of the adjacency matrices, would be 0 between any two acyclic graphs:
a triangle without a diagonal has no eigenvalue but 0. There is no function for it here.

A loss needs the graph that is looked for. In a laboratory there is none: these are for tests and comparisons, never for
a policy that has to find it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.acyclic import require_acyclic
from agent.causal.graph.effects import effects_on
from protocols.errors import TableError

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

LEAST_WEIGHT: Final = 0.01
"""Smallest magnitude of a weight that counts as an edge, between variables of variance 1: that of published figures."""


def laplacian_distance(B: FloatArray, R: FloatArray) -> float:
    """Return the distance of the spectra of the Laplacians [unit of a weight].

    Raises:
        TableError: When a matrix is not square, not finite or has a cycle, or the two are of different size.
    """
    _require_comparable(B, R)
    return float(np.linalg.norm(np.sort(B.sum(axis=1)) - np.sort(R.sum(axis=1))))


def structural_hamming_distance(B: FloatArray, R: FloatArray, *, least: float = LEAST_WEIGHT) -> int:
    """Return in how many pairs of variables the edges differ; a turned edge counts once.

    Args:
        B: Weights.
        R: Weights of the other graph.
        least: Smallest magnitude of an edge.

    Raises:
        TableError: As above.
    """
    _require_comparable(B, R)
    differ = _edges(B, least) != _edges(R, least)
    return int(np.triu(differ | differ.T).sum())


def edge_f1(B: FloatArray, R: FloatArray, *, least: float = LEAST_WEIGHT) -> float:
    """Return the harmonic mean of precision and recall of the edges, with their directions; 1 if neither has any.

    Args:
        B: Weights.
        R: Weights of the graph that is looked for.
        least: Smallest magnitude of an edge.

    Raises:
        TableError: As above.
    """
    _require_comparable(B, R)
    found, wanted = _edges(B, least), _edges(R, least)
    total = int(found.sum() + wanted.sum())
    return 2.0 * int((found & wanted).sum()) / total if total else 1.0


def frobenius_distance(B: FloatArray, R: FloatArray) -> float:
    """Return the root of the sum of squared differences of weights [unit of a weight].

    Raises:
        TableError: As above.
    """
    _require_comparable(B, R)
    return float(np.linalg.norm(B - R))


def effects_error(B: FloatArray, R: FloatArray, target: int) -> float:
    """Return the root-mean-square error of the total effects of all others on a target [its unit, if theirs is 1].

    Args:
        B: Weights.
        R: Weights of the graph that is looked for.
        target: Place of the target.

    Raises:
        TableError: As above, or when there is no such place.
    """
    _require_comparable(B, R)
    error = np.delete(effects_on(B, target) - effects_on(R, target), target)
    return float(np.sqrt(np.mean(np.square(error))))


def _edges(weights: FloatArray, least: float) -> BoolArray:
    return np.abs(weights) > least


def _require_comparable(B: FloatArray, R: FloatArray) -> None:
    for weights in (B, R):
        require_acyclic(weights)
    if B.shape != R.shape:
        raise TableError(
            f"One graph has {len(B)} variables, the other {len(R)}", expected="graphs of the same variables"
        )
