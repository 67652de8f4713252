"""A candidate in words: formula, family, and its structure in half a line."""

from __future__ import annotations

import numpy as np

from agent.pool.candidates import Candidate, Pool
from agent.pool.touched import TouchedPool
from agent.why.explanation import CandidateTold
from protocols.structure import CrystalStructure


def told_candidate(pool: Pool, candidate_id: str) -> CandidateTold:
    """Tell a candidate of a pool; one that the pool does not hold has only its id."""
    index = pool.index_of.get(candidate_id)
    if index is None or (isinstance(pool, TouchedPool) and candidate_id in pool.unplaced):
        return CandidateTold(candidate_id, None)
    candidate: Candidate = pool.candidates[index]
    structure = "" if candidate.structure is None else structure_in_words(candidate.structure)
    return CandidateTold(candidate_id, candidate.family, candidate.formula, structure)


def structure_in_words(structure: CrystalStructure) -> str:
    """Return atoms, volume and cell of a crystal: "2 atoms, 16.4 Å³/atom; a b c 2.90 2.90 4.10 Å, α β γ 90 90 90°"."""
    cell = np.array(structure.cell)
    lengths = np.linalg.norm(cell, axis=1)
    a, b, c = cell / lengths[:, None]
    angles = np.degrees(np.arccos(np.clip([b @ c, c @ a, a @ b], -1, 1)))
    atoms = len(structure.symbols)
    return (
        f"{atoms} atom{'s' * (atoms != 1)}, {structure.volume / atoms:.1f} Å³/atom; "
        f"a b c {_listed(lengths, 2)} Å, α β γ {_listed(angles, 0)}°"
    )


def _listed(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], decimals: int) -> str:
    return " ".join(f"{number:.{decimals}f}" for number in numbers)
