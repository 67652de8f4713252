"""What edits offer: molecules that are not in the pool, one edit from one that is.

The molecules that are edited come in an order of preference. Of each all admissible edits are made
(`protocols.molecules.edits`), and those left out that lead to a molecule of the pool, to one that is offered already,
to one of too many atoms, to one without features (it does not embed, or the force field does not know it), or to one
that the campaign's limits do not let be asked for. A molecule that has nothing to offer any more is passed over for the
next one.

A pure function of the pool and the order: the same offers in the same order wherever it is asked. Edits and features
are remembered, for they cost 10 to 200 ms a molecule and are asked for again at every decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from agent.acquisition.base import PoolArrays
from agent.pool.growth import NewCandidate
from agent.pool.limits.new_candidates import LimitsOnNew
from protocols.errors import SettingsError, TableError
from protocols.molecules.edits import Edit, edits_of
from protocols.molecules.features import FEATURE_NAMES, molecule_features
from protocols.molecules.identity import parsed

EDITED_KEPT: Final = 1_000
"""Molecules whose edits are remembered: far more than a campaign edits."""

FEATURES_KEPT: Final = 20_000
"""Molecules whose features are remembered: the offers of hundreds of molecules, in some megabytes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A molecule that could be measured.

    Attributes:
        parent: Pool index of the molecule that is edited.
        edit: What is changed, and what comes of it.
        features: A number for each column of the pool, shape (d,).
    """

    parent: int
    edit: Edit
    features: tuple[float, ...]

    def as_candidate(self, pool: PoolArrays) -> NewCandidate:
        """Return the offer as a candidate of its parent's family."""
        product = self.edit.product
        return NewCandidate(
            candidate_id=product.candidate_id,
            family=pool.families[pool.family_codes[self.parent]],
            features=self.features,
            formula=product.formula,
            smiles=product.smiles,
            parent=pool.candidate_ids[self.parent],
            origin=self.edit.words,
        )


def feature_places(pool: PoolArrays, policy: str) -> tuple[int, ...]:
    """Return which of the features of a molecule each column of a pool is.

    Raises:
        SettingsError: When the pool has no molecules, or a column that cannot be made of a molecule.
    """
    if not any(pool.smiles):
        raise SettingsError(
            f"The policy {policy!r} edits molecules, and this pool has none",
            expected="a table of molecules, with the column of their SMILES in pool.columns.smiles",
            action="name that column, or choose another policy",
        )
    unknown = [name for name in pool.feature_names if name not in FEATURE_NAMES]
    if unknown:
        raise SettingsError(
            f"The pool has the feature {unknown[0]!r}, which cannot be computed of a molecule that {policy!r} makes",
            expected=f"only features that need no measurement and are known here: {', '.join(FEATURE_NAMES)}",
            action="name these columns alone in pool.columns.features (`protocols.molecules.features` computes them)",
        )
    return tuple(FEATURE_NAMES.index(name) for name in pool.feature_names)


def offers_of(
    pool: PoolArrays,
    order: Iterable[int],
    *,
    parents: int,
    heavy_atoms: int,
    groups: Mapping[str, str],
    places: Sequence[int],
    limits: LimitsOnNew | None = None,
) -> tuple[Offer, ...]:
    """Return the offers of the first `parents` molecules that have any.

    Args:
        pool: The pool.
        order: Pool indices of the molecules that may be edited, the preferred ones first.
        parents: How many of them are edited.
        heavy_atoms: Most atoms of an offer, hydrogens not counted.
        groups: Name and SMILES of the groups that are put on.
        places: As of `feature_places`.
        limits: What may be asked for; what may not is not offered.

    Raises:
        ExtraMissingError: Without RDKit.
    """
    taken = {*pool.candidate_ids, *pool.smiles}
    wanted = tuple(groups.items())
    found: list[Offer] = []
    for parent in order:
        made: list[Offer] = []
        for edit in _edits(pool.smiles[parent], wanted):
            product = edit.product
            if product.smiles in taken or product.candidate_id in taken or _size(product.smiles) > heavy_atoms:
                continue
            taken.add(product.smiles)
            if (features := _features(product.smiles)) is not None:
                offer = Offer(parent, edit, tuple(features[place] for place in places))
                if limits is None or not limits.why_not(offer.as_candidate(pool), pool.feature_names):
                    made.append(offer)
        found += made
        parents -= bool(made)
        if parents == 0:
            break
    return tuple(found)


def with_offers(pool: PoolArrays, offers: Sequence[Offer]) -> PoolArrays:
    """Return a pool with offers at its end, as if they had joined it."""
    return pool.followed_by(
        PoolArrays(
            candidate_ids=tuple(each.edit.product.candidate_id for each in offers),
            features=np.array([each.features for each in offers]).reshape(len(offers), pool.features.shape[1]),
            family_codes=pool.family_codes[[each.parent for each in offers]],
            families=pool.families,
            smiles=tuple(each.edit.product.smiles for each in offers),
        )
    )


@lru_cache(maxsize=EDITED_KEPT)
def _edits(smiles: str, groups: tuple[tuple[str, str], ...]) -> tuple[Edit, ...]:
    return edits_of(smiles, dict(groups))


@lru_cache(maxsize=FEATURES_KEPT)
def _features(smiles: str) -> tuple[float, ...] | None:
    """Return the features of a molecule in the order of `FEATURE_NAMES`; None where it has none."""
    try:
        return tuple(molecule_features([smiles])[0].tolist())
    except TableError:
        return None


@lru_cache(maxsize=FEATURES_KEPT)
def _size(smiles: str) -> int:
    """Return how many atoms a molecule has, hydrogens not counted."""
    return int(parsed(smiles).GetNumHeavyAtoms())
