"""What the models need of a closure of designs: which groups at which places a candidate has.

| here | meaning | shape |
|---|---|---|
| n, m | candidates, ways to make them | |
| G, P | groups (levels of the sites), places: combinations of levels of the factors that are no sites | |
| way | groups of a design in ascending order, and its place: one for all orders of its sites | |
| place factor | one of the factors whose levels, together, are the place | |

A place is one of the combinations that occur: of 60 atoms in 36 molecules there are 60, not 2,160.

A property of ways becomes one of candidates by its mean over the ways that make the candidate (`averaged`): benzene is
made by `H, H, ortho` and `H, H, para`, and is all of them in equal parts.
"""

from __future__ import annotations

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
        places: Level of every place factor at each place, shape (P, place factors).
        origin: The group that stands for nothing added.
        has_origin: Whether one was found; else the reference stands in, and every group is something.
    """

    groups: IndexArray
    place: IndexArray
    share: FloatArray
    first: IndexArray
    n_groups: int
    places: IndexArray
    origin: int
    has_origin: bool

    def __len__(self) -> int:
        """How many candidates there are."""
        return len(self.first)

    @property
    def n_places(self) -> int:
        """P."""
        return len(self.places)

    @property
    def n_place_factors(self) -> int:
        """Factors that tell a place."""
        return int(self.places.shape[1])

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
        """How often each group is there at each place, shape (n, groups at places that occur); G P if all do."""
        return self.averaged(_counted_if_any(self.groups * self.n_places + self.place[:, None]))

    @cached_property
    def pair_counts(self) -> FloatArray:
        """How often each unordered pair of groups is there, shape (n, pairs that occur); none with one site."""
        ones, others = np.array(list(combinations(range(self.groups.shape[1]), 2)), dtype=np.int64).reshape(-1, 2).T
        codes = self.groups[:, ones] * self.n_groups + self.groups[:, others]  # ascending in a way
        return self.averaged(_counted_if_any(codes))

    @cached_property
    def interacting(self) -> FloatArray:
        """1 where groups beside the origin may act on each other, else 0, shape (n,).

        That takes two of them. With one site it is the place that a group acts on, and one is enough.
        """
        acting = min(2, self.groups.shape[1])
        is_something = (self.groups != self.origin) | (not self.has_origin)
        return self.averaged((np.count_nonzero(is_something, axis=1) >= acting).astype(np.float64))

    def level_counts(self, factor: int) -> FloatArray:
        """At which levels of one place factor the candidate is made, shape (n, its levels)."""
        return self.averaged(_counted_if_any(self._levels(factor)))

    def group_level_counts(self, factor: int) -> FloatArray:
        """How often each group is there at each level of one place factor, shape (n, groups at levels that occur)."""
        return self.averaged(_counted_if_any(self.groups + self.n_groups * self._levels(factor)))

    def level_pair_counts(self, one: int, other: int) -> FloatArray:
        """At which pairs of levels of two place factors the candidate is made, shape (n, pairs that occur)."""
        size = int(self.places[:, one].max()) + 1
        return self.averaged(_counted_if_any(self._levels(one) + size * self._levels(other)))

    def _levels(self, factor: int) -> IndexArray:
        """Level of a place factor in each way, shape (m, 1)."""
        levels: IndexArray = self.places[self.place, factor][:, None]
        return levels


def closure_of(designs: Designs) -> Closure:
    """Return the ways of every candidate of the designs."""
    groups = np.sort(designs.codes[:, list(designs.sites)], axis=1)
    factors = designs.codes[:, list(designs.places)]
    places, place = np.unique(factors, axis=0, return_inverse=True)
    ways, counts = np.unique(
        np.column_stack((designs.candidate, place.reshape(-1), groups)), axis=0, return_counts=True
    )
    candidate = ways[:, 0]
    first = np.searchsorted(candidate, np.arange(candidate[-1] + 1))
    share = counts / np.add.reduceat(counts, first)[candidate]
    return Closure(
        groups=ways[:, 2:],
        place=ways[:, 1],
        share=share,
        first=first,
        n_groups=len(designs.groups),
        places=places,
        origin=designs.origin,
        has_origin=designs.has_origin,
    )


def _counted(codes: IndexArray, size: int) -> FloatArray:
    """How often each code is in each row, (m, k) → (m, size)."""
    counts = np.zeros((len(codes), size))
    np.add.at(counts, (np.arange(len(codes))[:, None], codes), 1.0)
    return counts


def _counted_if_any(codes: IndexArray) -> FloatArray:
    """How often each code is in each row, of the codes that are in any, ascending, (m, k) → (m, codes)."""
    kept, places = np.unique(codes, return_inverse=True)
    return _counted(places.reshape(codes.shape), len(kept))
