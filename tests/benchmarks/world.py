"""A synthetic pool for the benchmarks: as many candidates as asked for, seven families, a few features."""

from __future__ import annotations

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.campaign.plan import Ordering
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.settings import CampaignSettings
from tests.benchmarks.processes.lab import value_of


class NextInLine:
    """Takes what is available in the order of the pool: a policy that costs nothing, to measure what is beside it."""

    runs_inline = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose the first ones."""
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), "next in line")


FAMILIES = ("cubic", "hexagonal", "monoclinic", "orthorhombic", "tetragonal", "triclinic", "trigonal")


def synthetic_pool(size: int, features: int = 8, seed: int = 0) -> Pool:
    """Make a pool whose property `tests.benchmarks.processes.lab.value_of` knows."""
    rng = np.random.default_rng(seed)
    candidates = [Candidate(f"m{index:07d}", FAMILIES[index % len(FAMILIES)]) for index in range(size)]
    return make_pool(candidates, rng.normal(size=(size, features)), [f"x{index}" for index in range(features)])


def start_of(pool: Pool, size: int) -> list[tuple[str, float]]:
    """Return the first candidates with their values."""
    return [(candidate_id, value_of(candidate_id)) for candidate_id in pool.candidate_ids[:size]]


def settings(budget: int, *, policy: str = "random", parallel: int = 1) -> CampaignSettings:
    """Return the terms of a benchmark's campaign."""
    return CampaignSettings(
        property="energy", unit="eV", budget=budget, policy=policy, parallel=parallel, ordering=Ordering.AS_COMPLETED
    )
