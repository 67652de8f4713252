"""A small biased world, and an offline loop that plays a campaign in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, Policy, PoolArrays
from agent.entropy.bias import BiasMeter, BiasPoint
from agent.entropy.measure import M_SPACING, EntropyMeasure, default_resolution

NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class World:
    """A pool with the true value of every candidate, and the rows that a campaign starts from."""

    pool: PoolArrays
    truth: FloatArray
    start: IndexArray

    @property
    def measure(self) -> EntropyMeasure:
        """The default estimator, as a campaign has it."""
        return EntropyMeasure(M_SPACING, default_resolution(self.truth))

    def context(
        self,
        *,
        observed: IndexArray | None = None,
        acquired: IndexArray = NONE,
        pending: IndexArray = NONE,
        available: IndexArray | None = None,
        seed: int = 0,
    ) -> AcquisitionContext:
        known = np.union1d(self.start if observed is None else observed, acquired).astype(np.int64)
        if available is None:
            available = np.setdiff1d(np.arange(len(self.truth)), np.union1d(known, pending))
        return AcquisitionContext(
            pool=self.pool,
            observed=known,
            values=self.truth[known],
            acquired=acquired,
            pending=pending,
            available=available,
            decision=len(acquired),
            seed=seed,
            measure=self.measure,
        )


def build_world(features: FloatArray, codes: IndexArray, families: tuple[str, ...], truth: FloatArray) -> World:
    ids = tuple(f"c{index:05d}" for index in range(len(truth)))
    return World(PoolArrays(ids, features, codes, families), truth, NONE)


def biased_world(seed: int, *, per_family: int = 160, start_per_family: int = 20) -> World:
    """Three families of the same smooth property; one starts from a narrow range of it, one from the lower half."""
    rng = np.random.default_rng(seed)
    families = ("cubic", "tetragonal", "trigonal")
    codes = np.repeat(np.arange(3), per_family)
    features = rng.normal(size=(3 * per_family, 4))
    truth = np.sin(features[:, 0]) + 0.8 * features[:, 1] - 0.3 * features[:, 2] ** 2
    truth = truth + rng.normal(scale=0.05, size=len(truth))
    allowed = (np.ones(per_family, bool), np.abs(truth[codes == 1]) < 0.3, truth[codes == 2] < 0.0)
    start = [
        rng.choice(np.flatnonzero(mask), min(start_per_family, int(mask.sum())), replace=False) + code * per_family
        for code, mask in enumerate(allowed)
    ]
    world = build_world(features, codes, families, truth)
    return World(world.pool, truth, np.sort(np.concatenate(start)))


def play(world: World, policy: Policy, steps: int, seed: int) -> tuple[BiasPoint, BiasPoint]:
    """Acquire one candidate after the other; return the bias before and after."""
    meter = BiasMeter(world.pool.families, world.pool.family_codes[world.start], world.truth[world.start])
    before = meter.point()
    acquired: list[int] = []
    for step in range(steps):
        context = world.context(acquired=np.array(acquired, dtype=np.int64), seed=1000 * seed + step)
        index = policy.propose(context, 1).choices[0].index
        acquired.append(index)
        meter.add(int(world.pool.family_codes[index]), float(world.truth[index]))
    return before, meter.point()
