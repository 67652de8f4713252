"""A pool with named features and known values, and its global graph: what `causal_reference` is played on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, Policy, PoolArrays
from agent.campaign.proposals import decision_seed
from agent.causal.reference.global_graph import GlobalGraph
from tests.support.samples.causal import named, random_system


@dataclass(frozen=True)
class ToldBed:
    """A pool of three kinds of candidates.

    Attributes:
        pool: With the features x0, x1, x2 of a causal system, and "kind", which tells them apart.
        truth: The property x3 of every candidate, shape (n,).
        rows: Features and property, shape (n, 4).
        told: The graph of all rows.
    """

    pool: PoolArrays
    truth: FloatArray
    rows: FloatArray
    told: GlobalGraph

    def options(self, **more: Any) -> dict[str, Any]:
        """Return options of the policy: small batches, and three rounds."""
        return {"global_graph": self.told.as_options(), "subset_features": ["kind"], "batch": 8, "rounds": 3} | more


def told_bed(seed: int = 1, n: int = 240) -> ToldBed:
    """Make one."""
    rng = np.random.default_rng(seed)
    rows = random_system(seed, n, 4)[0].values
    kinds = rng.permutation(np.repeat([0.0, 20.0, 40.0], [n // 2, n // 3, n - n // 2 - n // 3]))
    features = np.column_stack((rows[:, :3], kinds + rng.normal(size=n)))
    ids = tuple(f"c{k:04d}" for k in range(n))
    pool = PoolArrays(ids, features, np.zeros(n, dtype=np.int64), ("all",), ("x0", "x1", "x2", "kind"))
    return ToldBed(pool, rows[:, 3].copy(), np.array(rows), GlobalGraph.of_rows(named(rows)))


def context_of(
    bed: ToldBed,
    acquired: list[int],
    pending: list[int] | None = None,
    gone: list[int] | None = None,
    *,
    seed: int = 0,
) -> AcquisitionContext:
    """Return the context after some acquisitions.

    Args:
        bed: The pool with its truth.
        acquired: What is known, in the order in which it came.
        pending: What is in flight.
        gone: What is abandoned.
        seed: Of the campaign.
    """
    observed = np.sort(np.array(acquired, dtype=np.int64))
    waiting = np.sort(np.array(pending or [], dtype=np.int64))
    taken = np.concatenate((observed, waiting, np.array(gone or [], dtype=np.int64)))
    return AcquisitionContext(
        pool=bed.pool,
        observed=observed,
        values=bed.truth[observed],
        acquired=np.array(acquired, dtype=np.int64),
        pending=waiting,
        available=np.setdiff1d(np.arange(len(bed.truth)), taken),
        decision=len(acquired),
        seed=decision_seed(seed, len(acquired)),
        campaign_seed=seed,
    )


def play(bed: ToldBed, policy: Policy, *, count: int = 1, seed: int = 0) -> list[int]:
    """Let a policy choose until it asks for nothing more; return what it asked for, in order."""
    acquired: list[int] = []
    while choices := policy.propose(context_of(bed, acquired, seed=seed), count).choices:
        acquired += [choice.index for choice in choices]
    return acquired
