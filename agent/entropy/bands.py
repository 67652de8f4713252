"""How far the entropy of a family is known: a band around its estimate that holds the truth nine times in ten.

| here | meaning | shape |
|---|---|---|
| x | the values of a family in ascending order | (n,) |
| h | their entropy by the campaign's measure [nat] | |
| h_(i) | the same without value i (or without group i of the values) | (g,) |
| σ | √((g − 1)/g · Σ (h_(i) − mean h_(i))²): Tukey's jackknife deviation of h [nat] | |
| band | h ± t σ, t being the 95 % point of Student's distribution with g − 1 degrees of freedom | |

**Why the jackknife.** A bootstrap sample holds values twice, and a spacing estimator takes a tie for a hole of width r:
its entropies lie far below h, and the interval of their percentiles beside it. Half-samples without replacement
(Politis, Romano, Wolf) have no ties. At half the sample their deviations have the scale of h itself and need no factor:
of n values m are left out of the draw too, so that √(m/(n − m)) stands for √(m/n), which is 1 (Shao, Wu). Leaving out
one value has none either, is closest to the width that h really has, needs no random numbers, so that any machine finds
the same band again, and costs O(n).

Share of 1,000 samples whose band holds the true entropy, wanted 0.90, and mean width of the band over that of h,
m_spacing (`python -m tests.benchmarks.bands`):

| | n | bootstrap | smoothed bootstrap | half-samples | half-samples, √(m/n) | jackknife |
|---|---|---|---|---|---|---|
| uniform | 5 | 0.70, 2.19 | 0.94, 1.28 | 0.98, 2.51 | 0.95, 1.77 | 0.96, 1.95 |
| uniform | 10 | 0.70, 1.72 | 0.95, 1.45 | 0.96, 1.67 | 0.90, 1.18 | 0.92, 1.53 |
| uniform | 20 | 0.72, 1.49 | 0.97, 1.62 | 0.95, 1.45 | 0.90, 1.02 | 0.93, 1.36 |
| uniform | 50 | 0.68, 1.42 | 0.99, 2.21 | 0.96, 1.48 | 0.90, 1.05 | 0.93, 1.36 |
| uniform | 100 | 0.61, 1.45 | 1.00, 2.76 | 0.97, 1.49 | 0.90, 1.05 | 0.94, 1.35 |
| uniform | 200 | 0.52, 1.44 | 1.00, 3.17 | 0.97, 1.43 | 0.90, 1.01 | 0.95, 1.32 |
| normal | 5 | 0.46, 1.97 | 0.83, 1.06 | 0.93, 2.00 | 0.85, 1.41 | 0.94, 1.61 |
| normal | 10 | 0.41, 1.13 | 0.79, 0.91 | 0.81, 1.08 | 0.68, 0.76 | 0.86, 1.17 |
| normal | 20 | 0.52, 0.98 | 0.83, 0.95 | 0.83, 1.08 | 0.70, 0.76 | 0.87, 1.18 |
| normal | 50 | 0.65, 0.86 | 0.85, 0.91 | 0.85, 1.00 | 0.72, 0.71 | 0.86, 1.05 |
| normal | 100 | 0.76, 0.90 | 0.87, 0.94 | 0.89, 1.02 | 0.76, 0.73 | 0.89, 1.07 |
| normal | 200 | 0.82, 0.87 | 0.85, 0.90 | 0.88, 0.98 | 0.73, 0.69 | 0.87, 1.01 |

For normal samples of ten or twenty the truth lies above the band more often, for there the estimator itself is too low
(−0.14 and −0.07 nat).

**Other estimators.** Up to their noise all estimate the mean of −ln f, so those that look at as many neighbours vary as
much: the σ of m_spacing serves `published` and `gaussian_kernel`. `kozachenko_leonenko` looks at three neighbours and
varies more; its own entropies are taken, without each of at most `GROUPS` groups of values. Their bias stays theirs: at
50 uniform values the truth is held 0.80 (published), 0.47 (gaussian_kernel) and 0.97 of the times.

**Several properties.** A candidate is left out with all its values, and h_(i) is the weighted mean of the entropies.

References: B. Efron, C. Stein, Ann. Stat. 9, 586 (1981); R. G. Miller, Biometrika 61, 1 (1974); B. Efron, Ann. Stat. 7,
1 (1979); D. N. Politis, J. P. Romano, M. Wolf, Subsampling (Springer, 1999); J. Shao, C. F. J. Wu, Ann. Stat. 17, 1176
(1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.entropy import MIN_VALUES
from agent.entropy.measure import KOZACHENKO_LEONENKO, PUBLISHED, EntropyMeasure, default_resolution
from agent.entropy.spacing import log_width, window
from agent.entropy.target_properties import TargetProperty, combined_entropy

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

Band = tuple[float, float]
"""Lower and upper end [nat]."""

UPPER_POINT: Final = 0.95
"""Of Student's distribution: five of a hundred beyond each end."""

GROUPS: Final = 32
"""Most groups of values that are left out in turn, where there is no shortcut: t σ then varies by an eighth."""


def entropy_band(values: FloatArray, measure: EntropyMeasure | Sequence[TargetProperty]) -> Band | None:
    """Return the 90 % band of the entropy of a family [nat]; None of fewer than `MIN_VALUES` values.

    It depends on the values alone, not on their order.

    Args:
        values: Shape (n,); of several properties, shape (n, p).
        measure: Which entropy is meant; or the p properties.
    """
    from scipy.special import stdtrit

    targets = (TargetProperty(measure=measure),) if isinstance(measure, EntropyMeasure) else tuple(measure)
    rows = values.reshape(len(values), len(targets))
    rows = rows[np.lexsort(rows.T[::-1])]
    parts = [target_property.entropy(np.sort(column)) for target_property, column in zip(targets, rows.T, strict=True)]
    h = combined_entropy(targets, parts)
    if h is None or len(rows) < MIN_VALUES:
        return None
    columns = zip(targets, rows.T, strict=True)
    without = np.sum(
        [target_property.weight * _without_one(column, target_property.measure) for target_property, column in columns],
        axis=0,
    )
    g = len(without)
    reach = float(stdtrit(g - 1, UPPER_POINT)) * math.sqrt((g - 1) * float(np.var(without)))
    return h - reach, h + reach


def _without_one(column: FloatArray, measure: EntropyMeasure) -> FloatArray:
    """Return the entropy of a property without each row, or each group of rows, up to what is the same for all."""
    if measure.estimator == KOZACHENKO_LEONENKO:
        return _without_groups(column, measure)
    order = np.argsort(column, kind="stable")
    without = np.empty(len(column))
    resolution = default_resolution(column) if measure.estimator == PUBLISHED else measure.resolution
    without[order] = _without_each(column[order], resolution)
    return without


def _without_each(x: FloatArray, r: float) -> FloatArray:
    """Return the m-spacing entropy without each value, up to what is the same for all; shape (n,).

    Window k of the n − 1 values left reaches from rank lo_k to rank hi_k. Without value i it is that of x where it ends
    before i (`before`), that of the ranks above where it begins behind i (`behind`), and it spans i else (`across`).
    Each kind is one run of k, so three prefix sums do.
    """
    n = len(x)
    m = window(n - 1)
    k = np.arange(n - 1)
    lo, hi = np.maximum(k - m, 0), np.minimum(k + m, n - 2)
    before, behind, across = (
        np.concatenate(([0.0], np.cumsum(log_width(width, r))))
        for width in (x[hi] - x[lo], x[hi + 1] - x[lo + 1], x[hi + 1] - x[lo])
    )
    i = np.arange(n)
    first_across, first_behind = np.searchsorted(hi, i), np.searchsorted(lo, i)
    total = before[first_across] + across[first_behind] - across[first_across] + behind[-1] - behind[first_behind]
    without: FloatArray = total / (n - 1)
    return without


def _without_groups(column: FloatArray, measure: EntropyMeasure) -> FloatArray:
    """Return the entropy without each group of rows; shape (g,)."""
    group = _groups(len(column))
    found = (measure.entropy(np.sort(column[group != each])) for each in range(min(len(column), GROUPS)))
    return np.array([h for h in found if h is not None])


@lru_cache(maxsize=256)
def _groups(n: int) -> IndexArray:
    """Deal n rows out to groups at random, the same for ever; neighbours would tell less than others.

    NumPy promises the raw bits of a generator for all versions, and no more.
    """
    order = np.argsort(np.random.PCG64(n).random_raw(n), kind="stable")
    group = np.empty(n, dtype=np.int64)
    group[order] = np.arange(n) % GROUPS
    return group
