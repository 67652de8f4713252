"""The bias of a dataset whose values may be corrected, or go away: the meter, and what it was told.

A value that comes costs what `BiasMeter` says. One that is corrected or goes away lets the meter be made again of all
the others in the order in which they came: so it equals, to the last bit, that of who never knew another one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.entropy.bias import BiasMeter
from agent.entropy.measure import AS_PUBLISHED, EntropyMeasure
from agent.entropy.target_properties import TargetProperty


class DatasetBias:
    """Keeps a dataset and its bias.

    Args:
        families: Names, length f.
        measure: Which entropy is meant; or the p properties.

    Attributes:
        meter: The bias of the values that are there; another object after one was corrected or went away.
    """

    def __init__(
        self, families: Sequence[str], measure: EntropyMeasure | Sequence[TargetProperty] = AS_PUBLISHED
    ) -> None:
        self._families, self._measure = tuple(families), measure
        self._values: dict[int, tuple[int, tuple[float, ...]]] = {}
        self.meter = BiasMeter(self._families, measure=measure)

    def __contains__(self, index: int) -> bool:
        return index in self._values

    def put(self, index: int, code: int, values: tuple[float, ...]) -> None:
        """Take in the values of a candidate; where it has some already, these take their place.

        Args:
            index: Of the candidate in the pool.
            code: Of its family.
            values: One for each property.
        """
        is_new = index not in self._values
        self._values[index] = (code, values)
        if is_new:
            self.meter.add(code, *values)
        else:
            self._make_again()

    def remove(self, index: int) -> int:
        """Forget the values of a candidate; return the code of its family."""
        code, _ = self._values.pop(index)
        self._make_again()
        return code

    def _make_again(self) -> None:
        codes = np.array([code for code, _ in self._values.values()], dtype=np.int64)
        values = np.array([values for _, values in self._values.values()], dtype=np.float64)
        self.meter = BiasMeter(self._families, codes, values, measure=self._measure)
