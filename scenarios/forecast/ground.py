"""What a campaign would know at its start, and what its pool may hold: drawn from the surrogate, noise included.

Of a scenario whose table knows all values, only those of the start set are ever looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.ceilings import Known
from agent.acquisition.pool_draws import LEAST_VALUES, PoolDraws
from agent.campaign.context import pool_arrays
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.settings import CampaignSettings
from agent.surrogate.active_rows import equal_shares
from agent.surrogate.standardise import measure_columns
from protocols.errors import SettingsError, TableError

MOST_CANDIDATES: Final = 2_000
"""Most candidates beside the start set that are played on: a joint draw costs with the cube, a campaign in proportion;
of a larger pool an equal share of every family is drawn, small families whole."""

LEAST_FAMILIES: Final = 2
"""Between so many there can be a gap."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known.

    Attributes:
        pool: The candidates that are played on.
        start: Positions of the start set among them, ascending.
        values: Its values, a column for each property, shape (k, p).
        settings: The campaign's terms, with a budget that there are candidates for.
        candidates: How many candidates the whole pool has.
        notes: What a person should know.
    """

    pool: Pool
    start: IndexArray
    values: FloatArray
    settings: CampaignSettings
    candidates: int
    notes: tuple[str, ...]

    @property
    def remaining(self) -> IndexArray:
        """Positions of the candidates that have no value, ascending."""
        return np.setdiff1d(np.arange(len(self.pool)), self.start)

    def known(self, plan: CampaignPlan) -> Known:
        """Return the same for what asks for ceilings."""
        return Known(pool_arrays(self.pool), self.start, self.values, self.remaining, plan.targets)


def ground_of(pool: Pool, start: IndexArray, values: FloatArray, settings: CampaignSettings) -> Ground:
    """Return what a campaign would know, once it is sure that something can be told from it.

    Args:
        pool: The whole pool.
        start: Pool indices of the start set, ascending, shape (k,).
        values: Values of the start set, shape (k, p).
        settings: The campaign's terms.

    Raises:
        SettingsError: When the start set tells too little.
        TableError: When the pool has one family, or no features that tell candidates apart.
    """
    _require_gaps(pool)
    _require_features(pool)
    _require_values(values, settings)
    rows, notes = _played_on(pool, start)
    left = len(pool) - len(start)
    if settings.budget > left:
        notes.append(f"the budget is {settings.budget:,} and {left:,} candidates are left: all of them are played")
    budget = min(settings.budget, len(rows) - len(start))
    if budget < min(settings.budget, left):
        notes.append(f"so the budget of {settings.budget:,} is played to {budget:,}")
    return Ground(
        pool if len(rows) == len(pool) else _restricted(pool, rows),
        np.searchsorted(rows, start),
        values,
        settings.model_copy(update={"budget": budget}),
        len(pool),
        tuple(notes),
    )


def drawn_values(ground: Ground, draws: int, seed: int) -> FloatArray:
    """Return so many pools that may be: the start set's values as they are, all others drawn together.

    Values out of the range that a campaign believes are moved to its end; a lab's would be refused.

    Args:
        ground: What is known.
        draws: How many.
        seed: Of the draws.

    Returns:
        Shape (draws, n, p) [units of the properties].
    """
    drawn = np.empty((draws, len(ground.pool), ground.values.shape[1]))
    drawn[:, ground.start] = ground.values
    remaining = ground.remaining
    model = PoolDraws(pool_arrays(ground.pool), ground.start, ground.values)
    low, high = ground.settings.valid_range
    for place, values in enumerate(model.draw(remaining, draws, np.random.default_rng(seed))):
        drawn[:, remaining, place] = np.clip(values, low, high) if place == 0 else values
    return drawn


def _require_gaps(pool: Pool) -> None:
    if len(pool.families) < LEAST_FAMILIES:
        raise TableError(
            f"All {len(pool):,} candidates are of one family, {pool.families[0]!r}: there is no gap between families",
            expected="candidates of two families at least",
            action="choose another column for the family, in [pool.columns]",
        )


def _require_features(pool: Pool) -> None:
    if not measure_columns(pool.features).varying.any():
        found = (
            f"Its {pool.features.shape[1]} features are" if pool.features.shape[1] else "It has no features: they are"
        )
        raise TableError(
            f"No feature of the pool tells two candidates apart. {found} the same for all {len(pool):,}",
            expected="a feature that differs between candidates",
            action="name columns with numbers in pool.columns.features, or a column with compositions or structures",
        )


def _require_values(values: FloatArray, settings: CampaignSettings) -> None:
    if len(values) < LEAST_VALUES:
        raise SettingsError(
            f"The start set has {len(values)} values, which tell nothing of how the others are spread",
            expected=f"at least {LEAST_VALUES}, better 5 of each family",
            action="make start.size larger, or measure a few candidates of each family first",
        )
    names = (settings.property, *settings.additional_properties)
    for name, column in zip(names, values.T, strict=True):
        if np.ptp(column) == 0.0:
            raise SettingsError(
                f"All {len(values)} values of {name!r} in the start set are {column[0]:g}: nothing tells how they vary",
                expected="values that differ",
                action="name another property, or a start set that holds different values",
            )


def _played_on(pool: Pool, start: IndexArray) -> tuple[IndexArray, list[str]]:
    """Return the pool indices of what is played on, ascending, and what is to be said of it."""
    if len(pool) - len(start) <= MOST_CANDIDATES:
        return np.arange(len(pool)), []
    drawn = equal_shares(pool.family_codes, start, MOST_CANDIDATES)
    said = f"campaigns are played on {MOST_CANDIDATES:,} of the {len(pool) - len(start):,} candidates, "
    return np.union1d(start, drawn), [f"{said}an equal share of every family: a whole pool holds a little more"]


def _restricted(pool: Pool, rows: IndexArray) -> Pool:
    features = np.array(pool.features[rows], dtype=np.float64)
    features.setflags(write=False)
    return Pool(tuple(pool.candidates[row] for row in rows), features, pool.feature_names)
