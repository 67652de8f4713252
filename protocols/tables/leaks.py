"""Columns that tell what is to be measured: the property itself, in another unit, shifted, or in the same order.

A policy that sees such a column knows the answers that it is to ask for, and all that it shows is an illusion. A column
is looked at where the property is known, without the rows of its most frequent value (of band gaps, zero):

- *copy*, *linear*: nearly all rows lie on one line f = a·y + b. The line is fitted by the median of slopes between rows
  half of the sample apart (the incomplete method of Theil (1950)), so that a few rows that differ do not hide it.
- *order*: f rises with y throughout, or falls: a logarithm, a reciprocal, a rank, bins, or the number of a row in a
  sorted table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from protocols.tables.cells import FloatArray, IndexArray

FEWEST_VALUES: Final = 6
"""Different values from which a line through all of them is no coincidence."""

FEWEST_EQUAL: Final = 3
"""Different values from which a column that has them all is no coincidence: a property of two is a class, and a feature
may well tell it."""

FEWEST_LEVELS: Final = 8
"""Different values of both columns from which one order is none: of 8 there are 40,320 orders."""

EXACT: Final = 1e-3
"""How far a value may lie from the line [spread of the column]: three digits; no lawful feature is correlated by more
than 0.999999."""

NEARLY_ALL: Final = 0.9
"""Part of the rows that lie on the line."""

SAMPLE: Final = 500
"""Rows that are looked at first: a column that does not leak is told by them, however long the table is."""

UNIT_SLOPE: Final = 1e-9
"""How far the slope of a copy may lie from one."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that tells a measured property.

    Attributes:
        column: Its name.
        measured: The property.
        kind: "copy", "linear" or "order".
        how: How it follows from the property, as the end of a sentence.
    """

    column: str
    measured: str
    kind: str
    how: str

    def __str__(self) -> str:
        return f"column {self.column!r} is the measured property {self.measured!r} by another name: {self.how}"


def find_leaks(features: Mapping[str, FloatArray], measured: Mapping[str, FloatArray]) -> Iterator[Leak]:
    """Yield the columns that tell a measured property; each once, for the first property that it tells.

    Args:
        features: By name, finite, shape (n,).
        measured: By name, shape (n,); NaN where it is not known.
    """
    samples = {name: _telling_rows(values, SAMPLE) for name, values in measured.items()}
    for column, feature in features.items():
        for name, values in measured.items():
            found = _how(feature, values, samples[name])
            if found is not None:
                yield Leak(column, name, *found)
                break


def _telling_rows(values: FloatArray, most: int) -> IndexArray:
    """Return rows with a known value other than the most frequent one, by ascending value; some `most` of them."""
    known = np.flatnonzero(np.isfinite(values))
    known = known[:: max(1, len(known) // most)]
    different, counts = np.unique(values[known], return_counts=True)
    if len(different) > FEWEST_VALUES and counts.max() > 1:
        known = known[values[known] != different[int(np.argmax(counts))]]
    return known[np.argsort(values[known], kind="stable")]


def _how(feature: FloatArray, values: FloatArray, sample: IndexArray) -> tuple[str, str] | None:
    """Return the kind of a leak and how the column follows; None where it does not."""
    if len(sample) == 0 or _leaks(feature[sample], values[sample]) is None:
        return None
    rows = _telling_rows(values, len(values))
    found = _leaks(feature[rows], values[rows])
    if found is None:
        return None
    known = np.isfinite(values)
    if found[0] == "copy" and (feature[known] == values[known]).all():
        return "copy", f"all {int(known.sum())} values are the same"
    return found


def _leaks(f: FloatArray, y: FloatArray) -> tuple[str, str] | None:
    return _on_a_line(f, y) or _in_one_order(f, y)


def _on_a_line(f: FloatArray, y: FloatArray) -> tuple[str, str] | None:
    """Tell whether nearly all rows lie on a line; y ascends."""
    half = len(y) // 2
    if (levels := len(np.unique(y))) < FEWEST_VALUES:
        return ("copy", "the same") if levels >= FEWEST_EQUAL and bool((f == y).all()) else None
    run = y[half : 2 * half] - y[:half]
    apart = run > 0.0
    if not apart.any():
        return None
    slope = float(np.median((f[half : 2 * half] - f[:half])[apart] / run[apart]))
    low, high = np.quantile(f, (0.05, 0.95))
    if slope == 0.0 or high == low:
        return None
    shift = float(np.median(f - slope * y))
    share = float(np.mean(np.abs(f - slope * y - shift) <= EXACT * (high - low)))
    if share < NEARLY_ALL:
        return None
    rest = "" if share == 1.0 else f" for {100.0 * share:.3g} % of the values"
    if abs(slope - 1.0) <= UNIT_SLOPE and abs(shift) <= UNIT_SLOPE * (high - low):
        return "copy", f"the same{rest}"
    plus = f" {'+' if shift > 0 else '-'} {abs(shift):.4g}" if abs(shift) > EXACT * (high - low) else ""
    return "linear", f"{slope:.6g} times its value{plus}{rest}"


def _in_one_order(f: FloatArray, y: FloatArray) -> tuple[str, str] | None:
    """Tell whether a column rises throughout with the values, or falls; y ascends."""
    if min(len(np.unique(f)), len(np.unique(y))) < FEWEST_LEVELS:
        return None
    for sign, word in ((1.0, "rises"), (-1.0, "falls")):
        if (np.diff((sign * f)[np.lexsort((sign * f, y))]) >= 0.0).all():
            return "order", f"it {word} with it throughout"
    return None
