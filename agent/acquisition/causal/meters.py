"""The metrics that policies over causes declare: how well effects are known, and what was found.

They are of the observations in the order in which these came in; a decision, which takes them in the order of the
requests, may know a little less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.causal.belief import Belief
from agent.causal.designs.design_model import DesignModel, Knowledge
from agent.causal.designs.variance_shares import believed_shares
from agent.metrics import Effect, Metric, Share


def width_metrics(unit: str) -> tuple[Metric, Metric]:
    """Return the metrics of effects; their unit is that of the property."""
    return (
        Metric("half_width", "mean half-width of the effects", "half-width", unit, lower_is_better=True),
        Metric("widest", "largest half-width of the effects", "widest", unit, lower_is_better=True),
    )


def hits_metric(unit: str, threshold: float | None) -> tuple[Metric, ...]:
    """Return the metric of hits; none without a threshold.

    Args:
        unit: Of the property.
        threshold: What it should exceed [unit].
    """
    if threshold is None:
        return ()
    above = f"above {threshold:g} {unit}".rstrip()
    return (Metric("hits", f"candidates {above}", f"hits ({above})", "", lower_is_better=False),)


def widths_of(belief: Belief) -> tuple[float, float]:
    """Return the mean and the largest half-width of the effects [unit]."""
    widths = belief.half_widths
    return float(widths.mean()), float(widths.max())


def effects_of(belief: Belief, after: Sequence[int] = ()) -> tuple[Effect, ...]:
    """Return what is believed of every effect, with further candidates measured (`agent.metrics.EffectMeter`)."""
    for candidate in after:
        belief = belief.after(candidate)
    columns = zip(belief.query_names, belief.query_means.tolist(), belief.half_widths.tolist(), strict=True)
    return tuple(Effect(*row) for row in columns)


class DesignMeter:
    """Computes the metrics of a closure of designs after every observation.

    Args:
        model: Of the closure, without values yet.
        threshold: What the property should exceed [unit]; None where nothing is sought.
    """

    def __init__(self, model: DesignModel, threshold: float | None) -> None:
        self._model = model
        self.threshold: Final = threshold
        self._observed: list[int] = []
        self._values: list[float] = []

    def add(self, index: int, *values: float) -> None:
        """Take in the value of a candidate."""
        self._observed.append(index)
        self._values.append(values[0])

    def effects(self, after: Sequence[int] = ()) -> tuple[Effect, ...]:
        """Return the effect of every level against the reference."""
        return effects_of(self._known().stated, after)

    def shares(self) -> tuple[Share, ...]:
        """Return what each kind of factor explains of the variance over the designs."""
        return believed_shares(self._model.designs, self._known().stated)

    def values(self) -> tuple[float | None, ...]:
        """Return mean and largest half-width (None while no width means anything), and the hits, where sought."""
        known = self._known()
        widths = widths_of(known.stated) if known.has_scale else (None, None)
        if self.threshold is None:
            return widths
        return (*widths, float(sum(value > self.threshold for value in self._values)))

    def _known(self) -> Knowledge:
        values = np.array(self._values)
        return self._model.follow(np.array(self._observed, dtype=np.int64), values, np.zeros(len(values)), 0)
