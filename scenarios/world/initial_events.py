"""How a campaign begins that has no journal yet: from its scenario alone, for who follows it from outside."""

from __future__ import annotations

from agent.acquisition.registry import policy_fingerprint
from agent.campaign.events import StartSetLoaded
from agent.campaign.plan import CampaignPlan
from scenarios.settings.model import Scenario
from scenarios.world.world import World


def initial_events(scenario: Scenario, world: World, *, campaign: str, uid: str) -> tuple[CampaignPlan, StartSetLoaded]:
    """Return plan and start set.

    Args:
        scenario: Its settings.
        world: The pool and the start set that they make.
        campaign: Its name.
        uid: Random part of every attempt id.
    """
    settings = scenario.campaign
    start = StartSetLoaded.of(world.start_observations(), world.start_additional(), world.start_uncertainties())
    plan = settings.plan(
        campaign=campaign,
        uid=uid,
        fingerprint=policy_fingerprint(settings.policy, settings.policy_options, settings.code),
        recipients=scenario.recipients,
        pool=world.pool,
        start_values=start.values,
        start_additional=start.additional,
    )
    return plan, start
