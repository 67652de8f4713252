"""The one-method protocol of a policy, and what passes through it.

A policy is a pure function: the same context gives the same proposal, on any machine of the same numerical library.
It reads no clock and no global random state; its randomness is `numpy.random.default_rng(context.seed)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from agent.entropy.measure import AS_PUBLISHED, EntropyMeasure
from agent.entropy.target_properties import TargetProperty
from agent.metrics import Meter, Metric
from agent.pool.designs import Designs
from agent.pool.earlier_log import EarlierLog
from agent.pool.fidelities import Fidelities
from agent.pool.growth import NewCandidate
from agent.pool.interventions import Interventions
from agent.pool.limits.new_candidates import LimitsOnNew
from protocols.tables.blocks.sorted_ids import Ids

IndexArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PoolArrays:
    """The pool as a policy sees it: the same object as long as no candidate joins it.

    Attributes:
        candidate_ids: Sorted, then those that joined the pool in order of admission, length n; equal scores fall to
            the lowest index.
        features: Shape (n, d), not standardised.
        family_codes: Shape (n,), index into `families`.
        families: Names of the families, sorted.
        feature_names: Names of the columns of `features`, length d; empty where they are not told.
        designs: Which candidate each combination of factor levels makes, where the pool is a closure of designs.
        log: Values from before the campaign, which are no observations of it.
        interventions: What the candidates set, where the pool is of interventions in a system.
        smiles: Of each candidate, length n, empty where it is no molecule; nothing where none is one.
        fidelities: What each row measures, and at which cost, where the campaign has several methods and its policy
            says `uses_fidelities = True`; None where every row is a candidate.
    """

    candidate_ids: Ids
    features: FloatArray
    family_codes: IndexArray
    families: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    designs: Designs | None = None
    log: EarlierLog | None = None
    interventions: Interventions | None = None
    smiles: tuple[str, ...] = ()
    fidelities: Fidelities | None = None

    def beyond(self, size: int) -> PoolArrays:
        """Return what joined a pool after its first `size` rows; what the rows measure is told of all of them."""
        return replace(
            self,
            candidate_ids=self.candidate_ids[size:],
            features=self.features[size:],
            family_codes=self.family_codes[size:],
            smiles=self.smiles[size:],
        )

    def followed_by(self, joined: PoolArrays) -> PoolArrays:
        """Return the pool with what joined it, as `beyond` tells it."""
        return replace(
            self,
            candidate_ids=(*self.candidate_ids, *joined.candidate_ids),
            features=np.vstack((self.features, joined.features)),
            family_codes=np.concatenate((self.family_codes, joined.family_codes)),
            smiles=(self.smiles or ("",) * len(self.candidate_ids)) + joined.smiles if joined.smiles else self.smiles,
            fidelities=joined.fidelities,
        )


@dataclass(frozen=True, slots=True)
class AcquisitionContext:
    """What a decision may depend on; a pure function of (journal prefix, settings, pool).

    Attributes:
        pool: The pool.
        observed: Pool indices with a known value, ascending, shape (k,).
        values: Their property values, shape (k,), in the unit of the campaign.
        acquired: Pool indices of the observations that came in by request, in order of admission, shape (t,); a
            subset of `observed`.
        pending: Pool indices requested and not yet observed, ascending, shape (p,).
        available: Pool indices that may be chosen, ascending, shape (a,); disjoint from the others.
        decision: Number of this decision, from 0.
        seed: Seed of this decision, derived from (campaign seed, decision number).
        measure: The entropy that the campaign means; of its first property, where it balances several.
        additional: Values of the other properties that are balanced, shape (k, p − 1) [their units].
        targets: The p properties, where there are several.
        uncertainties: Standard uncertainties that came with the values, 0 where none did, shape (k, p) [their units];
            empty where none is known at all.
        policy: Name of the policy that is asked, where it is not the campaign's own; no policy needs to look at it.
        campaign_seed: Seed of the campaign, for what is drawn once and holds for all of its decisions.
        limits: What may be asked for of candidates that are made now, which a policy that makes any must keep to; of
            the pool's own, those that may not be asked for are not available. None where nothing is limited.
        cost_left: Units of the budget that are neither spent nor in flight: what is chosen together may cost as much.
            A candidate costs 1 where `pool.fidelities` tells no costs.
    """

    pool: PoolArrays
    observed: IndexArray
    values: FloatArray
    acquired: IndexArray
    pending: IndexArray
    available: IndexArray
    decision: int
    seed: int
    measure: EntropyMeasure = AS_PUBLISHED
    additional: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    targets: tuple[TargetProperty, ...] = ()
    uncertainties: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    policy: str = ""
    campaign_seed: int = 0
    limits: LimitsOnNew | None = None
    cost_left: int = 0

    @property
    def target_values(self) -> tuple[tuple[TargetProperty, FloatArray], ...]:
        """Each property that is balanced, with its values, shape (k,)."""
        if len(self.targets) <= 1:
            return ((TargetProperty(measure=self.measure), self.values),)
        columns = (self.values, *self.additional.T)
        return tuple(zip(self.targets, columns, strict=True))

    @property
    def target_uncertainties(self) -> FloatArray:
        """Standard uncertainties of the values of each property, shape (p, k) [their units]."""
        if self.uncertainties.size == 0:
            return np.zeros((max(1, len(self.targets)), len(self.observed)))
        return self.uncertainties.T


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate with its score (larger is better; None where a policy has no score).

    Its index is that in the pool of n candidates; n + k is the k-th of the proposal's new ones.
    """

    index: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a policy proposes.

    Attributes:
        choices: The chosen candidates, best first. None at all means that the policy has nothing more to ask for: the
            campaign ends with `reason` when what is in flight has its outcome, and the policy is never asked again.
        reason: Why, in one sentence a person can read (at most 200 characters).
        runner_up: The best candidate that was not chosen.
        target_family: The family that the policy meant to enrich, if it has one.
        details: Additional figures worth keeping with the decision (prediction, entropy before and expected after).
        new_candidates: Candidates that join the pool with this decision; each is a choice or the runner-up. Only of a
            policy whose class says `grows_pool = True`; it is then asked when nothing in the pool is left, too.
    """

    choices: tuple[Choice, ...]
    reason: str
    runner_up: Choice | None = None
    target_family: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    new_candidates: tuple[NewCandidate, ...] = ()


@runtime_checkable
class Policy(Protocol):
    """Chooses the next candidates.

    A user's own policy is any class with this method; name it as `package.module:Class` in the settings. Its keyword
    arguments come from `[policy_options]`.
    """

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` distinct candidates among `context.available`, and new ones where the policy makes any.

        Args:
            context: What is known.
            count: How many to choose, at least 1 and, of a policy that makes no new ones, at most the number available.

        Returns:
            The choices; or none, with the reason, to end the campaign. That is for good, also with requests in flight,
            so a policy that what is pending could teach better should choose.
        """
        ...


@runtime_checkable
class MeteringPolicy(Protocol):
    """A policy that declares metrics of its own, kept per observation beside the bias metrics.

    They are functions of the observations alone, and never of what the policy cannot know.
    """

    def metrics(self, unit: str, pool: PoolArrays) -> tuple[Metric, ...]:
        """Declare them.

        Args:
            unit: Of the campaign's property.
            pool: The pool.
        """
        ...

    def meter(self, pool: PoolArrays, properties: tuple[str, ...]) -> Meter:
        """Return what computes them, of a campaign without observations yet.

        Args:
            pool: The pool at the start; a candidate that joins it has an index beyond it.
            properties: Names of the campaign's properties, in the order in which the meter gets their values.
        """
        ...


class Proposer(Protocol):
    """Proposes candidates within a transaction."""

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        """Propose at once, or return None: then the answer comes as an input of a later transaction."""
        ...


Ask = Callable[[AcquisitionContext, int], Proposal]
"""Puts a question to the policy of today."""
