"""One trial a seed: the rows that are held out, and the start set, the same for every policy of that seed.

The test set is drawn before there is a campaign, at random by seed, from every family its share (rounded, halves up).
A policy gets a pool without these rows: it cannot acquire them, nor see that they exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.pool.candidates import Pool
from protocols.errors import SettingsError
from scenarios.settings.model import Scenario
from scenarios.world.world import World, start_set

TEST_SET_STREAM: Final = 0x7E57
"""Beside the seed, so that the test set and the start set are independent draws."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What all policies of a seed have in common; indices are of the whole pool, ascending.

    Attributes:
        seed: Of campaign, start set and test set.
        start: The start set, shape (s,).
        test: The rows that are held out, shape (h,); empty without downstream models.
    """

    seed: int
    start: IndexArray
    test: IndexArray


@dataclass(frozen=True, slots=True)
class OpenPool:
    """What a policy may choose from.

    Attributes:
        pool: The candidates that are not held out.
        values: Of the properties that are balanced, shape (len(pool), p).
        start: Start set, as indices of this pool.
        rows: Index in the whole pool of each, shape (len(pool),).
    """

    pool: Pool
    values: FloatArray
    start: IndexArray
    rows: IndexArray


def make_trials(scenario: Scenario, world: World, seeds: Iterable[int], test_fraction: float) -> tuple[Trial, ...]:
    """Draw test set and start set of every seed.

    Args:
        scenario: What start set is wanted; its seed is replaced.
        world: The whole pool, every value known.
        seeds: One trial each.
        test_fraction: Part of every family that is held out; 0 for none.

    Raises:
        SettingsError: When a family would be left with no candidate, or the start set cannot be made of the rest.
    """
    trials = []
    for seed in seeds:
        test = held_out(world.pool, seed, test_fraction)
        rows = _kept(world.pool, test)
        trials.append(Trial(seed, rows[_start_among(scenario, world, seed, rows)], test))
    return tuple(trials)


def held_out(pool: Pool, seed: int, fraction: float) -> IndexArray:
    """Return the pool indices of a test set: of every family, `fraction` of its members.

    Raises:
        SettingsError: When a family would be left with no candidate.
    """
    generator = np.random.default_rng([seed, TEST_SET_STREAM])
    chosen = []
    for code, family in enumerate(pool.families):
        members = np.flatnonzero(pool.family_codes == code)
        share = floor(fraction * len(members) + 0.5)
        if share == len(members):
            raise SettingsError(
                f"A test fraction of {fraction:g} holds out all {len(members)} candidates of family {family!r}",
                expected="at least one candidate left in every family",
                action="make evaluation.test_fraction smaller, or leave such small families out of the table",
            )
        chosen.append(generator.permutation(members)[:share])
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def open_pool(world: World, trial: Trial) -> OpenPool:
    """Return what the policies of a trial may choose from."""
    rows = _kept(world.pool, trial.test)
    return OpenPool(_restricted(world.pool, rows), world.balanced[rows], np.searchsorted(rows, trial.start), rows)


def _kept(pool: Pool, test: IndexArray) -> IndexArray:
    return np.setdiff1d(np.arange(len(pool), dtype=np.int64), test, assume_unique=True)


def _restricted(pool: Pool, rows: IndexArray) -> Pool:
    if len(rows) == len(pool):
        return pool
    if pool.in_blocks:
        raise SettingsError(
            f"The pool has {len(pool):,} candidates and is read in blocks, and rows are held out of it",
            expected="a pool that fits in memory, of which a part is copied",
            action="compare policies on a sample of the table",
        )
    features = pool.features[rows]
    features.setflags(write=False)
    return Pool(tuple(pool.candidates[row] for row in rows), features, pool.feature_names)


def _start_among(scenario: Scenario, world: World, seed: int, rows: IndexArray) -> IndexArray:
    pool = _restricted(world.pool, rows)
    seeded = scenario.model_copy(update={"campaign": scenario.campaign.model_copy(update={"seed": seed})})
    try:
        start = start_set(seeded, pool, world.values[rows])
    except SettingsError as error:
        if len(rows) == len(world.pool):
            raise
        found = f"{error.found.rstrip('.')}, with {len(world.pool) - len(rows)} of {len(world.pool)} held out for tests"
        raise SettingsError(found, expected=error.expected, action=error.action) from error
    if len(start) == len(pool):
        raise SettingsError(
            f"All {len(pool)} candidates that are not held out are in the start set",
            expected="candidates that are left to choose from",
            action="make start.size or evaluation.test_fraction smaller",
        )
    return start
