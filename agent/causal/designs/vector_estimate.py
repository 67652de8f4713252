"""What a label-free estimate of the property says of vector addition: where a model starts from, before any label.

A feature that estimates the property (dipole moments of atomic charges, say) is known of the whole closure and costs no
label. h(θ) of `vector_addition` is fitted to it with all angles free,

    Σ_i (h_i(θ) − t_i)² + w² |(a, c)|²   in units of the deviation of t,

which yields component along and across of every group and the angle at every place: the prior of the model. It also
says whether vectors add up at all: how much of t they explain, beside what groups at places explain that simply add.
What they leave of t is told too: an estimate that is made from the candidate itself (from its shape, say) is irregular
where the property is.

The sum has several minima. In squares, however, the problem is nearly one of rank one: t² less what groups add by
themselves is cos φ_p a_x a_y, so the dominant eigenvector of that matrix at a place is a, up to its size and to a shift
that the origin (a = 0) fixes. The searches begin there, once for each place and for two sizes across; on random halves
of the groups and on five columns of the benzenes one of them ended in the best minimum that a dozen random starts
found, 31 times of 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.designs.closure import Closure
from agent.causal.designs.least_squares import least_squares
from agent.causal.designs.vector_addition import VectorAddition

FloatArray = NDArray[np.float64]

EPSILON: Final = 0.01
"""ε [variance of the estimate]: it keeps h smooth where all cancels, and is a tenth of a deviation in length."""

SHRINKAGE: Final = 0.1
"""w: components that nothing determines stay near zero, those that matter move by a part in a hundred."""

ACROSS_START: Final = 0.3
"""c at a start [deviation of the estimate]; the other start takes what the squares leave for it."""

LEAST_ACROSS_SQUARE: Final = 0.05
"""Least c² of that other start [variance of the estimate]: at c = 0 the slope by c is zero, and c would stay there."""

MOST_COSINE: Final = 0.95
"""Largest cosine at a start: at 1 the slope by the angle is zero, and the angle would stay there."""

SEARCH_STEPS, FINAL_STEPS = 60, 200
"""Most steps of each search, and of the one that goes on from the best."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorEstimate:
    """θ of an estimate.

    Attributes:
        theta: θ, shape (2 G + P,); lengths in deviations of the estimate, c not negative.
        explained: Share of the variance of the estimate that h explains, adjusted for the number of its parameters.
        explained_by_adding: The same of counts of each group at each place, which add.
        rest: What h leaves of the estimate, shape (n,) [deviation of the estimate].
    """

    theta: FloatArray
    explained: float
    explained_by_adding: float
    rest: FloatArray


def vector_estimate(closure: Closure, estimate: FloatArray) -> VectorEstimate:
    """Fit θ to an estimate.

    Args:
        closure: Its ways; two sites or more.
        estimate: t of each candidate, not constant, shape (n,).
    """
    t = estimate / estimate.std()
    addition = VectorAddition(closure, EPSILON)
    G = closure.n_groups
    is_free = np.ones(addition.n_parameters, dtype=bool)
    is_free[[closure.origin, G + closure.origin]] = False
    free = np.flatnonzero(is_free)
    shrunk = np.diag(np.where(free < 2 * G, SHRINKAGE, 0.0))

    def residuals(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        theta = np.zeros(addition.n_parameters)
        theta[free] = x
        h, J = addition.lengths(theta)
        return np.concatenate((h - t, shrunk @ x)), np.concatenate((J[:, free], shrunk))

    ends = [least_squares(residuals, start[free], max_steps=SEARCH_STEPS) for start in _starts(closure, t)]
    best = least_squares(residuals, min(ends, key=lambda end: end.cost).theta, max_steps=FINAL_STEPS).theta
    theta = np.zeros(addition.n_parameters)
    theta[free] = best
    theta[G : 2 * G] = np.abs(theta[G : 2 * G])
    h, _ = addition.lengths(theta)
    counts = closure.group_place_counts
    coefficients, _, rank, _ = np.linalg.lstsq(counts, t, rcond=None)
    by_adding = _explained(t, counts @ coefficients - t, int(rank))
    return VectorEstimate(theta, _explained(t, h - t, len(free)), by_adding, t - h)


def _starts(closure: Closure, t: FloatArray) -> list[FloatArray]:
    """Return a θ for each place and either start across, each of shape (2 G + P,)."""
    squares = np.square(t)
    own = np.linalg.lstsq(closure.group_counts, squares, rcond=None)[0]
    products = _products(closure, squares - closure.group_counts @ own)
    starts = []
    for place in products:
        values, vectors = np.linalg.eigh(place)
        largest = int(np.argmax(np.abs(values)))
        size, v = abs(float(values[largest])), vectors[:, largest]
        if size == 0.0:
            continue
        a = (v - v[closure.origin]) * np.sqrt(size)
        cosines = np.clip(np.einsum("g,pgk,k->p", v, products, v) / size, -MOST_COSINE, MOST_COSINE)
        left = np.sqrt(np.maximum(own - np.square(a), LEAST_ACROSS_SQUARE))
        starts += [np.concatenate((a, c, np.arccos(cosines))) for c in (np.full(len(a), ACROSS_START), left)]
    flat = np.concatenate((own, np.full(len(own), ACROSS_START), np.full(closure.n_places, 0.5 * np.pi)))
    return starts or [flat]


def _products(closure: Closure, rest: FloatArray) -> FloatArray:
    """Half of the mean rest of each pair of groups at each place, symmetric, 0 where no candidate has it, (P, G, G)."""
    G, P = closure.n_groups, closure.n_places
    of_way = np.repeat(rest, np.diff(np.append(closure.first, len(closure.place))))
    total, count = np.zeros((P, G, G)), np.zeros((P, G, G))
    sites = closure.groups.shape[1]
    for i in range(sites):
        for j in range(sites):
            if i != j:
                at = (closure.place, closure.groups[:, i], closure.groups[:, j])
                np.add.at(total, at, of_way)
                np.add.at(count, at, 1.0)
    return 0.5 * np.divide(total, count, out=np.zeros_like(total), where=count > 0.0)


def _explained(t: FloatArray, residual: FloatArray, parameters: int) -> float:
    """Share of the variance of t that a fit of so many parameters explains, adjusted for their number."""
    free = len(t) - parameters
    if free <= 0:
        return 0.0
    return float(1.0 - (np.square(residual).sum() / free) / (np.square(t - t.mean()).sum() / (len(t) - 1)))
