"""The row of a table that is nearest to a candidate which is not in it, and how near that is.

Of d numbers the distance is the root mean square of their differences, each in population standard deviations s_j of
its column of the table:

    distance = √( Σ_j ((x_j − y_j) / s_j)² / d )

A number that is the same in all rows must be that of the candidate as well, and so must every word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from protocols.tables.cells import FloatArray
from protocols.wire.parameters import Parameters


@dataclass(frozen=True, slots=True, eq=False)
class NearestRow:
    """A row, and its distance [standard deviations of the table]."""

    row: int
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class DescribedRows:
    """The rows of a table by what describes them.

    Attributes:
        names: Of the numbers, length d.
        units: Their units, length d; empty texts where they have none.
        numbers: Shape (n, d).
        labels: Names of the words, length q.
        texts: The words of each row, length n, each of length q.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    numbers: FloatArray
    labels: tuple[str, ...] = ()
    texts: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of_parameters(cls, parameters: Sequence[Parameters]) -> Self:
        """Describe rows by what an instrument sets; at least one row."""
        called = parameters[0].columns
        numbers = np.array([each.numbers for each in parameters], dtype=float).reshape(len(parameters), -1)
        return cls(called.names, called.units, numbers, called.labels, tuple(each.texts for each in parameters))

    @classmethod
    def of_features(cls, names: Sequence[str], features: FloatArray) -> Self:
        """Describe rows by their features."""
        return cls(tuple(names), ("",) * len(names), features)

    def lacking(self, told: Mapping[str, float], words: Mapping[str, str]) -> str | None:
        """Return what a candidate does not say of itself and a row does; None where it says everything."""
        missing = [name for name in self.names if name not in told]
        missing += [name for name in self.labels if name not in words]
        return missing[0] if missing else None

    def nearest(self, told: Mapping[str, float], words: Mapping[str, str], usable: np.ndarray) -> NearestRow | None:
        """Return the nearest of the usable rows; of equally near ones the first, and None where none is comparable.

        Args:
            told: The candidate's numbers by name; `lacking` says that there are enough.
            words: Its words by name.
            usable: Which rows may be taken, shape (n,), bool.
        """
        wanted = tuple(words[name] for name in self.labels)
        if self.labels:
            usable = usable & np.fromiter((each == wanted for each in self.texts), dtype=bool, count=len(self.texts))
        point = np.array([told[name] for name in self.names])
        width = self.numbers.std(axis=0)
        varies = width > 0
        usable = usable & (self.numbers[:, ~varies] == point[~varies]).all(axis=1)
        if not usable.any():
            return None
        rows = np.flatnonzero(usable)
        steps = (self.numbers[np.ix_(rows, varies)] - point[varies]) / width[varies]
        distances = np.sqrt((steps**2).sum(axis=1) / max(1, len(self.names)))
        best = int(distances.argmin())
        return NearestRow(int(rows[best]), float(distances[best]))
