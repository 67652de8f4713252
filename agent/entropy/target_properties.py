"""The properties whose entropy a campaign balances: one, or several by the weighted mean of standardised entropies.

| here | meaning |
|---|---|
| p | one of the properties |
| h_p | differential entropy of the values of p in a family [nat], see `measure` |
| s_p | scale of p: the deviation of the values that the campaign starts from [unit of p] |
| w_p | weight, Σ_p w_p = 1 |
| h | Σ_p w_p (h_p − ln s_p), the entropy of the family [nat] |

h_p − ln s_p is the entropy of the values in units of s_p, so that properties of any unit add up. With one property
s = w = 1, and h is its entropy in its own unit, as published.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import AS_PUBLISHED, EntropyMeasure

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TargetProperty:
    """One property.

    Attributes:
        name: Of the property; empty where there is only one.
        measure: Its entropy.
        scale: s_p, positive [unit of the property].
        weight: w_p.
    """

    name: str = ""
    measure: EntropyMeasure = AS_PUBLISHED
    scale: float = 1.0
    weight: float = 1.0

    def entropy(self, sorted_values: FloatArray) -> float | None:
        """Return h_p − ln s_p of an ascending sample [nat]; None where it is undefined."""
        h = self.measure.entropy(sorted_values)
        return None if h is None else h - math.log(self.scale)

    def entropies(self, samples: FloatArray) -> FloatArray:
        """Return h_p − ln s_p of ascending samples of one size, shape (s, n) [nat]; shape (s,), NaN for none."""
        standardised: FloatArray = self.measure.entropies(samples) - math.log(self.scale)
        return standardised


def combined_entropy(targets: Sequence[TargetProperty], entropies: Sequence[float | None]) -> float | None:
    """Return h from the standardised entropies of the properties [nat]; None where one of them is undefined."""
    known = [h for h in entropies if h is not None]
    if len(known) < len(targets):
        return None
    return math.fsum(target_property.weight * h for target_property, h in zip(targets, known, strict=True))
