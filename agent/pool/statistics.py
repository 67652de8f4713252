"""Statistics of composition over elemental properties, after Magpie.

L. Ward, A. Agrawal, A. Choudhary, C. Wolverton, npj Comput. Mater. 2, 16028 (2016). Notation, for a composition with
atomic fractions f_i of its elements i, and a property t_i of them:

| statistic | is |
|---|---|
| mean | t̄ = Σ f_i t_i |
| deviation | Σ f_i abs(t_i - t̄) |
| min, max, range | over the elements that are there |
| mode | t of the element with the largest fraction; of several such, the smallest t |

The values are those of pymatgen and ASE, not Magpie's own table; an element without a value takes the mean of its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Pool
from agent.pool.features import (
    ELEMENTAL_PROPERTIES,
    FEATURE_PLACES,
    composition_amounts,
    elemental_value,
    elemental_values,
)
from protocols.errors import TableError

FloatArray = NDArray[np.float64]

ELECTRON_PROPERTIES: Final = (
    "mendeleev_number",
    "covalent_radius",
    "valence_s",
    "valence_p",
    "valence_d",
    "valence_f",
    "valence",
    "unfilled",
)
"""Properties beside `ELEMENTAL_PROPERTIES`: covalent radius [Å], electrons outside of the last noble gas, and how many
fit into the shells that these have begun."""

SHELL_HOLDS: Final = {"s": 2, "p": 6, "d": 10, "f": 14}
"""Electrons that a shell holds."""

STATISTICS: Final = ("mean", "deviation", "min", "max", "range", "mode")
"""What is made of each property, in this order."""

SAME_FRACTION: Final = 1e-9
"""Difference below which two atomic fractions are one: a formula with decimals rounds."""


def statistic_names() -> tuple[str, ...]:
    """Names of the columns of `composition_statistics`, length 108; the mean of a property is named as ours is."""
    properties = (*(name for name, _ in ELEMENTAL_PROPERTIES), *ELECTRON_PROPERTIES)
    return tuple(f"{name}_{kind}" for kind in STATISTICS for name in properties)


def composition_statistics(compositions: Sequence[str]) -> FloatArray:
    """Describe compositions by statistics of their elements.

    Args:
        compositions: Formulas, length n.

    Returns:
        Shape (n, 108), rounded to `FEATURE_PLACES`; columns as of `statistic_names`.

    Raises:
        TableError: When a formula cannot be read.
    """
    amounts = [composition_amounts(each, number) for number, each in enumerate(compositions)]
    symbols = sorted({symbol for each in amounts for symbol in each})
    if not symbols:
        return np.empty((0, len(statistic_names())))
    place = {symbol: number for number, symbol in enumerate(symbols)}
    fractions = np.zeros((len(amounts), len(symbols)))
    for row, each in enumerate(amounts):
        for symbol, amount in each.items():
            fractions[row, place[symbol]] = amount
    fractions /= fractions.sum(axis=1, keepdims=True)
    table = np.array([(*elemental_values(symbol), *_electrons(symbol)) for symbol in symbols])
    rounded: FloatArray = np.round(_statistics(fractions, table), FEATURE_PLACES) + 0.0
    return rounded


def with_statistics(
    features: FloatArray, names: Sequence[str], compositions: Sequence[str]
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return features with the statistics behind them; a column that is there already is not repeated.

    Raises:
        TableError: When a composition is missing or cannot be read.
    """
    if "" in compositions:
        raise TableError(
            f"Candidate number {list(compositions).index('') + 1} has no formula to make statistics of",
            expected="a formula or a structure for every candidate",
            action="leave pool.composition_statistics out, or name a column of formulas or structures",
        )
    of_them = statistic_names()
    new = [column for column, name in enumerate(of_them) if name not in names]
    matrix = np.hstack((features, composition_statistics(compositions)[:, new]))
    return matrix, (*names, *(of_them[column] for column in new))


def pool_with_statistics(pool: Pool) -> Pool:
    """Return a pool whose features have the statistics of its formulas behind them.

    Raises:
        TableError: When a candidate has no formula.
    """
    matrix, names = with_statistics(pool.features, pool.feature_names, [each.formula for each in pool.candidates])
    matrix = np.ascontiguousarray(matrix)
    matrix.setflags(write=False)
    return replace(pool, features=matrix, feature_names=names)


def _statistics(fractions: FloatArray, table: FloatArray) -> FloatArray:
    """Return all statistics of compositions, shape (n, 6 d), of fractions (n, e) and properties (e, d)."""
    mean = fractions @ table
    # Element by element: few of them are in any one composition, and no array is larger than the result.
    deviation = np.zeros_like(mean)
    smallest, largest = np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
    mode = np.full_like(mean, np.inf)
    most = fractions.max(axis=1) - SAME_FRACTION
    for fraction, values in zip(fractions.T, table, strict=True):
        there = np.flatnonzero(fraction > 0.0)
        deviation[there] += fraction[there, None] * np.abs(values - mean[there])
        smallest[there] = np.minimum(smallest[there], values)
        largest[there] = np.maximum(largest[there], values)
        first = there[fraction[there] >= most[there]]
        mode[first] = np.minimum(mode[first], values)
    return np.hstack((mean, deviation, smallest, largest, largest - smallest, mode))


@cache
def _electrons(symbol: str) -> tuple[float, ...]:
    """Return the values of `ELECTRON_PROPERTIES` of an element."""
    shells = dict.fromkeys(SHELL_HOLDS, 0)
    for part in _configuration(symbol).split("."):
        if not part.startswith("["):  # what is in brackets is the noble gas
            shells[part[1]] += int(part[2:])
    unfilled = sum(SHELL_HOLDS[shell] - count for shell, count in shells.items() if count)
    numbers = (elemental_value(symbol, "Mendeleev no"), _covalent_radius(symbol))
    return (*numbers, *(float(count) for count in shells.values()), float(sum(shells.values())), float(unfilled))


def _configuration(symbol: str) -> str:
    """Return the electrons of an element; where nobody has measured them, those of the one above it in its group."""
    from pymatgen.core import Element

    element = Element(symbol)
    if "Electronic structure" not in element.data:
        above = [each for each in Element if each.row == element.row - 1 and each.group == element.group]
        return _configuration(above[-1].symbol)
    return str(element.electronic_structure)


def _covalent_radius(symbol: str) -> float:
    """Return the covalent radius of ASE's table [Å]; of the elements beyond curium it has 2 Å, a guess."""
    from ase.data import atomic_numbers, covalent_radii

    return float(covalent_radii[atomic_numbers[symbol]])
