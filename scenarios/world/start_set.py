"""The start set of a scenario: what the dataset holds before the campaign, biased on purpose or not.

The ET-AL demonstration (Zhang et al., Appl. Phys. Rev. 10, 021403 (2023), doi 10.1063/5.0138913) keeps all unstable
tetragonal and trigonal and all stable orthorhombic materials out of its labelled set: a dataset in which some families
lack half of their range, and whose holes the campaign is to find. Pure functions: the same arguments, the same set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError

IndexArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

Half = Literal["stable", "unstable"]
"""The half that a family loses: values below the threshold (stable), or above it (unstable)."""

MINIMUM_PER_FAMILY: Final = 5
"""Fewest candidates of a family in a start set: below about five an entropy is all estimator bias."""


def biased_start(
    family_codes: IndexArray,
    families: Sequence[str],
    values: FloatArray,
    *,
    size: int,
    seed: int,
    halves: Mapping[str, Half],
    threshold: float | Literal["median"] = "median",
    minimum_per_family: int = MINIMUM_PER_FAMILY,
) -> IndexArray:
    """Choose a start set in which named families lack one half of their values entirely.

    What is left is drawn at random, families in proportion to what they have left, each with at least
    `minimum_per_family` or all that it has left.

    Args:
        family_codes: Index into `families`, shape (n,).
        families: Names of the families.
        values: The property of every candidate, finite, shape (n,).
        size: How many candidates to choose.
        seed: Another seed, another draw.
        halves: By family, the half that it loses. A value equal to the threshold is in neither half, and stays.
        threshold: Where the halves meet, in the unit of `values` (0 eV/atom in the paper), or the median of each
            family.
        minimum_per_family: Fewest candidates of a family.

    Returns:
        Pool indices, ascending, shape (size,).

    Raises:
        SettingsError: When a family is unknown or loses all it has, or `size` is too large or too small.
    """
    _check_shapes(family_codes, families, values)
    if unknown := sorted(set(halves) - set(families)):
        raise SettingsError(
            f"The start set names a family {unknown[0]!r} that the pool does not have",
            expected="one of " + ", ".join(families),
        )
    if threshold != "median" and not np.isfinite(threshold):
        raise SettingsError(f"The threshold of the start set is {threshold}", expected='a finite number or "median"')
    eligible = np.ones(len(values), dtype=bool)
    for family, half in halves.items():
        members = family_codes == list(families).index(family)
        if not members.any():
            continue
        middle = float(np.median(values[members])) if threshold == "median" else threshold
        eligible &= ~(members & ((values < middle) if half == "stable" else (values > middle)))
        if not (members & eligible).any():
            raise SettingsError(
                f"Family {family!r} has nothing left in the start set without its {half} half",
                expected=f"values on both sides of {middle:g}",
                action='choose another threshold ("median" always leaves a half), or leave the family out',
            )
    return _draw(family_codes, families, eligible, size=size, seed=seed, minimum=minimum_per_family)


def random_start(
    family_codes: IndexArray,
    families: Sequence[str],
    *,
    size: int,
    seed: int,
    minimum_per_family: int = MINIMUM_PER_FAMILY,
) -> IndexArray:
    """Choose a start set at random, families in proportion: `biased_start` where no family loses anything.

    Raises:
        SettingsError: When `size` is too large or too small.
    """
    eligible = np.ones(len(family_codes), dtype=bool)
    return _draw(family_codes, families, eligible, size=size, seed=seed, minimum=minimum_per_family)


def _check_shapes(family_codes: IndexArray, families: Sequence[str], values: FloatArray) -> None:
    if values.shape != family_codes.shape:
        raise SettingsError(f"There are {len(family_codes)} candidates but {len(values)} values for the start set")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise SettingsError(
            f"The value of the candidate at pool index {bad[0]} is {values[bad[0]]}",
            expected="a known value for every candidate, to tell the halves apart",
        )
    if len(family_codes) and not 0 <= family_codes.min() <= family_codes.max() < len(families):
        raise SettingsError(f"A family code is beyond the {len(families)} families")


def _draw(
    family_codes: IndexArray,
    families: Sequence[str],
    eligible: NDArray[np.bool_],
    *,
    size: int,
    seed: int,
    minimum: int,
) -> IndexArray:
    counts = np.bincount(family_codes[eligible], minlength=len(families)).astype(np.int64)
    shares = _shares(counts, size, minimum)
    generator = np.random.default_rng(seed)
    chosen = [
        generator.permutation(np.flatnonzero(eligible & (family_codes == code)))[:share]
        for code, share in enumerate(shares)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _shares(counts: IndexArray, size: int, minimum: int) -> IndexArray:
    """Share `size` among families in proportion to `counts`, each at least its floor; remainders to the largest.

    A family whose proportional share is below its floor gets the floor, and the others share what is left, until no
    further one falls below: no share then exceeds its count, because shares only shrink on the way.
    """
    floors = np.minimum(counts, minimum)
    if not 1 <= size <= counts.sum() or size < floors.sum() or minimum < 0:
        raise SettingsError(
            f"A start set of {size} candidates cannot be chosen",
            expected=f"between {max(1, int(floors.sum()))} ({minimum} a family, or all it has) and {counts.sum()}",
            action="change its size, its halves or the minimum per family",
        )
    at_floor = np.zeros(len(counts), dtype=bool)
    while True:  # ends: every round but the last moves a family to its floor
        rest, weight = size - floors[at_floor].sum(), max(1, counts[~at_floor].sum())
        below = ~at_floor & (counts * rest < floors * weight)
        if not below.any():
            break
        at_floor |= below
    # In whole numbers, so that no rounding decides; at most (2e6)², far within 64 bits.
    shares = np.where(at_floor, floors, counts * rest // weight)
    remainder = np.where(at_floor, -1, counts * rest % weight)
    # A stable sort: equal remainders fall to the first family.
    shares[np.argsort(-remainder, kind="stable")[: size - shares.sum()]] += 1
    return shares
