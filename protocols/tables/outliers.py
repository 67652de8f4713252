"""Values that look impossible: what lies far beyond the spread of a column, marks of missing values, and mixed units.

Nothing is changed here: a value that looks wrong may be the discovery. It is told with its rows, and a person looks.
Everything is measured against the different values of a column, so that neither many equal ones (band gaps of zero) nor
a mark that stands in a third of the rows moves the scale. With d the distance of a value from their median in units of
their interquartile range / 1.349 (Tukey, Exploratory Data Analysis (1977): the deviation of a normal distribution):

- *far*: ln d lies above the median of ln d by more than `FAR_DEVIATIONS` of its upper quartile, so that tails which are
  heavy by nature raise their own bound, or d is `GAP` times that of all others; and ln |x| is far too, which no value
  of carriers over twelve decades is. Where there are such, values that stand apart less are told with them.
- *mark*: a number that people write for "no value" (`MARKS`) and beyond `MARK_DISTANCE`, or the only negative value of
  a column, several times.
- *unit*: ln |x| has two groups of like shape, with a valley between, whose medians differ by a factor between units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.tables.account import Finding, Handling
from protocols.tables.cells import FloatArray, IndexArray

FEWEST_VALUES: Final = 12
"""Different values from which a column has a spread to speak of."""

NORMAL_IQR: Final = 1.349
"""Interquartile range of a standard normal."""

FAR_DEVIATIONS: Final = 9.0
"""How far ln d may lie above its median [upper quartile of ln d / 0.6745]. Of a normal distribution it is d = 800, of
a Cauchy distribution 10⁵; the rotational constants of QM9 reach 8.6 with the smallest of its molecules."""

LOG_DEVIATIONS: Final = 6.0
"""How far ln |x| of a far value lies from its median at least [interquartile range / 1.349]."""

UPPER_QUARTILE: Final = 0.6745
"""Upper quartile of a standard normal."""

GAP: Final = 100.0
"""Factor between the d of far values and that of all others, as a slip in the unit or in the point makes it."""

BESIDE_GAP: Final = 3.0
"""Factor between d of what is told beside far values and d of all others: a table with sure slips has lesser ones."""

BESIDE_AT_LEAST: Final = 10.0
"""Smallest d of what is told beside far values."""

FAR_AT_LEAST: Final = 100.0
"""Smallest d that is called far, however narrow the others lie."""

LARGEST_SHARE: Final = 0.2
"""Largest part of the rows that can be far: more of them are no exceptions."""

MARKS: Final = (-9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0,
    99999999.0, -32768.0, 32767.0, -2147483648.0, 2147483647.0, -1e10, 1e10, -1e20, 1e20, -1e30, 1e30, 1e36,
)  # fmt: skip
"""Numbers that programs and people write where there is no value."""

MARK_DISTANCE: Final = 6.0
"""Smallest d of a mark: 999 amid values of such a size is a value."""

SAFE_DISTANCE: Final = 5.0
"""Largest d in a large column that needs no closer look, by the spread of a sample: below `MARK_DISTANCE`."""

SAMPLE: Final = 20_000
"""Values by which the spread and the shape of a large column are judged."""

MARK_REPEATS: Final = 3
"""How often the only negative value of a column stands there before it is taken for a mark."""

UNIT_FACTORS: Final = {
    13.6057: "Ry and eV", 23.0605: "eV and kcal/mol", 27.2114: "Ha and eV", 96.4853: "eV and kJ/mol", 100.0: "percent",
    160.2177: "eV/Å³ and GPa", 627.509: "Ha and kcal/mol", 1000.0: "a thousandth (eV and meV, GPa and MPa)",
    2625.5: "Ha and kJ/mol", 8065.54: "eV and 1/cm", 1e6: "a millionth", 1e9: "a billionth (GPa and Pa)",
}  # fmt: skip
"""Factor between two units -> which these may be."""

VALLEY: Final = 0.25
"""Most values that the middle third between two medians may hold, as a part of those around either median."""

LIKE_SHAPE: Final = 2.0
"""Largest ratio of the spreads of two groups that are one property in two units."""

UNIT_TOLERANCE: Final = 0.03
"""How far the ratio of medians may miss a factor [ln], beside twice its own error."""

FEWEST_IN_TWO_UNITS: Final = 50
"""Different values from which a sample with two peaks is seldom one with one."""

FEWEST_IN_A_UNIT: Final = 5
"""Different values in the smaller group: fewer have no shape."""


@dataclass(frozen=True, slots=True)
class Outliers:
    """Values that look wrong for one reason.

    Attributes:
        kind: "far", "mark" or "unit".
        rows: Their positions, ascending, shape (k,).
        told: What is said of them: a whole sentence without a full stop, with the column.
    """

    kind: str
    rows: IndexArray
    told: str


def noted_values(values: FloatArray, name: str, unit: str, rows: IndexArray) -> Iterator[Finding]:
    """Yield a finding for each kind of value that looks wrong; none for a column as it should be.

    Args:
        values: A column, shape (n,) [unit]; NaN where it is not known.
        name: The column.
        unit: Its unit, for people.
        rows: Positions of the values in the file, from 0, ascending, shape (n,).
    """
    for each in find_outliers(values, name, unit):
        yield Finding(Handling.NOTED, each.told, rows[each.rows])


def find_outliers(values: FloatArray, name: str, unit: str) -> tuple[Outliers, ...]:
    """Return the values of a column that look wrong, by kind; arguments as of `noted_values`."""
    left = np.isfinite(values)
    found: list[Outliers] = []
    # Of values over hundreds of decades a distance or a bound may be beyond all floats: infinite is what it means.
    with np.errstate(over="ignore"):
        for find in (_marks, _far, _units) if _may_stand_out(values[left]) else (_units,):
            for kind, mask, told in find(values, left, unit):
                left = left & ~mask
                found.append(Outliers(kind, np.flatnonzero(mask), f"column {name!r}: {told}"))
    return tuple(found)


Found = Iterator[tuple[str, NDArray[np.bool_], str]]


def _may_stand_out(known: FloatArray) -> bool:
    """Tell whether the ends of a column are worth a closer look: in a large one sorting takes longer than reading."""
    if len(known) <= SAMPLE:
        return True
    middle, scale = _spread(np.unique(known[:: len(known) // SAMPLE]))
    low, high = float(known.min()), float(known.max())
    negative = known[known < 0.0]
    lone = len(negative) > 0 and float(negative.max()) == low
    return lone or max(high - middle, middle - low) > SAFE_DISTANCE * scale


def _marks(values: FloatArray, left: NDArray[np.bool_], unit: str) -> Found:
    """Find numbers that stand for a missing value."""
    different, counts = np.unique(values[left], return_counts=True)
    known = np.isin(different, MARKS)
    others = different[~known]
    if len(others) < FEWEST_VALUES:
        return
    middle, scale = _spread(others)
    negative = different < 0.0
    is_mark = known & (np.abs(different - middle) > MARK_DISTANCE * scale)
    if np.count_nonzero(negative & ~is_mark) == 1:
        is_mark |= negative & (counts >= MARK_REPEATS)
    for mark in different[is_mark]:
        mask = left & (values == mark)
        told = (
            f"{_counted(mask)} beyond the spread of the others: {mark:g}, as is written where there is no value"
            f' (the others: {_range(others, unit)}); if so, set missing = ["{mark:g}"]'
        )
        yield "mark", mask, told


def _far(values: FloatArray, left: NDArray[np.bool_], unit: str) -> Found:
    """Find values that no tail of the others explains."""
    different = np.unique(values[left])
    if len(different) < FEWEST_VALUES:
        return
    middle, scale = _spread(different)
    distance = np.abs(values - middle) / scale
    ordered = np.sort(np.abs(different - middle) / scale)
    bound = min(_tail_bound(ordered), _gap_bound(ordered, GAP, FAR_AT_LEAST))
    mask = left & (distance >= bound) & _is_far_in_logs(values, different)
    if mask.any():
        others = np.sort(distance[left & ~mask])
        mask |= left & (distance >= _gap_bound(others, BESIDE_GAP, BESIDE_AT_LEAST))
    if not mask.any() or np.count_nonzero(mask) > LARGEST_SHARE * np.count_nonzero(left):
        return
    told = (
        f"{_counted(mask)} beyond the spread of the others: {_range(values[mask], unit)}"
        f" (the others: {_range(values[left & ~mask], unit)}); if they cannot be true, set valid_range"
    )
    yield "far", mask, told


def _units(values: FloatArray, left: NDArray[np.bool_], unit: str) -> Found:
    """Find two groups of one shape that differ by a factor between units; the smaller is told."""
    size = np.abs(values, where=left, out=np.zeros(len(values)))
    sizes = size[size > 0.0]
    logs = np.log(np.unique(sizes[:: max(1, len(sizes) // SAMPLE)]))
    if len(logs) < FEWEST_IN_TWO_UNITS:
        return
    cut = _parting(logs)
    low, high = logs[:cut], logs[cut:]
    smaller = min(len(low), len(high))
    (low_middle, low_scale), (high_middle, high_scale) = _spread(low), _spread(high)
    shift = high_middle - low_middle
    wide, narrow = max(low_scale, high_scale), min(low_scale, high_scale)
    factor = min(UNIT_FACTORS, key=lambda each: abs(np.log(each) - shift))
    misses = abs(np.log(factor) - shift) > UNIT_TOLERANCE + 2.0 * wide / np.sqrt(smaller)
    if smaller < FEWEST_IN_A_UNIT or misses or wide > LIKE_SHAPE * narrow or _filled(logs, low_middle, high_middle):
        return
    edge = np.exp((logs[cut - 1] + logs[cut]) / 2.0)
    is_high, is_low = left & (size >= edge), left & (size < edge) & (size > 0.0)
    mask, side = (is_high, "above") if is_high.sum() <= is_low.sum() else (is_low, "below")
    others = _range(values[left & ~mask], unit)
    told = (
        f"{_counted(mask)} {side} the others, by a factor of about {factor:g}, as if in another unit"
        f" ({UNIT_FACTORS[factor]}): {_range(values[mask], unit)} (the others: {others})"
    )
    yield "unit", mask, told


def _parting(ordered: FloatArray) -> int:
    """Return where an ascending sample parts into two groups with the least variance within (Otsu's threshold)."""
    count = np.arange(1, len(ordered))
    total = np.cumsum(ordered)[:-1]
    below, above = total / count, (ordered.sum() - total) / (len(ordered) - count)
    return int(np.argmax(count * (len(ordered) - count) * (above - below) ** 2)) + 1


def _filled(ordered: FloatArray, low: float, high: float) -> bool:
    """Tell whether the middle third between two medians holds too much for a valley between two groups."""
    third = (high - low) / 3.0

    def within(middle: float) -> int:
        return int(np.diff(np.searchsorted(ordered, (middle - third / 2.0, middle + third / 2.0)))[0])

    return within((low + high) / 2.0) > VALLEY * min(within(low), within(high))


def _spread(different: FloatArray) -> tuple[float, float]:
    """Return the median and the scale of different values; the scale is positive."""
    low, middle, high = np.quantile(different, (0.25, 0.5, 0.75))
    return float(middle), float(high - low) / NORMAL_IQR


def _tail_bound(ordered: FloatArray) -> float:
    """Return the d from which a value lies beyond the tail that the others have."""
    middle, upper = np.log(np.quantile(ordered[ordered > 0.0], (0.5, 0.75)))
    return float(max(FAR_AT_LEAST, np.exp(middle + FAR_DEVIATIONS * (upper - middle) / UPPER_QUARTILE)))


def _gap_bound(ordered: FloatArray, factor: float, least: float) -> float:
    """Return the d above the first gap between the others and values that are far; infinite without one."""
    above = (ordered[1:] >= factor * ordered[:-1]) & (ordered[1:] >= least) & (ordered[:-1] >= 1.0)
    return float(ordered[1:][int(np.argmax(above))]) if above.any() else float("inf")


def _is_far_in_logs(values: FloatArray, different: FloatArray) -> NDArray[np.bool_]:
    """Tell which values are far of all sizes too: of those over many decades none is, and zero always."""
    sizes = np.unique(np.abs(different[different != 0.0]))
    middle, scale = _spread(np.log(sizes))
    logs = np.log(np.abs(values), where=values != 0.0, out=np.full(len(values), -np.inf))
    far: NDArray[np.bool_] = np.abs(logs - middle) > LOG_DEVIATIONS * scale
    return far


def _counted(mask: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(mask))
    return "1 value lies far" if count == 1 else f"{count} values lie far"


def _range(values: FloatArray, unit: str) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g} {unit}".rstrip() if low == high else f"{low:.4g} to {high:.4g} {unit}".rstrip()
