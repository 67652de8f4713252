"""How uneven a dataset is: the entropy of every family, and the figures made of them.

| here | meaning |
|---|---|
| h_g | differential entropy of the values of family g [nat], by the campaign's estimator, see `measure` |
| entropy_range | max h_g − min h_g |
| entropy_std | population standard deviation of the h_g (ddof 0, as in the published table) |
| mean_gap | mean over g of (max h − h_g) |

The figures are over the families with a defined entropy, and None when fewer than two have one.
Reference: H. Zhang et al., Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.entropy import MIN_VALUES, entropy_of_sorted, estimator_for
from agent.acquisition.measure import AS_PUBLISHED, EntropyMeasure
from protocols.errors import invariant

IndexArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

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
        poorest_family: The family to enrich first; None without families.
    """

    families: tuple[str, ...]
    sizes: tuple[int, ...]
    entropies: tuple[float | None, ...]
    entropy_range: float | None
    entropy_std: float | None
    mean_gap: float | None
    poorest_family: str | None


@dataclass(frozen=True, slots=True)
class BiasFigure:
    """How a figure of `BiasPoint` is shown.

    Attributes:
        name: The attribute of `BiasPoint`.
        label: What people read.
        unit: "nat", or "" for a pure number.
        lower_is_better: Whether a smaller figure means less bias.
    """

    name: str
    label: str
    unit: str
    lower_is_better: bool


BIAS_FIGURES: Final = (
    BiasFigure("entropy_range", "range of entropy", "nat", lower_is_better=True),
    BiasFigure("entropy_std", "std of entropy", "nat", lower_is_better=True),
    BiasFigure("mean_gap", "mean gap to the richest", "nat", lower_is_better=True),
)
"""The figures that sum a dataset's bias up, in the order in which they are shown."""


def poverty_rank(entropy: float | None, size: int, family: str) -> tuple[float, int, str]:
    """Sort key: the poorest family has the smallest.

    A family without a defined entropy is poorer than any with one, and the poorer the fewer values it has; the name
    settles what is equal.
    """
    return (float("-inf"), size, family) if entropy is None else (entropy, 0, family)


def measure_bias(
    families: Sequence[str],
    family_codes_of_observed: IndexArray,
    values: FloatArray,
    measure: EntropyMeasure = AS_PUBLISHED,
) -> BiasPoint:
    """Measure the bias of a whole dataset.

    Args:
        families: Names, length f.
        family_codes_of_observed: Index into `families` of every value, shape (k,).
        values: In the unit of the campaign, shape (k,).
        measure: Which entropy is meant.
    """
    invariant(len(family_codes_of_observed) == len(values), "every value has a family")
    samples = [np.sort(values[family_codes_of_observed == code]) for code in range(len(families))]
    return _bias_point(tuple(families), [len(x) for x in samples], [measure.entropy(x) for x in samples])


def consecutive_misses(values_in_order: FloatArray, acquired_count: int, patience: int) -> int:
    """Count the latest acquisitions of a family in a row that did not raise its entropy, up to `patience`.

    Read backwards, so that only the last few entropies are ever computed. Not judged are steps to fewer values than
    an entropy needs, and steps at which the estimator changes its formula (10 → 11 and 1000 → 1001 values): the two
    estimates do not compare. A step that leaves h undefined is a miss.

    Args:
        values_in_order: Values of the family, those acquired last and in order of admission, shape (n,).
        acquired_count: How many of them were acquired.
        patience: Where to stop counting.
    """
    misses = 0
    n = len(values_in_order)
    after = entropy_of_sorted(np.sort(values_in_order))
    for size in range(n, max(n - acquired_count, MIN_VALUES - 1), -1):
        before = entropy_of_sorted(np.sort(values_in_order[: size - 1]))
        if estimator_for(size - 1) in {None, estimator_for(size)}:
            if after is not None and (before is None or after > before):
                break
            misses += 1
            if misses == patience:
                break
        after = before
    return misses


class BiasMeter:
    """Keeps the bias of a growing dataset: always equal to `measure_bias` of the same values.

    Adding a value costs one sorted insertion and one entropy, of its own family only.

    Args:
        families: Names, length f.
        family_codes_of_observed: Family of every value known at the start, shape (k,).
        values: These values, shape (k,).
        measure: Which entropy is meant.
    """

    def __init__(
        self,
        families: Sequence[str],
        family_codes_of_observed: IndexArray | None = None,
        values: FloatArray | None = None,
        *,
        measure: EntropyMeasure = AS_PUBLISHED,
    ) -> None:
        self._families = tuple(families)
        self._measure = measure
        codes = np.empty(0, dtype=np.int64) if family_codes_of_observed is None else family_codes_of_observed
        start = np.empty(0) if values is None else np.asarray(values, dtype=np.float64)
        invariant(len(codes) == len(start), "every value has a family")
        self._samples = [np.sort(start[codes == code]) for code in range(len(self._families))]
        self._entropies = [measure.entropy(x) for x in self._samples]

    def add(self, family_code: int, value: float) -> None:
        """Take in one value of one family."""
        invariant(0 <= family_code < len(self._families), f"family code {family_code} names a family")
        sample = self._samples[family_code]
        sample = np.insert(sample, int(np.searchsorted(sample, value)), value)
        self._samples[family_code] = sample
        self._entropies[family_code] = self._measure.entropy(sample)

    def point(self) -> BiasPoint:
        """Return the bias of all values so far."""
        return _bias_point(self._families, [len(x) for x in self._samples], self._entropies)


def _bias_point(families: tuple[str, ...], sizes: Sequence[int], entropies: Sequence[float | None]) -> BiasPoint:
    defined = np.array([h for h in entropies if h is not None], dtype=np.float64)
    comparable = len(defined) >= MIN_DEFINED
    ranks = (poverty_rank(h, size, family) for h, size, family in zip(entropies, sizes, families, strict=True))
    poorest = min(ranks, default=None)
    return BiasPoint(
        families=families,
        sizes=tuple(sizes),
        entropies=tuple(entropies),
        entropy_range=float(defined.max() - defined.min()) if comparable else None,
        entropy_std=float(defined.std()) if comparable else None,
        mean_gap=float((defined.max() - defined).mean()) if comparable else None,
        poorest_family=None if poorest is None else poorest[-1],
    )
