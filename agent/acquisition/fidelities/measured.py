"""What a context tells of a campaign with several methods: values in their order, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray
from agent.acquisition.grown_surrogate import canonical_order
from agent.pool.fidelities import Fidelities


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The values of a campaign in canonical order: the start set in pool order, then in order of admission.

    Attributes:
        rows: Pool indices, shape (k,).
        values: Shape (k,) [unit of the property].
        stds: Standard uncertainties that came with them, 0 where none did, shape (k,) [unit of the property].
        started: How many of them belong to the start set.
    """

    rows: IndexArray
    values: FloatArray
    stds: FloatArray
    started: int

    @classmethod
    def of(cls, context: AcquisitionContext) -> Measured:
        """Read the first property of a context."""
        order, started = canonical_order(context)
        return cls(context.observed[order], context.values[order], context.target_uncertainties[0][order], started)

    def first(self, count: int) -> Measured:
        """Return the first so many of them."""
        return Measured(self.rows[:count], self.values[:count], self.stds[:count], min(self.started, count))

    def continues(self, earlier: Measured) -> bool:
        """Whether the first of these values are those of an earlier moment."""
        known = len(earlier.rows)
        return (
            0 < known <= len(self.rows)
            and earlier.started == self.started
            and np.array_equal(self.rows[:known], earlier.rows)
            and np.array_equal(self.values[:known], earlier.values)
            and np.array_equal(self.stds[:known], earlier.stds)
        )


def noise_of_methods(fidelities: Fidelities, measured: Measured) -> FloatArray:
    """Return the standard uncertainty of a value to come by each method, 0 where nothing is known of it, shape (M,).

    It is the median of those that came with values; where none did, the deviation of repeated values from their means.
    """
    methods = fidelities.method[measured.rows]
    noise = np.zeros(len(fidelities.names))
    for method in range(len(noise)):
        here = methods == method
        told = measured.stds[here & (measured.stds > 0.0)]
        noise[method] = (
            float(np.median(told))
            if len(told)
            else _pooled(fidelities.candidate[measured.rows[here]], measured.values[here])
        )
    return noise


def _pooled(candidates: IndexArray, values: FloatArray) -> float:
    """Return the deviation of values about the mean of their candidate; 0 where none was measured twice."""
    _, group, counts = np.unique(candidates, return_inverse=True, return_counts=True)
    freedom = len(values) - len(counts)
    if freedom == 0:
        return 0.0
    means = np.bincount(group, values) / counts
    return float(np.sqrt(np.square(values - means[group]).sum() / freedom))


def dear_values(fidelities: Fidelities, measured: Measured) -> tuple[IndexArray, FloatArray]:
    """Return the candidates whose dear value is known, ascending, and the means of what was measured of each.

    They are weighted by 1/σ² where each came with a σ, as the campaign has it (`agent.campaign.target_values`).
    """
    here = fidelities.method[measured.rows] == fidelities.target
    values, stds = measured.values[here], measured.stds[here]
    candidates, group = np.unique(fidelities.candidate[measured.rows[here]], return_inverse=True)
    untold = np.bincount(group, stds <= 0.0, len(candidates)) > 0.0
    weights = np.where(untold[group], 1.0, 1.0 / np.square(np.where(stds > 0.0, stds, 1.0)))
    return candidates, np.bincount(group, weights * values) / np.bincount(group, weights)
