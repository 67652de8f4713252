"""The state that a decision found: budget, families, what was in flight, and who had been given up."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from agent.acquisition.base import AcquisitionContext, IndexArray
from agent.acquisition.bias import BiasPoint, consecutive_misses, measure_bias
from agent.acquisition.registry import BUILT_IN
from agent.campaign.state import Campaign, Standing
from agent.pool.candidates import Pool
from agent.pool.touched import TouchedPool
from agent.why.candidates import told_candidate
from agent.why.explanation import FamilyThen, InFlight, StateThen


def state_then(campaign: Campaign, context: AcquisitionContext) -> StateThen:
    """Tell what a decision could look at.

    Args:
        campaign: Folded up to the last row that the decision knew.
        context: Made of it.
    """
    pool = context.pool
    bias = measure_bias(pool.families, pool.family_codes[context.observed], context.values, context.measure)
    patience = patience_of(campaign.terms.policy, campaign.terms.policy_options)
    return StateThen(
        phase=campaign.phase.value,
        requested=campaign.requested,
        spent=campaign.spent,
        known=len(context.observed),
        known_unasked=len(context.observed) - len(context.acquired),
        bias=bias,
        families=_families(context, campaign.pool, bias, patience),
        in_flight=_in_flight(context, campaign),
    )


def patience_of(policy: str, options: Mapping[str, Any]) -> int | None:
    """Return after how many misses in a row a policy leaves a family out; None for one that never does.

    It is the option `patience` of a built-in policy. What a user's own policy does is not known.
    """
    target = BUILT_IN.get(policy)
    if target is None:
        return None
    module, _, name = target.partition(":")
    known = inspect.signature(getattr(importlib.import_module(module), name)).parameters.get("patience")
    return None if known is None else int(options.get("patience", known.default))


def _families(context: AcquisitionContext, pool: Pool, bias: BiasPoint, patience: int | None) -> tuple[FamilyThen, ...]:
    whole = not isinstance(pool, TouchedPool)
    in_flight = np.bincount(pool.family_codes[_placed(context.pending, pool)], minlength=len(pool.families))
    available = np.bincount(pool.family_codes[context.available], minlength=len(pool.families))
    told = []
    for code, name in enumerate(pool.families):
        misses = None if patience is None else _misses(context, code, patience)
        told.append(
            FamilyThen(
                name=name,
                size=bias.sizes[code],
                entropy=bias.entropies[code],
                in_flight=int(in_flight[code]),
                available=int(available[code]) if whole else None,
                misses=misses,
                left_out=misses is not None and misses == patience and not (whole and available[code] == 0),
            )
        )
    return tuple(told)


def _misses(context: AcquisitionContext, code: int, patience: int) -> int:
    """Count a family's latest acquisitions without a gain, as the context orders them: start set, then by admission."""
    acquired = context.acquired[context.pool.family_codes[context.acquired] == code]
    observed_codes = context.pool.family_codes[context.observed]
    positions = np.searchsorted(context.observed, acquired)
    start = np.setdiff1d(np.flatnonzero(observed_codes == code), positions, assume_unique=True)
    in_order = context.values[np.concatenate((start, positions))]
    return consecutive_misses(in_order, len(acquired), patience)


def _in_flight(context: AcquisitionContext, campaign: Campaign) -> tuple[InFlight, ...]:
    pool = campaign.pool
    requests = []
    for index in context.pending:
        candidate = told_candidate(pool, pool.candidate_ids[index])
        answered = int(campaign.standing[index]) not in {Standing.PENDING, Standing.WAITING}
        requests.append(InFlight(candidate, campaign.decision_of[candidate.candidate_id], answered))
    return tuple(sorted(requests, key=lambda each: (each.decision, each.candidate.candidate_id)))


def _placed(indices: IndexArray, pool: Pool) -> IndexArray:
    """Leave out the candidates whose family is not known."""
    if not isinstance(pool, TouchedPool):
        return indices
    known = [int(index) for index in indices if pool.candidate_ids[index] not in pool.unplaced]
    return np.array(known, dtype=np.int64)
