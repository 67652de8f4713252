"""Figures of a campaign that asks for effects: how sure it is, and what it has found.

Where the truth is known, also how far off it is; the truth is never a policy's to see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.causal.belief import Belief

FloatArray = NDArray[np.float64]


def effects_metrics(belief: Belief, values: FloatArray, threshold: float | None = None) -> dict[str, float]:
    """Return figures that follow from the values alone.

    Args:
        belief: After these values.
        values: All that are known, shape (k,) [unit].
        threshold: What is wanted of them [unit]; without one nothing is counted.

    Returns:
        `mean_half_width` of the effects' intervals and the `widest_half_width` [unit], both of which should fall;
        `hits`, how many values exceed the threshold, which should rise.
    """
    widths = belief.half_widths
    figures = {
        "mean_half_width": belief.mean_half_width,
        "widest_half_width": float(widths.max()) if len(widths) else 0.0,
    }
    if threshold is not None:
        figures["hits"] = float(np.count_nonzero(values > threshold))
    return figures


def effects_error(belief: Belief, truth: FloatArray) -> dict[str, float]:
    """Return how far the effects are off.

    Args:
        belief: Whose queries are about the latent quantities.
        truth: True latent quantities (the property of every candidate, for a closure), shape (t,) [unit].

    Returns:
        `effects_rmse`, root of the mean squared error of the effects [unit], and `effects_covered`, share of the
        intervals that hold the truth.
    """
    off = belief.query_means - belief.queries @ truth
    return {
        "effects_rmse": float(np.sqrt(np.mean(np.square(off)))),
        "effects_covered": float(np.mean(np.abs(off) <= belief.half_widths)),
    }
