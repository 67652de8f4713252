"""How far the effects of a closure are off, where the truth is known."""

from __future__ import annotations

import numpy as np

from agent.acquisition.base import FloatArray
from agent.causal.belief import Belief


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
