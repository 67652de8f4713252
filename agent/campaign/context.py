"""What a decision may look at: the campaign as a policy sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.base import AcquisitionContext, IndexArray, PoolArrays
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.plan import Ordering
from agent.campaign.proposals import decision_seed
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool

BoolArray = NDArray[np.bool_]

_OBSERVED: Final = int(CandidateStatus.OBSERVED)
"""As a plain number: NumPy asks a member of an enumeration for 25 µs what it is, and compares a whole pool in two."""


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
        pool.smiles,
        pool.fidelities,
    )


def make_context(campaign: Campaign, pool: PoolArrays) -> AcquisitionContext:
    """Return the context of the next decision."""
    return ContextMaker(campaign, pool).context()


class ContextMaker:
    """Makes the contexts of one campaign's decisions, each from the one before.

    Args:
        campaign: The state; only read.
        pool: Its pool as it is now.
    """

    def __init__(self, campaign: Campaign, pool: PoolArrays) -> None:
        self._campaign = campaign
        self._pool = pool
        self._observed = _Members()
        self._available = _Members()

    @property
    def pool(self) -> PoolArrays:
        """The pool with all that has joined it."""
        if len(self._pool.candidate_ids) < len(self._campaign.pool):
            self._pool = pool_arrays(self._campaign.pool)
        return self._pool

    def context(self) -> AcquisitionContext:
        """Return the context of the next decision, whether one is due or not.

        With `Ordering.IN_ORDER` the candidates of the last `lag - 1` decisions count as pending whether they have
        answered or not, so that the decision does not depend on who answers first.
        """
        campaign = self._campaign
        plan, statuses, acquired = campaign.plan, campaign.statuses, campaign.acquired
        is_observed = statuses == _OBSERVED
        known = campaign.pool.fidelities if campaign.rest_policy else None
        if plan.ordering is Ordering.IN_ORDER:
            pending = self._indices_of(campaign.chosen.values())
            is_observed[pending] = False
            seen = campaign.acquired_decisions.searchsorted(campaign.next_decision - plan.lag, side="right")
            acquired = acquired[:seen]
        else:
            pending = self._indices_of(campaign.open_decisions.values())
        if known is not None:  # the policy that decides the rest chooses candidates, and knows of nothing else
            is_candidate = known.is_candidate
            is_observed &= is_candidate
            pending, acquired = pending[is_candidate[pending]], acquired[is_candidate[acquired]]
        observed = self._observed.of(is_observed)
        return AcquisitionContext(
            pool=self.pool,
            observed=observed,
            values=campaign.values.take(observed),
            acquired=acquired.copy(),
            pending=pending,
            available=self._available.of(campaign.choosable),
            decision=campaign.next_decision,
            seed=decision_seed(plan.seed, campaign.next_decision),
            measure=plan.measure,
            additional=campaign.additional[observed],
            uncertainties=campaign.uncertainties.take(observed, axis=0),
            targets=plan.targets if plan.additional_properties else (),
            policy=campaign.rest_policy,
            campaign_seed=plan.seed,
            limits=campaign.asking.on_new() if campaign.asking.is_limiting else None,
            cost_left=campaign.cost_left,
        )

    def _indices_of(self, decisions: Iterable[Iterable[str]]) -> IndexArray:
        """Return the pool indices of candidates, ascending."""
        index_of = self._campaign.pool.index_of
        return np.array(sorted([index_of[each] for candidates in decisions for each in candidates]), dtype=np.int64)


class _Members:
    """The indices of a mask's members, ascending: made from those before where one has come or gone, as mostly."""

    def __init__(self) -> None:
        self._mask: BoolArray = np.zeros(0, dtype=np.bool_)
        self._indices: IndexArray = np.zeros(0, dtype=np.int64)

    def of(self, mask: BoolArray) -> IndexArray:
        """Return the indices of a mask that stays as it is, shape (n,); nobody can write to them, for they are shared.

        Args:
            mask: Shape (n,); n grows with the pool.
        """
        if len(self._mask) != len(mask):
            self._indices = np.flatnonzero(mask)
        else:
            changed = mask != self._mask
            count = np.count_nonzero(changed)
            if count == 1:
                self._indices = self._with_one_changed(int(changed.argmax()), mask)
            elif count:
                self._indices = np.flatnonzero(mask)
        self._mask = mask
        self._indices.setflags(write=False)
        return self._indices

    def _with_one_changed(self, index: int, mask: BoolArray) -> IndexArray:
        at = self._indices.searchsorted(index)
        if mask[index]:
            return np.concatenate((self._indices[:at], (index,), self._indices[at:]))
        return np.concatenate((self._indices[:at], self._indices[at + 1 :]))
