"""Candidates that join a pool after its start: what they must be, and the pool with them.

A pool grows at its end. What is in it keeps its index for ever, and what joins comes after it in the order in which it
is admitted, with the rows of its measurements where the pool has any, so that the same journal makes the same pool.
What names the pool (its digest in plan and recording) is that of the start.

Three things never grow. Families: a bias report names all of them from its first observation on. Features: a new
candidate has a number for each column. And a closure, of designs or of interventions: it is finite by its nature, and
what is believed of it is made for its members.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from pydantic import ValidationError

from agent.pool.candidates import Candidate, Pool
from agent.pool.measurements import Methods, measured
from protocols.wire.limits import MAX_JOINING_BYTES, MAX_TEXT_LENGTH
from protocols.wire.messages import ID_PATTERN
from protocols.wire.molecule import Molecule
from protocols.wire.parameters import Parameters
from protocols.wire.structure import CrystalStructure

MAX_ADDED_CANDIDATES: Final = 10_000
"""Most candidates that join one pool: as many as the largest closure of molecules has, and two for each request of a
campaign of thousands. The journal keeps each whole (about 500 bytes), and each time the pool is copied."""

MOST_FAMILIES_NAMED: Final = 8
"""Most families in a message about a wrong one."""


@dataclass(frozen=True, slots=True)
class NewCandidate:
    """A candidate that was not in the pool at the start.

    Attributes:
        candidate_id: Made of its content, as all ids are.
        family: One of the pool's.
        features: A number for each column of the pool, shape (d,).
        formula: Its formula.
        smiles: Of a molecule.
        structure: Of a crystal.
        parent: Id of the candidate that it was made of; empty where it was made of none.
        origin: How it came about, for people.
        parameters: What an instrument sets to make it; None where nobody told.
    """

    candidate_id: str
    family: str
    features: tuple[float, ...]
    formula: str = ""
    smiles: str = ""
    structure: CrystalStructure | None = None
    parent: str = ""
    origin: str = ""
    parameters: Parameters | None = None

    def plain(self) -> NewCandidate:
        """Return it with features as the journal keeps them: plain numbers."""
        return replace(self, features=tuple(map(float, self.features)))

    def as_candidate(self) -> Candidate:
        """Return it as a member of a pool."""
        return Candidate(
            self.candidate_id, self.family, self.formula, self.structure, self.smiles, self.origin,
            parameters=self.parameters,
        )  # fmt: skip


def growth_breach(pool: Pool, new: Sequence[NewCandidate]) -> str:
    """Return what is wrong with candidates that are to join a pool, or nothing.

    Of a pool without its features, as a run has touched it, these and the parents are not known, and not looked at.
    """
    if new and (pool.designs is not None or pool.interventions is not None):
        return "the pool is a closure of designs or interventions, which does not grow"
    if new and pool.in_blocks:
        return "the pool is read in blocks from a table, and does not grow; write the candidates into the table"
    seen: set[str] = set()
    for each in new:
        if problem := _problem(pool, each, seen):
            return f"new candidate {each.candidate_id!r}: {problem}"
        seen.add(each.candidate_id)
    return ""


def grown(pool: Pool, new: Sequence[NewCandidate]) -> Pool:
    """Return a pool with candidates at its end; the pool itself where none joins it.

    Args:
        pool: The pool; it stays as it is.
        new: What joins it, in order; `growth_breach` finds nothing wrong with it.
    """
    if not new:
        return pool
    width = pool.features.shape[1]
    rows = [each.features if pool.is_whole else (0.0,) * width for each in new]
    features = np.vstack((pool.features, np.array(rows, dtype=np.float64).reshape(len(new), width)))
    features.setflags(write=False)
    candidates = (*pool.candidates, *(each.as_candidate() for each in new))
    joined = replace(pool, candidates=candidates, features=features)
    return joined if pool.fidelities is None else measured(joined, Methods.of(pool.fidelities), len(pool))


def _problem(pool: Pool, new: NewCandidate, seen: set[str]) -> str:
    if re.fullmatch(ID_PATTERN, new.candidate_id) is None:
        return f"its id is none; expected {ID_PATTERN}"
    if new.candidate_id in pool.index_of:
        return f"it is in the pool already; choose it by its index there, {pool.index_of[new.candidate_id]}"
    if new.candidate_id in seen:
        return "it is there twice"
    if pool.fidelities is not None and Methods.of(pool.fidelities).is_row_id(new.candidate_id):
        return "its id reads as that of a measurement"
    if new.family not in pool.families:
        named = ", ".join(pool.families[:MOST_FAMILIES_NAMED])
        return f"its family {new.family!r} is none of the pool's ({named}); families do not grow"
    return _wrong_text(new) or (_wrong_content(pool, new) if pool.is_whole else "")


def _wrong_text(new: NewCandidate) -> str:
    longest = max(len(new.formula), len(new.origin))
    if longest > MAX_TEXT_LENGTH:
        return f"its formula or origin has {longest} characters; expected at most {MAX_TEXT_LENGTH}"
    if new.parameters is not None and (size := new.parameters.size_bytes()) > MAX_JOINING_BYTES:
        return f"its parameters and labels take {size:,} bytes; expected at most {MAX_JOINING_BYTES:,}"
    if not new.smiles:
        return ""
    try:
        Molecule(smiles=new.smiles)
    except ValidationError as error:
        return f"its SMILES: {error.errors(include_url=False)[0]['msg']}"
    return ""


def _wrong_content(pool: Pool, new: NewCandidate) -> str:
    names = pool.feature_names
    if len(new.features) != len(names):
        return f"it has {len(new.features)} features; expected {len(names)}: {', '.join(names)[:MAX_TEXT_LENGTH]}"
    bad = next((place for place, value in enumerate(new.features) if not math.isfinite(value)), None)
    if bad is not None:
        return f"its feature {names[bad]!r} is {new.features[bad]}; expected a finite number"
    if new.parent and new.parent not in pool.index_of:
        return f"its parent {new.parent!r} is not in the pool"
    return ""
