"""How well a model predicts, as it is told and kept; what computes it is `agent.acquisition.model_skill`.

By itself, so that a summary can be read without what fits a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST_SHARE: Final = 0.1
"""Below it a model knows too little to choose by. Chosen on one table, and tried on no other: as more noise is put
into its features, `gap_gain` evens it better than random down to a mean share of 0.16, and is not shown to at -0.09 and
-0.17; at 0.03, by formulas alone, it pays with joint entropy. On five other tables it is 0.72 to 0.98, means of three
seeds."""


@dataclass(frozen=True, slots=True)
class ModelSkill:
    """What the model of a property knows beyond the means of the families.

    Attributes:
        target: Name of the property.
        model_error: Root-mean-square error of a value that the model was not fitted to [unit of the property].
        mean_error: The same of the mean of its family, without it, positive [unit of the property].
        values: How many values it was judged by.
    """

    target: str
    model_error: float
    mean_error: float
    values: int

    @property
    def share(self) -> float:
        """The part of the squared errors of the mean that the model saves, at most 1; negative where it does harm."""
        return 1.0 - (self.model_error / self.mean_error) ** 2

    @property
    def is_too_little(self) -> bool:
        """Whether it is too little to choose by."""
        return self.share < LEAST_SHARE
