"""The whole pool of a run, without which declared metrics cannot be computed again: or why it is not to be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import declared_metrics, make_meter, policy_fingerprint
from agent.campaign.context import pool_arrays
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from protocols.errors import EntropilotError
from protocols.tables.account import Account
from scenarios.sources.run_world import world_of_run

NOT_COMPUTED = "what the policy declares was not computed again"
"""What is said where it is so, before the reason."""


@dataclass(frozen=True, slots=True)
class WholePool:
    """What a journal is folded over.

    Attributes:
        pool: The whole pool; None where it cannot be had, or nothing needs it.
        true_effects: What effects are, where the scenario knows it.
        why_not: Why declared metrics are not computed again; empty where they are, or there are none.
        reading: What of the pool's table is not taken as it stands today; None where it was not read again.
    """

    pool: Pool | None = None
    true_effects: Mapping[str, float] = field(default_factory=dict)
    why_not: str = ""
    reading: Account | None = None


def whole_pool(folder: Path, plan: CampaignPlan) -> WholePool:
    """Make the pool of a run again where its policy declares metrics.

    Those of a user's own code are not computed, for no code of a run is run here; nor those of other versions, whose
    arithmetic may differ.

    Args:
        folder: The run folder; it is only read.
        plan: What its campaign was started with.
    """
    if not plan.metrics:
        return WholePool()
    name, options = plan.metered_by
    if name not in BUILT_IN or plan.policy not in BUILT_IN:
        return WholePool(why_not=f"{NOT_COMPUTED}: that takes code of the user's own")
    if plan.fingerprint != policy_fingerprint(plan.policy, plan.policy_options):
        return WholePool(why_not=f"{NOT_COMPUTED}: other versions computed it")
    try:
        _, world = world_of_run(folder, plan.pool_digest)
        arrays = pool_arrays(world.pool)
        if declared_metrics(name, options, plan.unit, arrays) != plan.metrics:
            return WholePool(why_not=f"{NOT_COMPUTED}: other versions computed it")
        make_meter(name, options, arrays, plan.property_names, seed=plan.seed)
    except EntropilotError as error:
        return WholePool(why_not=f"{NOT_COMPUTED}: {error.found.rstrip('.')}")
    return WholePool(world.pool, world.true_effects, reading=world.account)
