"""Journals of small campaigns that were decided by a real policy, and answered at once in the order of the requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from agent.acquisition.registry import make_policy, policy_fingerprint
from agent.campaign import decide, follow, proposals
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import CampaignStarted, Event, StartSetLoaded
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.wire.structure import CrystalStructure
from tests.support.campaigns import quantity, result_of, small_plan

VERSIONS = {"entropilot": "test", "numpy": "at the time"}
CUBE = CrystalStructure(
    cell=((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0)),
    symbols=("Cu", "Au"),
    scaled_positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
)


def smooth_pool(size: int = 36, families: int = 3) -> Pool:
    """A pool with structures whose values, of `smooth_value`, are smooth in the features."""
    candidates = [Candidate(f"c{i:03d}", f"family-{i % families}", f"X{i}", CUBE) for i in range(size)]
    return make_pool(candidates, np.random.default_rng(size).normal(size=(size, 2)), ("f0", "f1"))


def smooth_value(pool: Pool, candidate_id: str) -> float:
    """The true value of a candidate."""
    f0, f1 = pool.features[pool.index_of[candidate_id]]
    return float(np.sin(f0) + 0.5 * f1)


def decided_plan(pool: Pool, policy: str = "etal", **changes: Any) -> CampaignPlan:
    """A plan of a policy, with the fingerprint of today."""
    options = changes.get("policy_options", {})
    fields = {"policy": policy, "fingerprint": policy_fingerprint(policy, options), "budget": 8, "parallel": 2}
    return small_plan(pool, **(fields | {"estimator": "m_spacing"} | changes))


def decided_journal(
    pool: Pool, plan: CampaignPlan, *, start: int = 15, value: Callable[[Pool, str], float] = smooth_value
) -> list[Event]:
    """Play a campaign to its end; the oldest request is answered whenever no decision can be made."""
    campaign, arrays = Campaign(pool), pool_arrays(pool)
    policy = make_policy(plan.policy, plan.policy_options)
    journal: list[Event] = []

    def fold(*events: Event) -> None:
        for event in events:
            campaign.apply(event)
            journal.append(event)

    ids = pool.candidate_ids[:start]
    fold(CampaignStarted(plan, VERSIONS), StartSetLoaded(ids, tuple(value(pool, which) for which in ids)))
    while campaign.phase is Phase.RUNNING:
        if follows := follow.react(campaign):
            fold(*follows)
        elif needed := proposals.decision_needed(campaign):
            proposal = policy.propose(make_context(campaign, arrays), needed.count)
            fold(*proposals.decide_proposal(campaign, needed, campaign.sequence, proposal).events)
        else:
            attempt = next(iter(campaign.in_flight.values()))
            answer = result_of(attempt, quantity(value(pool, attempt.candidate_id)))
            fold(*decide.decide_result(campaign, answer).events)
    return journal
