"""What the models need of a closure of designs: which groups at which places a candidate has.

| here | meaning | shape |
|---|---|---|
| n, m | candidates, ways to make them | |
| G, P | groups (levels of the sites), combinations of levels of the places | |
| way | groups of a design in ascending order, and its place: one for all orders of its sites | |
| place factor | one of the factors whose levels, together, are the place | |

A property of ways becomes one of candidates by its mean over the ways that make the candidate (`averaged`): benzene is
made by `H, H, ortho` and `H, H, para`, and is all of them in equal parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agent.pool.designs import Designs

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Closure:
    """The ways to make each candidate; made by `closure_of`.

    Attributes:
        groups: Groups of each way, shape (m, s).
        place: Place of each way, shape (m,).
        share: Weight of each way in its candidate, shape (m,).
        first: Where the ways of each candidate begin, shape (n,).
        n_groups: G.
        n_places: P.
        place_sizes: Levels of each place factor; their product is P, the last one's level turns fastest.
        origin: The group that stands for nothing added.
        has_origin: Whether one was found; else the reference stands in, and every group is something.
    """

    groups: IndexArray
    place: IndexArray
    share: FloatArray
    first: IndexArray
    n_groups: int
    n_places: int
    place_sizes: tuple[int, ...]
    origin: int
    has_origin: bool

    def __len__(self) -> int:
        """How many candidates there are."""
        return len(self.first)

    def averaged(self, of_ways: FloatArray) -> FloatArray:
        """Mean over the ways of each candidate, (m, …) → (n, …)."""
        share = self.share.reshape(-1, *(1,) * (of_ways.ndim - 1))
        mean: FloatArray = np.add.reduceat(of_ways * share, self.first, axis=0)
        return mean

    @cached_property
    def group_counts(self) -> FloatArray:
        """How often each group is there, the origin as a group of its own, shape (n, G)."""
        return self.averaged(_counted(self.groups, self.n_groups))

    @cached_property
    def place_counts(self) -> FloatArray:
        """In which places the candidate is made, shape (n, P)."""
        return self.averaged(_counted(self.place[:, None], self.n_places))

    @cached_property
    def group_place_counts(self) -> FloatArray:
        """How often each group is there at each place, shape (n, G P)."""
        codes = self.groups * self.n_places + self.place[:, None]
        return self.averaged(_counted(codes, self.n_groups * self.n_places))

    @cached_property
    def pair_counts(self) -> FloatArray:
        """How often each unordered pair of groups is there, shape (n, pairs that occur); none with one site."""
        ones, others = np.array(list(combinations(range(self.groups.shape[1]), 2)), dtype=np.int64).reshape(-1, 2).T
        codes = self.groups[:, ones] * self.n_groups + self.groups[:, others]  # ascending in a way
        kept, places = np.unique(codes, return_inverse=True)
        return self.averaged(_counted(places.reshape(codes.shape), len(kept)))

    @cached_property
    def interacting(self) -> FloatArray:
        """1 where two groups or more stand beside the origin and may act on each other, else 0, shape (n,)."""
        is_something = (self.groups != self.origin) | (not self.has_origin)
        return self.averaged((np.count_nonzero(is_something, axis=1) > 1).astype(np.float64))

    @cached_property
    def _levels(self) -> tuple[IndexArray, ...]:
        """Level of every place factor in each way, each of shape (m,)."""
        return tuple(np.unravel_index(self.place, self.place_sizes))

    def level_counts(self, factor: int) -> FloatArray:
        """At which levels of one place factor the candidate is made, shape (n, its levels)."""
        return self.averaged(_counted(self._levels[factor][:, None], self.place_sizes[factor]))

    def group_level_counts(self, factor: int) -> FloatArray:
        """How often each group is there at each level of one place factor, shape (n, G times its levels)."""
        size = self.place_sizes[factor]
        return self.averaged(_counted(self.groups * size + self._levels[factor][:, None], self.n_groups * size))

    def level_pair_counts(self, one: int, other: int) -> FloatArray:
        """At which pairs of levels of two place factors the candidate is made, shape (n, such pairs)."""
        size = self.place_sizes[other]
        codes = self._levels[one] * size + self._levels[other]
        return self.averaged(_counted(codes[:, None], self.place_sizes[one] * size))


def closure_of(designs: Designs) -> Closure:
    """Return the ways of every candidate of the designs."""
    groups = np.sort(designs.codes[:, list(designs.sites)], axis=1)
    sizes = tuple(len(designs.levels[factor]) for factor in designs.places)
    place = np.zeros(len(groups), dtype=np.int64)
    for factor, size in zip(designs.places, sizes, strict=True):
        place = place * size + designs.codes[:, factor]
    ways, counts = np.unique(np.column_stack((designs.candidate, place, groups)), axis=0, return_counts=True)
    candidate = ways[:, 0]
    first = np.searchsorted(candidate, np.arange(candidate[-1] + 1))
    share = counts / np.add.reduceat(counts, first)[candidate]
    return Closure(
        groups=ways[:, 2:],
        place=ways[:, 1],
        share=share,
        first=first,
        n_groups=len(designs.groups),
        n_places=math.prod(sizes),
        place_sizes=sizes,
        origin=designs.origin,
        has_origin=designs.has_origin,
    )


def _counted(codes: IndexArray, size: int) -> FloatArray:
    """How often each code is in each row, (m, k) → (m, size)."""
    counts = np.zeros((len(codes), size))
    np.add.at(counts, (np.arange(len(codes))[:, None], codes), 1.0)
    return counts
