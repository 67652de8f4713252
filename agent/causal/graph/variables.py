"""Rows of variables to find a graph of, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

LARGEST: Final = 1e150
"""Largest magnitude of a number: its square is finite."""

CONSTANT: Final = 8.0 * float(np.finfo(np.float64).eps)
"""Standard deviation of a constant, as a part of its magnitude, is at most this: rounding of its mean."""

SAME: Final = 1e-12
"""1 − |correlation| of a column and its multiple is below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """Columns with their names; made by `of` or `with_target`, which check them.

    Attributes:
        names: Of the columns, length d.
        values: Rows, finite, shape (n, d), n > d.
    """

    names: tuple[str, ...]
    values: FloatArray

    @classmethod
    def of(cls, names: Sequence[str], values: FloatArray) -> Self:
        """Check columns and freeze them.

        Raises:
            TableError: When there are fewer than two columns, not more rows than columns, two columns of one name, or
                what is not a finite number.
        """
        columns, rows = tuple(names), np.array(values, dtype=np.float64)
        _require_shape(columns, rows)
        _require_finite(columns, rows)
        rows.flags.writeable = False
        return cls(columns, rows)

    @classmethod
    def with_target(cls, names: Sequence[str], features: FloatArray, target: str, values: FloatArray) -> Self:
        """Put features and a target together, the target last.

        Args:
            names: Of the features.
            features: Shape (n, d − 1).
            target: Name of the target.
            values: Its values, shape (n,).

        Raises:
            TableError: As `of`, or when the target is a feature, by name or as a multiple of one.
        """
        if target in names:
            raise TableError(
                f"The target {target!r} is one of the features",
                expected="features that are known before the target is",
                action=f"Take {target!r} out of the features",
            )
        if len(features) != len(values):
            raise TableError(f"There are {len(features)} rows of features and {len(values)} values of {target!r}")
        made = cls.of((*names, target), np.column_stack((features, values)))
        Z = standardise(made).Z
        for place in np.flatnonzero(np.abs(Z[:-1] @ Z[-1]) > (1.0 - SAME) * len(values)).tolist():
            raise TableError(
                f"The feature {names[place]!r} is the target {target!r} in another unit",
                expected="features that are known before the target is",
                action=f"Take {names[place]!r} out of the features",
            )
        return made

    def rows(self, places: IndexArray) -> Variables:
        """Return some rows, in this order; a row may come more than once."""
        return Variables.of(self.names, self.values[places])

    def columns(self, places: Sequence[int]) -> Variables:
        """Return some columns, in this order."""
        return Variables.of([self.names[place] for place in places], self.values[:, list(places)])


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Variables of mean 0 and variance 1; what is constant to rounding is 0.

    Attributes:
        Z: A variable a row, shape (d, n).
        scale: Standard deviations of the variables as they were, 0 for a constant, shape (d,).
        correlations: Z Zᵀ/n, shape (d, d).
    """

    Z: FloatArray
    scale: FloatArray
    correlations: FloatArray


def standardise(variables: Variables) -> Standardised:
    """Bring variables to mean 0 and variance 1."""
    Z = np.ascontiguousarray(variables.values.T)
    mean = Z.mean(axis=1)
    Z = Z - mean[:, None]
    scale = np.sqrt(np.square(Z).mean(axis=1))
    is_constant = scale <= CONSTANT * np.abs(mean)
    scale[is_constant] = 0.0
    Z[is_constant] = 0.0
    Z /= np.where(is_constant, 1.0, scale)[:, None]
    return Standardised(Z, scale, Z @ Z.T / Z.shape[1])


def _require_shape(columns: tuple[str, ...], rows: FloatArray) -> None:
    if rows.ndim != 2 or rows.shape[1] != len(columns):  # noqa: PLR2004 - a table has two dimensions
        raise TableError(f"The values have the shape {rows.shape} for {len(columns)} names")
    n, d = rows.shape
    if d < 2:  # noqa: PLR2004 - a cause and an effect
        raise TableError(f"There is {d} column", expected="at least two: a cause and an effect")
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise TableError(f"The column {repeated[0]!r} is there more than once", expected="a name for each column")
    if n <= d:
        raise TableError(
            f"There are {n} rows for {d} columns",
            expected=f"at least {d + 1} rows, or no weight can be told from chance",
            action="Add rows, or take out columns",
        )


def _require_finite(columns: tuple[str, ...], rows: FloatArray) -> None:
    wrong = np.argwhere(~(np.abs(rows) < LARGEST))
    if len(wrong):
        row, column = (int(place) for place in wrong[0])
        raise TableError(
            f"The column {columns[column]!r} has {rows[row, column]} in row {row + 1} (counted from 1); {len(wrong)} "
            "such numbers in all",
            expected=f"finite numbers below {LARGEST:g}",
            action="Take out these rows",
        )
