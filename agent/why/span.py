"""How much of the axis of values is shown: all that matters, and no outlier that would squeeze the rest to a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FAR_OUT: Final = 10.0
"""Known values farther than this from the middle half are left off [its width]."""

PREDICTED_SPREAD: Final = 3.0
"""How much of the predicted distribution is shown on each side [predicted deviation]."""

WIDEST_PREDICTION: Final = 1.5
"""But on each side no more than this [width of the values]: a surrogate that knows nothing predicts anything."""

MARGIN: Final = 0.04
"""Empty on each side [width]."""


@dataclass(frozen=True, slots=True)
class Span:
    """Ends of the axis, and how many known values lie beyond."""

    low: float
    high: float
    beyond: int


def span_of(values: FloatArray, observed: float | None, mean: float | None, std: float | None) -> Span:
    """Return what to show of the axis.

    Args:
        values: Known values, ascending, shape (n,).
        observed: The observed value, always shown.
        mean: Predicted mean, always shown.
        std: Predicted deviation.
    """
    shown = np.array([x for x in (observed, mean) if x is not None])
    core = values
    if len(values):
        first, third = np.quantile(values, (0.25, 0.75))
        reach = FAR_OUT * (third - first)
        core = values[(values >= first - reach) & (values <= third + reach)] if reach else values
    points = np.concatenate((core, shown))
    if not len(points):
        return Span(0.0, 1.0, 0)
    low, high = float(points.min()), float(points.max())
    if mean is not None and std:
        reach = min(PREDICTED_SPREAD * std, WIDEST_PREDICTION * (high - low) or PREDICTED_SPREAD * std)
        low, high = min(low, mean - reach), max(high, mean + reach)
    pad = MARGIN * (high - low) or 0.05 * abs(low) or 0.5
    low, high = low - pad, high + pad
    return Span(low, high, int(((values < low) | (values > high)).sum()))
