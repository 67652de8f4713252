"""Columns that no graph can be found of: constant ones, linear functions of others, and nearly so.

| here | meaning |
|---|---|
| R² | part of a column's variance that a linear function of others explains |
| VIF | variance inflation factor 1/(1 − R²) on all other columns, the diagonal of the inverse of the correlations |

A factor says by how much the variance of a weight is larger than it would be among uncorrelated columns. First what is
constant goes, then what is a linear function of columns before it, then, one at a time, the column of the largest
factor while it is above a limit. Of equal factors the later column goes: the order of the columns is the user's
preference.

Reference: D. W. Marquardt, Technometrics 12, 591 (1970).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.variables import Standardised, Variables, standardise
from protocols.errors import SettingsError, TableError

FloatArray = NDArray[np.float64]

DEFAULT_MOST_VIF: Final = 10.0
"""Largest factor that stays: nine tenths of the column are in the others."""

FUNCTION: Final = 1e-10
"""1 − R² of a linear function is below this: rounding leaves 1e-15, and beside it nothing that is measured so well."""

FACTOR_TOLERANCE: Final = 1e-9
"""Factors that differ by less than this part are equal."""

NAMED_PART: Final = 1e-6
"""Smallest part of a linear function that is named [standard deviation of the column]."""

MOST_NAMED: Final = 4
"""Most parts of it that are named."""

Reason = Literal["constant", "function", "inflated"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that was left out.

    Attributes:
        name: Its name.
        reason: "constant"; "function", a linear function of columns that stay; "inflated", by its factor.
        words: The same for a person.
    """

    name: str
    reason: Reason
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """Columns after pruning.

    Attributes:
        variables: Those that stay, in their order.
        dropped: The others, in the order in which they went.
    """

    variables: Variables
    dropped: tuple[Dropped, ...]


def prune(variables: Variables, *, keep: Collection[str] = (), most_vif: float = DEFAULT_MOST_VIF) -> Pruned:
    """Leave out what is constant, a linear function of others, or nearly so.

    Args:
        variables: Columns, what is preferred first.
        keep: Names of columns that are not looked at and stay (the target).
        most_vif: Largest variance inflation factor that stays, above 1.

    Raises:
        SettingsError: When the limit is not above 1.
        TableError: When fewer than two columns stay.
    """
    if not most_vif > 1.0:
        raise SettingsError(f"The largest variance inflation factor is {most_vif}", expected="a number above 1")
    columns = standardise(variables)
    R = columns.correlations
    dropped: list[Dropped] = []
    left: list[int] = []
    for column, name in enumerate(variables.names):
        if name in keep:
            continue
        if columns.scale[column] == 0.0:
            words = f"{name} is {variables.values[0, column]:g} in every row"
            dropped.append(Dropped(name, "constant", words))
        elif function := _function_in_words(variables.names, columns, left, column):
            dropped.append(Dropped(name, "function", f"{name} = {function}"))
        else:
            left.append(column)
    while len(left) > 1:
        factors = np.diag(np.linalg.inv(R[np.ix_(left, left)]))
        worst = int(np.flatnonzero(factors >= factors.max() * (1.0 - FACTOR_TOLERANCE))[-1])
        if factors[worst] <= most_vif:
            break
        name = variables.names[left.pop(worst)]
        words = f"{name} has the variance inflation factor {factors[worst]:.3g}, above {most_vif:g}"
        dropped.append(Dropped(name, "inflated", words))
    stay = [place for place, name in enumerate(variables.names) if place in left or name in keep]
    if len(stay) < 2:  # noqa: PLR2004 - a cause and an effect
        raise TableError(
            "Fewer than two columns are left: " + "; ".join(each.words for each in dropped),
            expected="at least two columns that vary, none a function of the others",
        )
    return Pruned(variables.columns(stay), tuple(dropped))


def variance_inflation_factors(variables: Variables) -> FloatArray:
    """Return the factor of every column on all others, shape (d,).

    Raises:
        TableError: When a column is constant or a linear function of others: it has none.
    """
    columns = standardise(variables)
    require_independent(variables, columns)
    result: FloatArray = np.diag(np.linalg.inv(columns.correlations)).copy()
    return result


def require_independent(variables: Variables, columns: Standardised) -> None:
    """Refuse columns of which one is constant or a linear function of those before it.

    Args:
        variables: As they were.
        columns: The same, standardised.

    Raises:
        TableError: With the column and what it is.
    """
    for column, name in enumerate(variables.names):
        if columns.scale[column] == 0.0:
            raise TableError(
                f"The column {name!r} is constant: {variables.values[0, column]:g} in every row",
                expected="columns that vary",
                action="Take it out: what never changes has no effect that rows could show",
            )
        function = _function_in_words(variables.names, columns, range(column), column)
        if function:
            raise TableError(
                f"The column {name!r} is a linear function of others: {name} = {function}",
                expected="columns of which none is a function of the others",
                action="Take out one of them",
            )


def _function_in_words(names: Sequence[str], columns: Standardised, others: Sequence[int], column: int) -> str:
    """Return what a column is a linear function of, its largest parts first; empty where it is none."""
    if not others:
        return ""
    R, scale = columns.correlations, columns.scale
    parts = np.linalg.solve(R[np.ix_(others, others)], R[others, column])
    if 1.0 - parts @ R[others, column] > FUNCTION:
        return ""
    named = [k for k in np.argsort(-np.abs(parts), kind="stable") if abs(parts[k]) > NAMED_PART]
    words = []
    for k in named[:MOST_NAMED]:
        coefficient = float(f"{parts[k] * scale[column] / scale[others[k]]:.6g}")
        words.append(names[others[k]] if coefficient == 1.0 else f"{coefficient:g} {names[others[k]]}")
    if len(named) > MOST_NAMED:
        words.append(f"{len(named) - MOST_NAMED} more")
    return " + ".join((*words, "a constant"))
