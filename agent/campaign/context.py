"""What a decision may look at: the campaign as a policy sees it."""

from __future__ import annotations

import numpy as np

from agent.acquisition.base import AcquisitionContext, PoolArrays
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.plan import Ordering
from agent.campaign.proposals import decision_seed
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool


def pool_arrays(pool: Pool) -> PoolArrays:
    """Return the arrays of a pool, in its order."""
    return PoolArrays(
        pool.candidate_ids,
        pool.features,
        pool.family_codes,
        pool.families,
        pool.feature_names,
        pool.designs,
        pool.log,
        pool.interventions,
    )


def make_context(campaign: Campaign, pool: PoolArrays) -> AcquisitionContext:
    """Return the context of the next decision.

    With `Ordering.IN_ORDER` the candidates of the last `lag - 1` decisions count as pending whether they have
    answered or not, so that the decision does not depend on who answers first.
    """
    plan = campaign.plan
    statuses = campaign.statuses
    observed = statuses == CandidateStatus.OBSERVED
    acquired = campaign.acquired
    if plan.ordering is Ordering.IN_ORDER:
        hidden = np.array(
            [
                pool_index
                for ids in campaign.chosen.values()
                for pool_index in map(campaign.pool.index_of.__getitem__, ids)
            ],
            dtype=np.int64,
        )
        observed[hidden] = False
        pending = np.sort(hidden)
        acquired = acquired[campaign.acquired_decisions <= campaign.next_decision - plan.lag]
    else:
        in_flight = (statuses == CandidateStatus.PENDING) | (statuses == CandidateStatus.RETRY_PENDING)
        pending = np.flatnonzero(in_flight)
    observed_indices = np.flatnonzero(observed)
    return AcquisitionContext(
        pool=pool,
        observed=observed_indices,
        values=campaign.values[observed_indices],
        acquired=acquired.copy(),
        pending=pending,
        available=np.flatnonzero(statuses == CandidateStatus.AVAILABLE),
        decision=campaign.next_decision,
        seed=decision_seed(plan.seed, campaign.next_decision),
        measure=plan.measure,
        additional=campaign.additional[observed_indices],
        uncertainties=campaign.uncertainties[observed_indices],
        targets=plan.targets if plan.additional_properties else (),
        policy=campaign.rest_policy,
    )
