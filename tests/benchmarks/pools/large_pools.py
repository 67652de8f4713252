"""What gap_gain loses by looking at a sample of a large pool: quality and cost on WBM, 5,000 to 100,000 rows of it.

    python -m tests.benchmarks.pools.large_pools [--rows 20000,100000] [--seeds 3] [--budget 200]

All policies begin with the same biased start set of 300 (see `real_tables`). `all rows` is gap_gain without the sample:
what looking at everything would give. A figure is the mean over seeds after the last acquisition; the cost is the
median decision of one thread [ms of processor]. Energies of WBM here are predicted by MACE, not by DFT.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.registry import make_policy
from agent.entropy.bias import BiasPoint
from scenarios.run.offline import play_answered
from scenarios.settings.model import Scenario
from scenarios.world.world import World, build_world, start_set
from tests.benchmarks.published_tables import DATA
from tests.benchmarks.real_tables import tables

POLICIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "gap_gain": ("gap_gain", {}),
    "gap_gain, all rows": ("gap_gain", {"active_rows": 10_000_000}),
    "etal": ("etal", {}),
    "random": ("random", {}),
}
"""Column -> policy and options."""

MOST_WHOLE: Final = 20_000
"""Rows up to which gap_gain is also tried on all of them: beyond, a decision takes half a second."""


def played(
    scenario: Scenario, world: World, seed: int, policy: str, options: dict[str, Any]
) -> tuple[tuple[BiasPoint, ...], float]:
    """Play one campaign; return its trajectory, and what a decision cost [ms]."""
    changes = {"policy": policy, "policy_options": options, "seed": seed, "parallel": 1}
    settings = scenario.campaign.model_copy(update=changes)
    seeded = scenario.model_copy(update={"campaign": settings})
    made, costs = make_policy(policy, options), []

    def ask(context: AcquisitionContext, count: int) -> Proposal:
        began = time.process_time()
        proposal = made.propose(context, count)
        costs.append(time.process_time() - began)
        return proposal

    rows = world.balanced.tolist()
    start = {int(index): rows[index] for index in start_set(seeded, world.pool, world.values)}
    of = dict(zip(world.pool.candidate_ids, rows, strict=True))
    run = play_answered(world.pool, lambda each: of[each.candidate_id], start, settings, ask)
    return tuple(point for _, point in run.trajectory.points), 1e3 * float(np.median(costs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="5000,20000,100000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/large-pools"))
    asked = parser.parse_args()
    if not (DATA / "wbm").exists():
        sys.exit("error: WBM is not in ../shared/data, and nothing else here is as large")
    asked.out.mkdir(parents=True, exist_ok=True)
    print("| rows | policy | range [nat] | mean gap [nat] | mean gap over the campaign [nat] | decision [ms] |")
    print("|---|---|---|---|---|---|")
    for rows in map(int, asked.rows.split(",")):
        scenario = tables.wbm(DATA, asked.out, rows=rows, budget=asked.budget)
        world = build_world(scenario, lambda *_: None)
        for label, (policy, options) in POLICIES.items():
            if label.endswith("all rows") and rows > MOST_WHOLE:
                continue
            with threadpool_limits(1, user_api="blas"):
                ended = [played(scenario, world, seed, policy, options) for seed in range(asked.seeds)]
            print(f"| {rows:,} | {label} | {_row(ended)} |", flush=True)


def _row(ended: list[tuple[tuple[BiasPoint, ...], float]]) -> str:
    gaps = [[point.mean_gap or 0.0 for point in points] for points, _ in ended]
    figures = (
        np.mean([points[-1].entropy_range or 0.0 for points, _ in ended]),
        np.mean([each[-1] for each in gaps]),
        np.mean([np.mean(each) for each in gaps]),
    )
    return " | ".join(f"{figure:.3f}" for figure in figures) + f" | {np.median([cost for _, cost in ended]):.1f}"


if __name__ == "__main__":
    main()
