"""Which entropy a campaign means: an estimator by name, and the resolution below which values count as equal.

Every estimator answers two questions about a sample in ascending order: its entropy, and what one more value would
add to it, as a function of that value. A campaign is measured and steered by the same one.

| name | estimator | n ≥ | ties |
|---|---|---|---|
| m_spacing | spacings of m neighbours, constants exact for uniform values (`spacing`); the default | 1 | cost ln r |
| kozachenko_leonenko | distance to the k-th neighbour, k = 3 | 1 | cost ln r |
| gaussian_kernel | resubstitution of a Gaussian kernel density, Silverman's bandwidth, at least r | 1 | bounded |
| published | SciPy's automatic choice by n (`entropy`), as in ET-AL's publication | 5 | undefined |

Bias ± deviation over samples of n values [nat], `python -m tests.benchmarks.estimators` (true h: uniform 0, normal
1.419, exponential 1):

| | n | m_spacing | kozachenko_leonenko | gaussian_kernel | published |
|---|---|---|---|---|---|
| uniform | 2 | +0.030 ± 1.095 | +0.224 ± 1.095 | −1.088 ± 1.084 | undefined |
| uniform | 5 | +0.006 ± 0.329 | +0.241 ± 0.435 | −0.275 ± 0.511 | +0.002 ± 0.394 |
| uniform | 10 | −0.003 ± 0.166 | +0.110 ± 0.271 | −0.027 ± 0.203 | −0.005 ± 0.216 |
| uniform | 11 | −0.005 ± 0.149 | +0.092 ± 0.260 | −0.007 ± 0.184 | −0.163 ± 0.149 |
| uniform | 50 | −0.000 ± 0.038 | +0.023 ± 0.112 | +0.073 ± 0.050 | −0.051 ± 0.038 |
| uniform | 200 | −0.001 ± 0.011 | +0.034 ± 0.049 | +0.072 ± 0.020 | −0.022 ± 0.011 |
| uniform | 1001 | +0.000 ± 0.003 | +0.329 ± 0.011 | +0.059 ± 0.007 | −0.029 ± 0.003 |
| normal | 2 | −0.198 ± 1.122 | −0.005 ± 1.122 | −1.318 ± 1.118 | undefined |
| normal | 5 | −0.194 ± 0.406 | −0.016 ± 0.464 | −0.534 ± 0.577 | −0.222 ± 0.451 |
| normal | 10 | −0.136 ± 0.274 | −0.068 ± 0.336 | −0.241 ± 0.299 | −0.229 ± 0.294 |
| normal | 11 | −0.130 ± 0.250 | −0.081 ± 0.310 | −0.227 ± 0.274 | −0.288 ± 0.250 |
| normal | 50 | −0.010 ± 0.110 | −0.020 ± 0.151 | −0.060 ± 0.105 | −0.061 ± 0.110 |
| normal | 200 | +0.018 ± 0.053 | −0.003 ± 0.074 | −0.022 ± 0.051 | −0.003 ± 0.053 |
| normal | 1001 | +0.017 ± 0.025 | +0.051 ± 0.029 | −0.009 ± 0.024 | −0.011 ± 0.025 |
| exponential | 2 | −0.132 ± 1.286 | +0.061 ± 1.286 | −1.252 ± 1.282 | undefined |
| exponential | 5 | −0.057 ± 0.560 | +0.106 ± 0.619 | −0.395 ± 0.678 | −0.103 ± 0.583 |
| exponential | 10 | −0.011 ± 0.352 | −0.011 ± 0.404 | −0.117 ± 0.400 | −0.117 ± 0.372 |
| exponential | 11 | −0.020 ± 0.323 | −0.021 ± 0.368 | −0.095 ± 0.358 | −0.179 ± 0.323 |
| exponential | 50 | +0.026 ± 0.152 | −0.006 ± 0.181 | +0.065 ± 0.158 | −0.025 ± 0.152 |
| exponential | 200 | +0.026 ± 0.074 | +0.011 ± 0.089 | +0.085 ± 0.078 | +0.004 ± 0.074 |
| exponential | 1001 | +0.015 ± 0.033 | +0.136 ± 0.030 | +0.072 ± 0.033 | −0.014 ± 0.033 |

References: L. F. Kozachenko, N. N. Leonenko, Probl. Inf. Transm. 23, 95 (1987); I. Ahmad, P.-E. Lin, IEEE Trans. Inf.
Theory 22, 372 (1976); B. W. Silverman, Density Estimation (Chapman and Hall, 1986), equation 3.31.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from agent.entropy.entropy import entropy_of_sorted, entropy_with_added
from agent.entropy.spacing import Insertion, Insertions, log_width, spacing_entropies, spacing_entropy
from protocols.errors import invariant

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

M_SPACING: Final = "m_spacing"
KOZACHENKO_LEONENKO: Final = "kozachenko_leonenko"
GAUSSIAN_KERNEL: Final = "gaussian_kernel"
PUBLISHED: Final = "published"
EstimatorName = Literal["m_spacing", "kozachenko_leonenko", "gaussian_kernel", "published"]
ESTIMATORS: Final[tuple[EstimatorName, ...]] = get_args(EstimatorName)

NEIGHBOURS: Final = 3
"""k of Kozachenko and Leonenko: more has less variance and more bias; 3 is their common middle."""

BANDWIDTH_FACTOR: Final = 0.9
"""Silverman's rule, equation 3.31: b = 0.9 min(std, IQR / 1.34) n^(−1/5)."""

NORMAL_IQR: Final = 1.34
"""Interquartile range of a standard normal."""

BLOCK_NUMBERS: Final = 1 << 18
"""Numbers of one block of pairwise differences (2 MiB): memory does not grow with the sample."""

RESOLUTION_PART: Final = 1e-3
"""Default resolution, as a part of the spread of the values that a campaign starts from: a thousandth of the spread of
a property is below what its makers quote as its error."""

SMALLEST_RESOLUTION: Final = 1e-150
"""Smallest resolution [unit of the property]: its square is far from vanishing."""

RESOLUTION_WITHOUT_VALUES: Final = 1e-3
"""Default resolution [unit of the property] where no two different values are known."""


class Added(Protocol):
    """What one more value does to a sample."""

    @property
    def before(self) -> float:
        """Entropy of the sample that a gain is counted from [nat]."""
        ...

    def gain(self, y: FloatArray) -> FloatArray:
        """What each value adds, one at a time [nat]; shape of y, which is (g,). NaN or −inf where it is undefined."""
        ...


class AddedEach(Protocol):
    """What one more value does to each of several samples of one size."""

    def gain(self, case: IndexArray, gap: IndexArray, y: FloatArray) -> FloatArray:
        """What each value adds to its sample [nat]; NaN or −inf where it is undefined.

        Args:
            case: The sample that a value is added to, shape (g,).
            gap: How many values of that sample are less than it, shape (g,).
            y: The values, shape (g,).

        Returns:
            Shape (g,).
        """
        ...


@dataclass(frozen=True, slots=True)
class EntropyMeasure:
    """An estimator with its resolution.

    Attributes:
        estimator: One of `ESTIMATORS`.
        resolution: r, the smallest difference of values that means anything, positive [unit of the property]; the
            published estimator has none.
    """

    estimator: str = PUBLISHED
    resolution: float = RESOLUTION_WITHOUT_VALUES

    def entropy(self, sorted_values: FloatArray) -> float | None:
        """Estimate the entropy of an ascending sample [nat]; None where it is undefined (no values, at least)."""
        x = sorted_values
        if self.estimator == PUBLISHED:
            return entropy_of_sorted(x)
        if len(x) == 0 or not (math.isfinite(x[0]) and math.isfinite(x[-1])):
            return None
        match self.estimator:
            case "m_spacing":
                return spacing_entropy(x, self.resolution)
            case "kozachenko_leonenko":
                return _kozachenko_leonenko(x, self.resolution)
            case _:
                invariant(self.estimator == GAUSSIAN_KERNEL, f"there is an estimator {self.estimator!r}")
                return _gaussian_kernel(x, self.resolution)

    def entropies(self, samples: FloatArray) -> FloatArray:
        """Estimate the entropy of several samples of one size, a sample a row, shape (s, n) [nat].

        Returns:
            Shape (s,), NaN where it is undefined.
        """
        if self.estimator == M_SPACING and samples.shape[1] > 0 and np.isfinite(samples[:, [0, -1]]).all():
            return spacing_entropies(samples, self.resolution)
        return np.array([math.nan if h is None else h for h in map(self.entropy, samples)])

    def added_each(self, samples: FloatArray) -> AddedEach:
        """Return what a further value does to each of several ascending samples, a sample a row, shape (s, n)."""
        if self.estimator == M_SPACING and samples.shape[1] > 0 and np.isfinite(samples[:, [0, -1]]).all():
            return Insertions(samples, self.resolution)
        return OneByOne(tuple(self.added(sample) for sample in samples))

    def added(self, sorted_values: FloatArray) -> Added | None:
        """Return what a further value does to an ascending sample; None where the sample has no entropy."""
        before = self.entropy(sorted_values)
        if before is None:
            return None
        match self.estimator:
            case "m_spacing":
                return Insertion(sorted_values, self.resolution)
            case "kozachenko_leonenko":
                return _Enlarged(self._finer(len(sorted_values)), sorted_values, before)
            case _:
                return _Enlarged(self, sorted_values, before)

    def _finer(self, n: int) -> EntropyMeasure:
        """Resolution r exp(−Δc) of n + 1 values: one more of many equal ones gains nothing, as with `Insertion`."""
        return replace(self, resolution=self.resolution * math.exp(_neighbour_constant(n) - _neighbour_constant(n + 1)))


AS_PUBLISHED: Final = EntropyMeasure()
"""The entropy of the publication, where nothing else is asked for."""


def default_resolution(values: FloatArray) -> float:
    """Return the resolution of a campaign that starts from these values, shape (n,) [their unit]."""
    spread = _known_spread(values)
    return max(RESOLUTION_PART * spread, SMALLEST_RESOLUTION) if spread > 0.0 else RESOLUTION_WITHOUT_VALUES


def default_scale(values: FloatArray) -> float:
    """Return the scale of a property in a campaign that starts from these values: their spread, or 1 without any."""
    spread = _known_spread(values)
    return max(spread, SMALLEST_RESOLUTION) if spread > 0.0 else 1.0


def _known_spread(values: FloatArray) -> float:
    """The spread of the values; 0 where no two different ones are known."""
    return _spread(values) if len(values) > 1 and np.isfinite(values).all() else 0.0


def _spread(x: FloatArray) -> float:
    """The deviation, or what the quartiles make it if that is less: a single outlier moves the former at will."""
    deviation = float(x.std())
    low, high = np.quantile(x, (0.25, 0.75))
    robust = float(high - low) / NORMAL_IQR
    return min(deviation, robust) if robust > 0.0 else deviation


@dataclass(frozen=True, slots=True)
class _Enlarged:
    """`Added` for estimators without a shortcut: the enlarged sample is estimated again for every value."""

    measure: EntropyMeasure
    sample: FloatArray
    before: float

    def gain(self, y: FloatArray) -> FloatArray:
        if self.measure.estimator == PUBLISHED:
            return entropy_with_added(self.sample, y) - self.before
        after = [self.measure.entropy(np.insert(self.sample, int(np.searchsorted(self.sample, v)), v)) for v in y]
        return np.array([math.nan if h is None else h for h in after]) - self.before


@dataclass(frozen=True, slots=True)
class OneByOne:
    """`AddedEach` for estimators that know no more than one sample at a time; None stands for one without entropy."""

    added: tuple[Added | None, ...]

    def gain(self, case: IndexArray, gap: IndexArray, y: FloatArray) -> FloatArray:  # noqa: ARG002 - the protocol's
        """See `AddedEach`."""
        gains = np.full(len(y), np.nan)
        for number, added in enumerate(self.added):
            of_it = np.flatnonzero(case == number)
            if added is not None and len(of_it):
                gains[of_it] = added.gain(y[of_it])
        return gains


def as_each(added: Added) -> AddedEach:
    """Return what a value does to one sample as what it does to each of one."""
    return added.each if isinstance(added, Insertion) else OneByOne((added,))


def _kozachenko_leonenko(x: FloatArray, r: float) -> float:
    """Estimate h = ψ(n) − ψ(k) + ln 2 + mean ℓ(ε_i), ε_i being the distance to the k-th neighbour."""
    n = len(x)
    k = min(NEIGHBOURS, n - 1)
    if k == 0:
        return math.log(r) + _neighbour_constant(1)
    # The k nearest of a sorted sample are among k on each side: ε is the smallest width that holds k of them.
    padded = np.concatenate((np.full(k, -np.inf), x, np.full(k, np.inf)))
    i = np.arange(n) + k
    distance = np.full(n, np.inf)
    for left in range(k + 1):
        distance = np.minimum(distance, np.maximum(x - padded[i - left], padded[i + k - left] - x))
    return _neighbour_constant(n) + float(log_width(distance, r).mean())


def _neighbour_constant(n: int) -> float:
    """ψ(n) − ψ(k) + ln 2; a single value has that of the m-spacing estimator, 1."""
    from scipy.special import digamma

    return float(digamma(n) - digamma(min(NEIGHBOURS, n - 1))) + math.log(2.0) if n > 1 else 1.0


def _gaussian_kernel(x: FloatArray, r: float) -> float:
    """Estimate h = −mean ln f(x_i), f being the kernel density of the sample itself, its own value included."""
    n = len(x)
    b = max(BANDWIDTH_FACTOR * _spread(x) * n**-0.2, r)
    density = np.empty(n)
    rows = max(1, BLOCK_NUMBERS // n)
    for start in range(0, n, rows):
        chunk = slice(start, start + rows)
        density[chunk] = np.exp(-0.5 * np.square((x[chunk, None] - x) / b)).sum(axis=1)
    return float(-np.log(density).mean() + math.log(n * b * math.sqrt(2.0 * math.pi)))
