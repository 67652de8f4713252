"""The model "features": what groups, places and pairs add, and label-free features, straight or bent.

For a closure in which vectors do not add up, or no estimate of the property is at hand. A Gaussian process of constant
mean whose covariance is a sum of blocks (see `blocks`), over values in deviations from their mean; one linear and one
smooth block for each label-free feature, so that a good estimate of the property is followed and a useless one fades.

Where the place is a combination of several factors (a prototype and a strain, say), each of them adds its share, and
acts with the groups and with each other: the same blocks for them as for the groups, as nothing says which factor will
matter. Without these a place is as strange to one that differs in one factor as to one that differs in all.

Without any feature this is a model of categories alone: on the benzenes its effects err twice as much as with features,
at any number of values, and four times as much as those of "vectors".
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.designs.block_variances import most_probable
from agent.causal.designs.blocks import Block, cautious, covariance_of, stacked
from agent.causal.designs.closure import Closure
from agent.causal.designs.closure_model import NUGGET, ClosurePrior
from agent.surrogate.gaussian_process import centre_and_scale
from agent.surrogate.standardise import measure_columns

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

STARTS: Final = {
    "level": 1.5,
    "groups": 0.25,
    "groups at places": 0.025,
    "places": 0.0125,
    "pairs": 0.075,
    "own": 0.005,
    "interaction": 0.125,
    "linear": 0.175,
    "smooth": 0.075,
}
"""Variances that the blocks start with, and the medians of their priors [variance of the values]."""

MOST_FEATURES: Final = 8
"""Most features that have blocks of their own; more share one linear and one smooth block, as a few dozen values do
not tell so many variances apart."""


class FeatureModel:
    """See the top of this file.

    Args:
        closure: Its ways.
        features: Label-free features of every candidate, shape (n, d); constant ones are left out.
        unit: Deviation to expect until values differ, of an earlier log [unit of the property]; None without one.
    """

    name = "features"
    in_unit = False

    def __init__(self, closure: Closure, features: FloatArray, unit: float | None = None) -> None:
        self._unit = unit
        self._n = n = len(closure)
        self._blocks = [
            Block("level", STARTS["level"], features=np.ones((n, 1))),
            Block("groups", STARTS["groups"], features=closure.group_counts),
            Block("groups at places", STARTS["groups at places"], features=closure.group_place_counts),
            Block("places", STARTS["places"], features=closure.place_counts),
            Block("own", STARTS["own"], diagonal=np.ones(n)),
        ]
        if closure.n_place_factors > 1:
            self._blocks += _of_place_factors(closure)
        if closure.interacting.any():
            if closure.groups.shape[1] > 1:
                self._blocks.append(Block("pairs", STARTS["pairs"], features=closure.pair_counts))
            self._blocks.append(Block("interaction", STARTS["interaction"], diagonal=closure.interacting))
        z = measure_columns(features).apply(features)
        d = z.shape[1]
        for columns in np.split(z, d if d <= MOST_FEATURES else 1, axis=1) if d else ():
            self._blocks += [
                Block("linear", STARTS["linear"], features=columns / np.sqrt(columns.shape[1])),
                Block("smooth", STARTS["smooth"], position=columns),
            ]

    def fit(self, rows: IndexArray, values: FloatArray, noise: FloatArray) -> ClosurePrior:
        """See `ClosureModel`."""
        centre, unit, varies = centre_and_scale(values) if len(rows) else (0.0, 1.0, False)
        if not varies:  # none, one or equal ones: without a log their size is all that tells of the unit
            unit = self._unit or float(np.abs(values).max(initial=0.0)) or 1.0
        variances = np.array([block.start for block in self._blocks])
        if len(rows):
            known = np.diag(NUGGET + noise / unit**2)
            variances = most_probable(stacked(self._blocks, rows), known, (values - centre) / unit, variances)
        square = unit**2
        return ClosurePrior(
            mean=np.full(self._n, centre),
            covariance=covariance_of(self._blocks, variances, self._n) * square,
            cautious=covariance_of(self._blocks, cautious(self._blocks, variances), self._n) * square,
            nugget=NUGGET * square,
            has_scale=varies,
        )


def _of_place_factors(closure: Closure) -> list[Block]:
    """Return the blocks of the factors that make a place together."""
    factors = range(closure.n_place_factors)
    start, pair = STARTS["groups"], STARTS["pairs"]
    blocks = [Block("place factor", start, features=closure.level_counts(each)) for each in factors]
    blocks += [Block("groups at levels", pair, features=closure.group_level_counts(each)) for each in factors]
    # Of two factors alone the pairs are the places, which have a block.
    blocks += [
        Block("two place factors", pair, features=closure.level_pair_counts(*each))
        for each in combinations(factors, 2)
        if len(factors) > 2  # noqa: PLR2004 - as said above
    ]
    return blocks
