"""A biased world that two methods measure: the dear one that counts, and a cheap one that may tell of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, Policy, PoolArrays
from agent.pool.fidelities import Fidelities
from tests.support.biased_worlds import NONE, World, biased_world

CHEAP, DEAR = 0, 1


@dataclass(frozen=True)
class TwoMethodWorld:
    """A world, and the value that every row of its pool would bring.

    Attributes:
        world: Of the dear values.
        pool: Rows of the dear method first, then of the cheap one, then repetitions of both, as many times as asked.
        values: Of every row.
        stds: Standard uncertainty that comes with every value; 0 where none does.
    """

    world: World
    pool: PoolArrays
    values: FloatArray
    stds: FloatArray

    @property
    def n(self) -> int:
        """How many candidates there are."""
        return len(self.world.truth)

    def context(
        self,
        *,
        acquired: IndexArray = NONE,
        pending: IndexArray = NONE,
        cost_left: int = 1_000,
        available: IndexArray | None = None,
        seed: int = 0,
    ) -> AcquisitionContext:
        """Return what a decision sees; by default everything that is neither known nor in flight is available."""
        known = np.union1d(self.world.start, acquired).astype(np.int64)
        if available is None:
            available = np.setdiff1d(np.arange(len(self.values)), np.union1d(known, pending))
        context = AcquisitionContext(
            pool=self.pool,
            observed=known,
            values=self.values[known],
            acquired=acquired,
            pending=pending,
            available=available,
            decision=len(acquired),
            seed=seed,
            measure=self.world.measure,
            cost_left=cost_left,
        )
        return replace(context, uncertainties=self.stds[known, None]) if self.stds.any() else context

    def play(self, policy: Policy, budget: int) -> list[int]:
        """Acquire one row after the other until the budget or the policy ends; return the rows."""
        acquired: list[int] = []
        told = self.pool.fidelities
        assert told is not None
        left = budget
        while left > 0:
            context = self.context(acquired=np.array(acquired, dtype=np.int64), cost_left=left, seed=len(acquired))
            choices = policy.propose(context, 1).choices
            if not choices:
                break
            acquired.append(choices[0].index)
            left -= int(told.cost[choices[0].index])
        return acquired


def two_method_world(
    seed: int,
    *,
    per_family: int = 60,
    error: float = 0.1,
    costs: tuple[int, int] = (1, 20),
    noise: float = 0.0,
    repetitions: int = 1,
    told: bool = True,
    rough: float = 0.0,
) -> TwoMethodWorld:
    """Make one.

    Args:
        seed: Another seed, another world.
        per_family: Candidates of each of the three families.
        error: Deviation of the cheap value from a line over the dear one; infinite where it tells nothing.
        costs: Of a cheap and of a dear value.
        noise: Deviation of every value about its own, in each repetition.
        repetitions: How often a candidate may be measured by a method.
        told: Whether the noise comes with the values.
        rough: Deviation of that part of the dear values which the features do not tell, beside a small one.
    """
    world = biased_world(seed, per_family=per_family, start_per_family=12)
    rng = np.random.default_rng(100 + seed)
    world = replace(world, truth=world.truth + rng.normal(scale=rough, size=len(world.truth))) if rough else world
    n, dear = len(world.truth), world.truth
    cheap = rng.normal(size=n) if np.isinf(error) else 0.7 * dear + 0.4 + rng.normal(scale=error, size=n)
    kinds = [(method, again) for again in range(repetitions) for method in (DEAR, CHEAP)]
    rows = np.arange(n)
    fidelities = Fidelities(
        ("cheap", "dear"),
        costs,
        np.tile(rows, len(kinds)),
        np.repeat([method for method, _ in kinds], n),
        np.repeat([again for _, again in kinds], n),
    )
    values = np.concatenate([(cheap, dear)[method] for method, _ in kinds])
    values = values + rng.normal(scale=noise, size=len(values)) if noise else values
    stds = np.full(len(values), noise if told else 0.0)
    ids = tuple(f"c{index:05d}" for index in range(len(values)))
    features, codes = np.tile(world.pool.features, (len(kinds), 1)), np.tile(world.pool.family_codes, len(kinds))
    pool = PoolArrays(ids, features, codes, world.pool.families, fidelities=fidelities)
    return TwoMethodWorld(world, pool, values, stds)
