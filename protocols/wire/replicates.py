"""How well a value is known of which the lab tells the single measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence

from protocols.wire.messages import Quantity


def deviation_of_mean(replicates: Sequence[float]) -> float | None:
    """Return the standard uncertainty of the mean of single measurements; None of fewer than two.

    It is s / √n with s² = Σ (x_i − m)² / (n − 1) (GUM, JCGM 100:2008, 4.2.3).
    """
    n = len(replicates)
    if n <= 1:
        return None
    mean = math.fsum(replicates) / n
    return math.sqrt(math.fsum((each - mean) ** 2 for each in replicates) / (n - 1) / n)


def with_deviation(
    quantities: Sequence[Quantity], property_name: str, replicates: Sequence[float]
) -> tuple[Quantity, ...]:
    """Return what was measured; a property that came without a deviation gets that of its single measurements.

    Args:
        quantities: What was measured.
        property_name: The property that the single measurements are of.
        replicates: These, in its unit; empty where there are none.
    """
    deviation = deviation_of_mean(replicates)
    if deviation is None:
        return tuple(quantities)
    return tuple(
        each.model_copy(update={"standard_deviation": deviation})
        if each.name == property_name and each.standard_deviation is None
        else each
        for each in quantities
    )


def combined(values: Sequence[float], deviations: Sequence[float]) -> tuple[float, float]:
    """Return one value of several measurements of the same, and its standard uncertainty; 0 where none is known.

    Where each tells its deviation σ_i, the mean weighted by 1 / σ_i², with σ² = 1 / Σ 1 / σ_i² (the maximum of the
    likelihood of independent normal errors); else the mean, as well known as its scatter tells (`deviation_of_mean`).

    Args:
        values: Of the measurements, at least one.
        deviations: Standard uncertainty of each, 0 where none is known.
    """
    if len(values) == 1:
        return values[0], deviations[0]
    if min(deviations) > 0:
        weights = [each**-2 for each in deviations]
        total = math.fsum(weights)
        return math.fsum(w * x for w, x in zip(weights, values, strict=True)) / total, total**-0.5
    return math.fsum(values) / len(values), deviation_of_mean(values) or 0.0
