"""What a campaign has told of one family, in order: its rows, their sample, and how long nothing has been gained.

A history is a fold over the rows of a family in canonical order (`grown_surrogate`). It is kept between decisions and
continued where the rows are still the same ones; where they are not it is folded again. So it depends on the context of
the decision alone, and keeping it only saves time.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, PoolArrays
from agent.acquisition.grown_surrogate import GrownSurrogate, canonical_order
from agent.entropy.bias import inserted
from agent.entropy.measure import EntropyMeasure
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.standardise import Standardisation

MIN_FAMILY_ROWS: Final = 4
"""Fewest labelled rows of a family that tell three hyper-parameters anything."""

LEAST_GAIN: Final = 1e-9
"""Gains below are rounding [nat]."""


class FamilyHistory:
    """One family of a pool.

    Args:
        features: Of the whole pool, shape (n, d).
        members: Pool indices of the family, ascending, shape (m,).
        places: Where each pool index stands among the members of its family, shape (n,).
        columns: Statistics of the features.
        measure: The entropy that counts.
        growth: How the surrogate grows.

    Attributes:
        sample: Its values, ascending, shape (k,).
        no_gain_count: Its latest acquisitions in a row that did not raise its entropy.
    """

    def __init__(
        self,
        features: FloatArray,
        members: IndexArray,
        places: IndexArray,
        *,
        columns: Standardisation,
        measure: EntropyMeasure,
        growth: GrowthSettings,
    ) -> None:
        self.members, self.places = members, places
        self.measure = measure
        self.sample: FloatArray = np.empty(0)
        self.no_gain_count = 0
        self._rows: IndexArray = np.empty(0, dtype=np.int64)
        self._values: FloatArray = np.empty(0)
        self._stds: FloatArray = np.empty(0)
        self._started = 0
        self._surrogate = GrownSurrogate(features, members, columns, growth, least_rows=MIN_FAMILY_ROWS)

    def __len__(self) -> int:
        """How many values it has."""
        return len(self._rows)

    def standardised(self, rows: IndexArray) -> FloatArray:
        """Standardised features of pool members, shape (r, d)."""
        return self._surrogate.standardised(rows)

    def follow(self, rows: IndexArray, values: FloatArray, stds: FloatArray, started: int) -> None:
        """Fold what is new.

        Args:
            rows: Pool indices of all values in canonical order, shape (k,).
            values: Their values [unit of the property], shape (k,).
            stds: Standard uncertainties that came with them, 0 where none did, shape (k,): the surrogate's, not the
                entropy's.
            started: How many of them belong to the start set.
        """
        known = len(self._rows)
        same = started == self._started and np.array_equal(rows[:known], self._rows)
        if not (same and np.array_equal(values[:known], self._values)):
            self._begin_again(started)
            known = 0
        if known < started:
            self.sample = np.sort(values[:started])
            known = started
        for value in values[known:]:
            added = self.measure.added(self.sample)
            gained = added is None or bool(added.gain(np.array([value]))[0] > LEAST_GAIN)
            self.no_gain_count = 0 if gained else self.no_gain_count + 1
            self.sample = inserted(self.sample, value)
        self._rows, self._values, self._stds = rows, values, stds

    def surrogate(self) -> GrowingGP | None:
        """Return the process over all members, grown up to the last row; None while there are too few rows."""
        return self._surrogate.follow(self._rows, self._values, self._stds, self._started)

    def _begin_again(self, started: int) -> None:
        self._rows, self._values, self._started = self._rows[:0], self._values[:0], started
        self.sample, self.no_gain_count = self._values, 0


class Histories:
    """The histories of one property in all families of a pool.

    Args:
        pool: The pool.
        measure: The entropy that counts.
        columns: Statistics of the features.
        growth: How surrogates grow.
    """

    def __init__(
        self, pool: PoolArrays, measure: EntropyMeasure, columns: Standardisation, growth: GrowthSettings
    ) -> None:
        order = np.argsort(pool.family_codes, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(pool.family_codes, minlength=len(pool.families)))[:-1])
        places = np.empty(len(order), dtype=np.int64)
        for rows in members:
            places[rows] = np.arange(len(rows))
        self._codes = pool.family_codes
        self._families = [
            FamilyHistory(pool.features, rows, places, columns=columns, measure=measure, growth=growth)
            for rows in members
        ]

    def follow(self, context: AcquisitionContext, values: FloatArray, stds: FloatArray) -> list[FamilyHistory]:
        """Bring all families up to a context; return them by code.

        Args:
            context: Of a decision of the campaign.
            values: Of the property, shape (k,).
            stds: Standard uncertainties that came with them, 0 where none did, shape (k,).
        """
        order, n_start = canonical_order(context)
        rows, values, stds = context.observed[order], values[order], stds[order]
        codes = self._codes[rows]
        by_family = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(self._families)))
        started = np.bincount(codes[:n_start], minlength=len(self._families))
        for code, part in enumerate(np.split(by_family, ends[:-1])):
            self._families[code].follow(rows[part], values[part], stds[part], int(started[code]))
        return self._families
