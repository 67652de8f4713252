"""The metrics of a search for large values: the largest one, and how many exceed a threshold."""

from __future__ import annotations

from agent.metrics import Metric


def found_metrics(unit: str, threshold: float | None) -> tuple[Metric, ...]:
    """Return the metrics.

    Args:
        unit: Of the property.
        threshold: What it should exceed [unit]; without one there are no hits.
    """
    largest = Metric("largest", "largest value", "largest", unit, lower_is_better=False)
    if threshold is None:
        return (largest,)
    above = f"above {threshold:g} {unit}".rstrip()
    return (largest, Metric("hits", f"candidates {above}", f"hits ({above})", "", lower_is_better=False))


class FoundMeter:
    """Computes them after every observation.

    Args:
        threshold: As of `found_metrics`.

    Attributes:
        threshold: The same.
    """

    def __init__(self, threshold: float | None) -> None:
        self.threshold = threshold
        self._values: list[float] = []

    def add(self, _index: int, *values: float) -> None:
        """Take in the value of a candidate."""
        self._values.append(values[0])

    def values(self) -> tuple[float | None, ...]:
        """Return the largest value, and the hits where there is a threshold."""
        largest = max(self._values, default=None)
        if self.threshold is None:
            return (largest,)
        return largest, float(sum(value > self.threshold for value in self._values))
