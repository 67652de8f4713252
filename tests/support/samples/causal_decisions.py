"""A short campaign of the policy causal on the benzenes of the library: its plan and its journal."""

from __future__ import annotations

from typing import Any

from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import World, build_world
from tests.support.campaigns import UNIT
from tests.support.samples.decided import decided_journal, decided_plan

OPTIONS = {"estimate": "mu_mmff", "threshold": 5.0, "start": 0}


def benzene_world() -> World:
    """The substituted benzenes of the library."""
    return build_world(load_scenario("substituted_benzenes", Overrides()).settings)


def causal_plan(pool: Pool, **changes: Any) -> CampaignPlan:
    """A plan of the policy causal: four requests in flight, chosen two at a time."""
    fields = {"policy_options": OPTIONS, "budget": 8, "parallel": 4, "batch": 2} | changes
    plan = decided_plan(pool, "causal", **fields)
    metrics = declared_metrics("causal", plan.policy_options, UNIT, pool_arrays(pool))
    return plan.model_copy(update={"metrics": metrics})


def causal_journal(world: World, plan: CampaignPlan) -> list[Event]:
    """Play it from a dozen known molecules."""
    value_of = dict(zip(world.pool.candidate_ids, world.values.tolist(), strict=True))
    return decided_journal(world.pool, plan, start=12, value=lambda _pool, which: value_of[which])
