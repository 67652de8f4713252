"""The policy "molecule_edits": it edits the best molecules that it knows, and lets the lab measure what is promising.

    offer     all admissible edits of the best known molecules (`offers`), with features that cost no measurement
    score     the candidates of the pool and the offers alike, by another policy on a pool of both
    choose    the best; offers among them, and the runner-up if it is one, join the pool with the decision

So a campaign that begins with a few small molecules walks through the space of molecules by steps that a chemist could
make, and each step is an intervention that is really carried out: one group put on or moved, and the product measured.

| `score` | what decides | which molecules are edited |
|---|---|---|
| "expected_improvement" | the policy of that name, with a Gaussian process on the features | the best known |
| "probability_of_exceeding" | likewise, of the threshold | the best known |
| "random" | the seed: the baseline that looks at no value | those that the seed draws |

Molecules whose value is not known yet are edited after all known ones; so there is something to offer before the first
value, too. Where no edit is left and nothing of the pool either, the campaign ends with that reason.

| input | outcome |
|---|---|
| a pool without molecules, or with features that cannot be computed | an error that names what is missing |
| RDKit is not installed | an error that names the extra, before the campaign begins |
| an edit that does not embed, is too large, or against the limits | it is not offered |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, Policy, PoolArrays, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.causal.asked_designs import check_optional_number
from agent.acquisition.causal.exploiting import ExpectedImprovement, ProbabilityOfExceeding
from agent.acquisition.molecules.found import FoundMeter, found_metrics
from agent.acquisition.molecules.offers import Offer, feature_places, offers_of, with_offers
from agent.acquisition.selection import check_whole_number, short_reason
from agent.metrics import Meter, Metric
from protocols.errors import SettingsError
from protocols.extras import load
from protocols.molecules.groups import GROUPS, read_group

POLICY: Final = "molecule_edits"

RANDOM: Final = "random"
EXPECTED_IMPROVEMENT: Final = "expected_improvement"
PROBABILITY: Final = "probability_of_exceeding"
SCORES: Final = (EXPECTED_IMPROVEMENT, PROBABILITY, RANDOM)
"""What the option `score` may be."""

DEFAULT_START: Final = 4
"""Values, known or requested, before scores decide: a process on three features has a deviation of its own by then."""

DEFAULT_PARENTS: Final = 3
"""Molecules that are edited for one decision: about thirty offers each, whose features cost 50 to 100 ms once."""

DEFAULT_HEAVY_ATOMS: Final = 9
"""Most atoms of an offer, hydrogens not counted: as many as in QM9. GFN2 of five conformers then takes about a second,
and products do not outgrow what the features describe."""

OF_PARENTS: Final = 1
"""Beside the seed of a decision: the draw of who is edited is another one than that of who is measured."""

MOST_HEAVY_ATOMS: Final = 60
"""Most that the option `heavy_atoms` may be: a minute of GFN2 for one value."""


class MoleculeEdits:
    """The policy "molecule_edits".

    Args:
        score: What decides: one of `SCORES`.
        threshold: What the property should exceed [unit]; for "probability_of_exceeding", and for the hits.
        start: Values, known or requested, before scores decide; until then candidates and offers are drawn at random.
        parents: How many molecules are edited for one decision.
        heavy_atoms: Most atoms of an offer, hydrogens not counted.
        groups: Name and SMILES of the groups that are put on; by default those of `protocols.molecules.groups`.

    Raises:
        ExtraMissingError: Without RDKit.
        SettingsError: On an option out of its range, or a group that is none.
    """

    runs_inline: ClassVar[bool] = False
    grows_pool: ClassVar[bool] = True

    def __init__(
        self,
        *,
        score: str = EXPECTED_IMPROVEMENT,
        threshold: float | None = None,
        start: int = DEFAULT_START,
        parents: int = DEFAULT_PARENTS,
        heavy_atoms: int = DEFAULT_HEAVY_ATOMS,
        groups: Mapping[str, str] = GROUPS,
    ) -> None:
        load("rdkit.Chem")  # before anything relies on it
        check_optional_number("threshold", threshold)
        check_whole_number("start", start, 0)
        check_whole_number("parents", parents, 1)
        check_whole_number("heavy_atoms", heavy_atoms, 1)
        if heavy_atoms > MOST_HEAVY_ATOMS:
            raise SettingsError(
                f"The policy option heavy_atoms is {heavy_atoms}", expected=f"at most {MOST_HEAVY_ATOMS}"
            )
        _check_groups(groups)
        self._threshold, self._is_random = threshold, score == RANDOM
        self._parents, self._heavy_atoms, self._groups = parents, heavy_atoms, dict(groups)
        self._scorer = _scorer(score, threshold, start)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates of the pool and of what is offered."""
        pool = context.pool
        offers = offers_of(
            pool,
            self._order(context),
            parents=self._parents,
            heavy_atoms=self._heavy_atoms,
            groups=self._groups,
            places=feature_places(pool, POLICY),
            limits=context.limits,
        )
        size = len(pool.candidate_ids)
        both = np.concatenate((context.available, np.arange(size, size + len(offers))))
        if len(both) == 0:
            return Proposal((), reason="no admissible edit is left, nor a candidate of the pool")
        widened = replace(context, pool=with_offers(pool, offers), available=both)
        return _joining(self._scorer.propose(widened, min(count, len(both))), pool, offers)

    def metrics(self, unit: str, _pool: PoolArrays) -> tuple[Metric, ...]:
        """Declare the largest value, and the hits where there is a threshold."""
        return found_metrics(unit, self._threshold)

    def meter(self, pool: PoolArrays, _properties: tuple[str, ...]) -> Meter:
        """Return what computes them.

        Raises:
            SettingsError: When the pool is none that the policy can work on.
        """
        feature_places(pool, POLICY)
        return FoundMeter(self._threshold)

    def _order(self, context: AcquisitionContext) -> list[int]:
        """Return the molecules that may be edited: the best known first, then what is in flight, then the rest."""
        best_first = context.observed[np.argsort(-context.values, kind="stable")]
        order = np.concatenate((best_first, context.pending, context.available))
        if self._is_random:
            order = np.random.default_rng((context.seed, OF_PARENTS)).permutation(np.sort(order))
        return [index for index in order.tolist() if context.pool.smiles[index]]


def _scorer(score: str, threshold: float | None, start: int) -> Policy:
    """Return the policy that scores."""
    scorers: dict[str, Callable[[], Policy]] = {
        EXPECTED_IMPROVEMENT: lambda: ExpectedImprovement(start=start),
        PROBABILITY: lambda: ProbabilityOfExceeding(threshold=threshold, start=start),
        RANDOM: UniformRandom,
    }
    if score not in scorers:
        raise SettingsError(f"The policy option score is {score!r}", expected=f"one of {', '.join(SCORES)}")
    return scorers[score]()


def _check_groups(groups: object) -> None:
    if not isinstance(groups, Mapping) or not all(isinstance(each, str) for each in groups.values()):
        raise SettingsError(f"The policy option groups is {groups!r}", expected='names and SMILES, such as {F = "F"}')
    for name, fragment in groups.items():
        read_group(name, fragment)


def _joining(proposal: Proposal, pool: PoolArrays, offers: tuple[Offer, ...]) -> Proposal:
    """Return a proposal on the pool and the offers as one on the pool, with the offers that it names as new ones."""
    size = len(pool.candidate_ids)
    named = [*proposal.choices, *([] if proposal.runner_up is None else [proposal.runner_up])]
    wanted = [choice.index for choice in named if choice.index >= size]
    place = {index: size + joined for joined, index in enumerate(wanted)}

    def placed(choice: Choice) -> Choice:
        return replace(choice, index=place.get(choice.index, choice.index))

    first = proposal.choices[0].index
    origin = offers[first - size].edit.words if first >= size else "a molecule of the pool"
    return replace(
        proposal,
        choices=tuple(map(placed, proposal.choices)),
        reason=short_reason(f"{origin}; {proposal.reason}"),
        runner_up=None if proposal.runner_up is None else placed(proposal.runner_up),
        new_candidates=tuple(offers[index - size].as_candidate(pool) for index in wanted),
        target_family=None,
    )
