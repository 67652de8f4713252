"""The state that a decision found: budget, families, what was in flight, and which families were excluded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.base import AcquisitionContext, IndexArray
from agent.campaign.life_cycle import OPEN, CandidateStatus
from agent.campaign.state import Campaign
from agent.campaign.target_values import target_value
from agent.entropy.bias import BiasPoint, measure_bias
from agent.pool.candidates import Pool
from agent.pool.fidelities import Fidelities
from agent.store.partial_pool import ReferencedPool
from scenarios.why.excluded_families import FamilyExclusion, exclusions
from scenarios.why.explanation import FamilyAtDecision, InFlight, StateAtDecision, SupplyAtDecision
from scenarios.why.phrases import describe_candidate


def state_at_decision(campaign: Campaign, context: AcquisitionContext) -> StateAtDecision:
    """Tell what a decision could look at.

    Args:
        campaign: Folded up to the last row that the decision knew.
        context: Made of it.
    """
    pool = context.pool
    targets, columns = zip(*context.target_values, strict=True)
    rows, values = context.observed, np.column_stack(columns)
    if pool.fidelities is not None:
        rows, values = _dataset(campaign, context, pool.fidelities)
    bias = measure_bias(pool.families, pool.family_codes[rows], values, targets)
    plan = campaign.plan
    policy, options = (context.policy, {}) if context.policy else (plan.policy, plan.policy_options)
    views = exclusions(context, policy, options)
    return StateAtDecision(
        phase=campaign.phase.value,
        requested=campaign.requested,
        spent=campaign.spent,
        known=len(context.observed),
        known_unasked=len(context.observed) - len(context.acquired),
        bias=bias,
        families=_families(context, campaign.pool, bias, views),
        in_flight=_in_flight(context, campaign),
        barred=_barred(campaign),
        supplies=_supplies(campaign),
    )


def _dataset(
    campaign: Campaign, context: AcquisitionContext, known: Fidelities
) -> tuple[IndexArray, NDArray[np.float64]]:
    """Return the candidates whose value by the target method was known, shape (k,), and their values, shape (k, p)."""
    observed = context.observed
    candidates = np.unique(known.candidate[observed[known.method[observed] == known.target]])
    seen = set(observed.tolist())
    found = [target_value(campaign, each, seen) for each in candidates.tolist()]
    values = [each.values for each in found if each is not None]
    return candidates, np.array(values, dtype=np.float64).reshape(len(candidates), len(campaign.plan.targets))


def _barred(campaign: Campaign) -> dict[str, int]:
    """Return why candidates without a value may not be asked for, with how many each reason keeps out."""
    if not campaign.asking.is_limiting or not campaign.pool.is_whole:
        return {}
    available = np.flatnonzero(campaign.statuses == int(CandidateStatus.AVAILABLE))
    return campaign.asking.reasons(campaign.pool, available.tolist())


def _supplies(campaign: Campaign) -> tuple[SupplyAtDecision, ...]:
    asking = campaign.asking
    known = zip(asking.limits.supplies.items(), asking.left.values(), strict=True)
    return tuple(SupplyAtDecision(name, left, supply.available, supply.unit) for (name, supply), left in known)


def _families(
    context: AcquisitionContext, pool: Pool, bias: BiasPoint, views: Sequence[FamilyExclusion]
) -> tuple[FamilyAtDecision, ...]:
    whole = not isinstance(pool, ReferencedPool)
    in_flight = np.bincount(pool.family_codes[_placed(context.pending, pool)], minlength=len(pool.families))
    available = np.bincount(pool.family_codes[context.available], minlength=len(pool.families))
    told = []
    for code, name in enumerate(pool.families):
        told.append(
            FamilyAtDecision(
                name=name,
                size=bias.sizes[code],
                entropy=bias.entropies[code],
                in_flight=int(in_flight[code]),
                available=int(available[code]) if whole else None,
                no_gain_count=views[code].no_gain_count,
                excluded=views[code].excluded and not (whole and available[code] == 0),
            )
        )
    return tuple(told)


def _in_flight(context: AcquisitionContext, campaign: Campaign) -> tuple[InFlight, ...]:
    pool = campaign.pool
    requests = []
    for index in context.pending:
        candidate = describe_candidate(pool, pool.candidate_ids[index])
        answered = int(campaign.statuses[index]) not in OPEN
        requests.append(InFlight(candidate, campaign.decision_of[candidate.candidate_id], answered))
    return tuple(sorted(requests, key=lambda each: (each.decision, each.candidate.candidate_id)))


def _placed(indices: IndexArray, pool: Pool) -> IndexArray:
    """Leave out the candidates whose family is not known."""
    if not isinstance(pool, ReferencedPool):
        return indices
    known = [int(index) for index in indices if pool.candidate_ids[index] not in pool.unplaced]
    return np.array(known, dtype=np.int64)
