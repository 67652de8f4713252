"""Pools of small molecules with the features that need no measurement, and campaigns on them that edit."""

from __future__ import annotations

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.molecules.features import FEATURE_NAMES, molecule_features
from protocols.molecules.identity import check_molecule
from tests.support.campaigns import Play, small_plan

SMALL = ("C", "CO", "C=O")
"""Methane, methanol, formaldehyde."""


def molecule_pool(smiles: tuple[str, ...] = SMALL, columns: tuple[str, ...] = FEATURE_NAMES) -> Pool:
    """A pool of molecules in two families: with a heteroatom or without."""
    molecules = [check_molecule(each) for each in smiles]
    candidates = [
        Candidate(each.candidate_id, "polar" if set(each.smiles) - set("C=#()") else "plain", each.formula, None,
                  each.smiles)
        for each in molecules
    ]  # fmt: skip
    places = [FEATURE_NAMES.index(name) for name in columns]
    return make_pool(candidates, molecule_features(smiles)[:, places], columns)


def edited(pool: Pool, start: tuple[int, ...], **changes: object) -> Play:
    """A campaign whose policy is to be given; `start` names pool indices."""
    plan = small_plan(pool, **({"policy": "molecule_edits", "grows_pool": True, "budget": 4} | changes))
    return Play(pool, plan, [pool.candidate_ids[index] for index in start])


def known_all(pool: Pool) -> tuple[int, ...]:
    """The indices of all candidates of a pool."""
    return tuple(range(len(pool)))
