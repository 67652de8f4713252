"""How uneven a dataset is: the entropy of every family, and the figures made of them.

| here | meaning |
|---|---|
| h_g | differential entropy of the values of family g [nat], by the campaign's estimator, see `measure` |
| entropy_range | max h_g − min h_g |
| entropy_std | population standard deviation of the h_g (ddof 0, as in the published table) |
| mean_gap | mean over g of (max h − h_g) |
| p_g | exp(h_g) / Σ exp(h): the share of family g in the effective widths |
| evenness | −Σ p_g ln p_g / ln F, F being the number of these families: 1 when all h_g are equal |
| s_g | n_g / Σ n: the share of family g in the values of the families with a defined entropy |
| joint_entropy | J = −Σ s_g ln s_g + Σ s_g h_g [nat]: entropy of family and value together |
| coverage | share of all families that have at least `MIN_VALUES` values |

The figures are over the families with a defined entropy, and None when fewer than two have one; joint entropy asks for
one only, and coverage is over all families. exp(h) is the width of the uniform distribution of entropy h; another unit
of the property scales all widths alike, so that it changes no figure but the h_g and J, all by the same number. The
poorest family is the starved one: the first to be enriched.

Range, gap and evenness compare families, and become better too when the richest loses: many alike values of it make
all even, and poor. Joint entropy (the chain rule, H(g, y) = H(g) + Σ s_g h_g) falls then. It says what the dataset as a
whole tells, and stands beside them wherever one of them is called better. A family without a defined entropy is left
out of it with its values, for nothing is known of their spread.

References: H. Zhang et al., Appl. Phys. Rev. 10, 021403 (2023); E. C. Pielou, J. Theor. Biol. 13, 131 (1966);
T. M. Cover, J. A. Thomas, Elements of Information Theory (Wiley, 2006), theorem 2.2.1 (chain rule).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.bands import Band, entropy_band
from agent.entropy.entropy import MIN_VALUES
from agent.entropy.measure import AS_PUBLISHED, EntropyMeasure
from agent.entropy.target_properties import TargetProperty, combined_entropy
from agent.metrics import Metric
from protocols.errors import invariant

IndexArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

GAP_TOLERANCE_NAT: Final = 0.05
"""A gap that does not count [nat]: entropies of 30 to 60 values err by 0.05 to 0.15."""

MIN_DEFINED: Final = 2
"""Fewest families with a defined entropy between which there can be a gap."""


@dataclass(frozen=True, slots=True)
class BiasPoint:
    """The bias of a dataset at one moment.

    Attributes:
        families: Names, in the order of the two tuples below.
        sizes: Number of values of each family.
        entropies: Entropy of each family [nat]; None where undefined.
        entropy_range: Largest minus smallest defined entropy [nat].
        entropy_std: Population standard deviation of the defined entropies [nat].
        mean_gap: Mean distance of the defined entropies to the largest [nat].
        starved_family: The family to enrich first, the starved one; None without families.
        evenness: Of the effective widths, from 0 to 1.
        coverage: Share of the families with enough values for an entropy that says something.
        joint_entropy: Of family and value together [nat]; None while no family has a defined entropy.
        declared: The metrics that the policy declares beside these, with their values; None where not defined.
    """

    families: tuple[str, ...]
    sizes: tuple[int, ...]
    entropies: tuple[float | None, ...]
    entropy_range: float | None
    entropy_std: float | None
    mean_gap: float | None
    starved_family: str | None
    evenness: float | None = None
    coverage: float = 0.0
    joint_entropy: float | None = None
    declared: tuple[tuple[Metric, float | None], ...] = ()

    @property
    def compares_families(self) -> bool:
        """Whether the bias metrics say anything; where the policy declares others, that takes two families."""
        return not self.declared or len(self.families) >= MIN_DEFINED

    @property
    def figures(self) -> tuple[tuple[Metric, float | None], ...]:
        """All metrics that say anything, with their values, in the order in which they are shown: the policy's lead."""
        if not self.compares_families:
            return self.declared
        return (*self.declared, *((metric, getattr(self, metric.name)) for metric in BIAS_METRICS))

    def value(self, name: str) -> float | None:
        """Return one of the metrics by its name; None where it is not defined, or there is none of that name."""
        return {metric.name: value for metric, value in self.figures}.get(name)


BIAS_METRICS: Final = (
    Metric("entropy_range", "range of entropy", "range", "nat", lower_is_better=True),
    Metric("entropy_std", "std of entropy", "std", "nat", lower_is_better=True),
    Metric("mean_gap", "mean gap to the richest", "mean gap", "nat", lower_is_better=True),
    Metric("evenness", "evenness", "evenness", "", lower_is_better=False),
    Metric("joint_entropy", "joint entropy", "joint entropy", "nat", lower_is_better=False),
    Metric("coverage", "coverage", "coverage", "", lower_is_better=False),
)
"""The figures that sum a dataset's bias up, in the order in which they are shown."""


def priority(entropy: float | None, size: int, family: str) -> tuple[float, int, str]:
    """Sort key: the poorest family has the smallest.

    A family without a defined entropy is poorer than any with one, and the poorer the fewer values it has; the name
    settles what is equal.
    """
    return (float("-inf"), size, family) if entropy is None else (entropy, 0, family)


def evenness(entropies: Sequence[float | None]) -> float | None:
    """Return Pielou's evenness of the effective widths; None of fewer than two defined entropies.

    With d_g = h_g − max h and S = Σ exp(d): p_g = exp(d_g)/S, so −Σ p ln p = ln S − Σ p d, and nothing overflows.
    """
    return _evenness_of(_defined(entropies))


def _defined(entropies: Sequence[float | None]) -> FloatArray:
    return np.array([h for h in entropies if h is not None], dtype=np.float64)


def _evenness_of(defined: FloatArray) -> float | None:
    if len(defined) < MIN_DEFINED:
        return None
    d = defined - np.maximum.reduce(defined)
    width = np.exp(d)
    total = float(np.add.reduce(width))
    shannon = math.log(total) - float(width @ d) / total
    return min(max(shannon / math.log(len(d)), 0.0), 1.0)


def joint_entropy(sizes: Sequence[int], entropies: Sequence[float | None]) -> float | None:
    """Return the entropy of family and value together [nat]; None while no family has a defined entropy.

    Over the families with a defined one, by the chain rule.
    """
    known = [(size, h) for size, h in zip(sizes, entropies, strict=True) if h is not None and size > 0]
    return chain_rule([size for size, _ in known], [h for _, h in known]) if known else None


def chain_rule(sizes: Sequence[int], entropies: Sequence[float]) -> float:
    """Return Σ s_g (h_g − ln s_g), s_g = n_g / N [nat].

    Args:
        sizes: n_g ≥ 1, of at least one family.
        entropies: h_g [nat].
    """
    total = sum(sizes)
    return math.fsum(n / total * (h - math.log(n / total)) for n, h in zip(sizes, entropies, strict=True))


def coverage(sizes: Sequence[int]) -> float:
    """Return the share of families with at least `MIN_VALUES` values; 0 without families."""
    return sum(size >= MIN_VALUES for size in sizes) / len(sizes) if sizes else 0.0


def inserted(sample: FloatArray, value: float) -> FloatArray:
    """Return an ascending sample with one value more."""
    at = sample.searchsorted(value)
    return np.concatenate((sample[:at], (value,), sample[at:]))


def measure_bias(
    families: Sequence[str],
    family_codes_of_observed: IndexArray,
    values: FloatArray,
    measure: EntropyMeasure | Sequence[TargetProperty] = AS_PUBLISHED,
) -> BiasPoint:
    """Measure the bias of a whole dataset.

    Args:
        families: Names, length f.
        family_codes_of_observed: Index into `families` of every value, shape (k,).
        values: In the unit of the campaign, shape (k,); of several properties, shape (k, p).
        measure: Which entropy is meant; or the p properties.
    """
    return BiasMeter(families, family_codes_of_observed, values, measure=measure).point()


class BiasMeter:
    """Keeps the bias of a growing dataset: always equal to `measure_bias` of the same values.

    Adding a value costs one sorted insertion and one entropy, of its own family only, for each property.

    Args:
        families: Names, length f.
        family_codes_of_observed: Family of every value known at the start, shape (k,).
        values: These values, shape (k,); of several properties, shape (k, p).
        measure: Which entropy is meant; or the p properties.
    """

    def __init__(
        self,
        families: Sequence[str],
        family_codes_of_observed: IndexArray | None = None,
        values: FloatArray | None = None,
        *,
        measure: EntropyMeasure | Sequence[TargetProperty] = AS_PUBLISHED,
    ) -> None:
        self._families = tuple(families)
        self.targets = (TargetProperty(measure=measure),) if isinstance(measure, EntropyMeasure) else tuple(measure)
        codes = np.empty(0, dtype=np.int64) if family_codes_of_observed is None else family_codes_of_observed
        start = np.empty(0) if values is None else np.asarray(values, dtype=np.float64)
        start = start.reshape(len(start), len(self.targets))
        invariant(len(codes) == len(start), "every value has a family")
        self._samples = [[np.sort(column[codes == code]) for column in start.T] for code in range(len(self._families))]
        self._rows = [array("d", start[codes == code].ravel()) for code in range(len(self._families))]
        self._entropies = [self._entropy(code) for code in range(len(self._families))]
        self._bands: dict[int, Band | None] = {}

    def add(self, family_code: int, *values: float) -> None:
        """Take in one candidate of one family: a value for each property."""
        invariant(0 <= family_code < len(self._families), f"family code {family_code} names a family")
        invariant(len(values) == len(self.targets), f"{len(values)} values of {len(self.targets)} properties")
        samples = self._samples[family_code]
        for place, value in enumerate(values):
            samples[place] = inserted(samples[place], value)
        self._rows[family_code].extend(values)
        self._entropies[family_code] = self._entropy(family_code)
        self._bands.pop(family_code, None)

    def point(self) -> BiasPoint:
        """Return the bias of all values so far."""
        return _bias_point(self._families, [len(samples[0]) for samples in self._samples], self._entropies)

    def bands(self) -> tuple[Band | None, ...]:
        """Return the band of every family's entropy; only families that changed since are measured again."""
        for code, samples in enumerate(self._samples):
            if code not in self._bands:
                self._bands[code] = self.band_of(code, len(samples[0]))
        return tuple(self._bands[code] for code in range(len(self._families)))

    def band_of(self, family_code: int, size: int) -> Band | None:
        """Return the band of a family's entropy as it was with its first `size` candidates; None with fewer.

        There are fewer where a value of then is not in the dataset any more.
        """
        if size > len(self._samples[family_code][0]):
            return None
        rows = np.array(self._rows[family_code][: size * len(self.targets)])
        return entropy_band(rows.reshape(size, len(self.targets)), self.targets)

    def _entropy(self, code: int) -> float | None:
        parts = [
            target_property.entropy(x) for target_property, x in zip(self.targets, self._samples[code], strict=True)
        ]
        return combined_entropy(self.targets, parts)


def _bias_point(families: tuple[str, ...], sizes: Sequence[int], entropies: Sequence[float | None]) -> BiasPoint:
    defined = _defined(entropies)
    width = std = gap = None
    if len(defined) >= MIN_DEFINED:
        width, std, gap = _spread_of(defined)
    ranks = (priority(h, size, family) for h, size, family in zip(entropies, sizes, families, strict=True))
    starved = min(ranks, default=None)
    return BiasPoint(
        families=families,
        sizes=tuple(sizes),
        entropies=tuple(entropies),
        entropy_range=width,
        entropy_std=std,
        mean_gap=gap,
        starved_family=None if starved is None else starved[-1],
        evenness=_evenness_of(defined),
        coverage=coverage(sizes),
        joint_entropy=joint_entropy(sizes, entropies),
    )


def _spread_of(defined: FloatArray) -> tuple[float, float, float]:
    """Return range, population standard deviation and mean gap.

    To the bit as `ptp`, `std` and `mean`, whose wrappers take longer than all else of a point, at every result.
    """
    n, highest = len(defined), np.maximum.reduce(defined)
    deviations = defined - np.add.reduce(defined) / n
    std = math.sqrt(np.add.reduce(deviations * deviations) / n)
    return float(highest - np.minimum.reduce(defined)), std, float(np.add.reduce(highest - defined) / n)
