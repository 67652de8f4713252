r"""What a crystal is, however it is written: a few numbers that no choice of cell, origin, order or digits changes.

Notation, for a crystal of n atoms in a volume V:

| sign | meaning | shape |
|---|---|---|
| v = V/n | room of an atom [Å³] | |
| R = 3 v^(1/3) | reach of the sums below [Å]; follows the scale, so that they have no unit | |
| s(d) = (1 - (d/R)²)³ | weight of a pair at distance d; smooth at R: no pair enters by a jump | (m,) |
| w_i, u_i | two weights of the element of atom i, so that exchanged elements tell | (n,) |
| P = Σ_ij w_i w_j s(d_ij) / n | how the elements are distributed over the distances | |
| Q = Σ_i u_i (Σ_j u_j s(d_ij)²)² / n | how much the surroundings differ from atom to atom | |
| M = Σ_ij w_i w_j s(d_ij) r_ij r_ijᵀ / nP | directions, r_ij of length 1 | (3, 3) |
| λ_1 to λ_3 | eigenvalues of M: a strain splits them, while P and Q see it only in second order if symmetric | |

ln v, ln P, ln Q, λ_1 - 1/3 and λ_3 - 1/3 are rounded to steps of `STEP` and hashed with the reduced formula. They are
means over atoms, so that a larger cell changes nothing, and invariant to isometries (mirror images are one material).

What stays open: digits that differ, as files round them, on both sides of a boundary between two steps make two
materials of one. A number that is moved by δ meets a boundary in δ/STEP of all crystals: five numbers and δ = 1e-8 make
one crystal in two thousand. And what moves none of the numbers by a step is one material: a single atom of a large cell
that moves by 0.01 Å. The form (sums of smooth pair functions) follows Behler and Parrinello (2007), Phys. Rev. Lett.
98, 146401.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.neighbours import Neighbours
from protocols.structures.sites import KNOWN, Sites

STEP: Final = 1e-4
"""Relative difference below which two crystals may be one: ten thousand times what files round, a tenth of 0.1 %."""

CONTENT_DIGITS: Final = 32
"""Hexadecimal digits of an identity: 128 bits never meet by chance."""

GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
"""Multiples of it fill an interval evenly, so that no two elements have nearly one weight."""


def content_of(sites: Sites, volume: float, neighbours: Neighbours) -> str:
    """Return the identity of a crystal as hexadecimal digits.

    Args:
        sites: Its atoms.
        volume: Of its cell [Å³].
        neighbours: Its pairs.
    """
    numbers = invariants_of(sites, volume, neighbours)
    steps = [str(math.floor(number / STEP + 0.5)) for number in numbers]
    text = "|".join([formula_of(sites.symbols), *steps])
    return hashlib.sha256(text.encode()).hexdigest()[:CONTENT_DIGITS]


def invariants_of(sites: Sites, volume: float, neighbours: Neighbours) -> tuple[float, ...]:
    """Return the five numbers of the notation above, unrounded."""
    count = len(sites.symbols)
    first, second = neighbours.first, neighbours.second
    w, u = _weights(sites.symbols)
    smooth = (1.0 - np.minimum(1.0, neighbours.distances / neighbours.reach) ** 2) ** 3
    pairs = w[first] * w[second] * smooth
    total = float(pairs.sum())
    surroundings = np.bincount(first, weights=u[second] * smooth**2, minlength=count)
    spread = float((u * surroundings**2).sum())
    if total <= 0.0 or spread <= 0.0:  # no pair within reach: neither is there anything to tell
        return (math.log(volume / count), 0.0, 0.0, 0.0, 0.0)
    directions = neighbours.vectors / neighbours.distances[:, None]
    eigenvalues = np.linalg.eigvalsh((directions * pairs[:, None]).T @ directions) / total
    return (
        math.log(volume / count),
        math.log(total / count),
        math.log(spread / count),
        float(eigenvalues[0]) - 1.0 / 3.0,
        float(eigenvalues[2]) - 1.0 / 3.0,
    )


def formula_of(symbols: Sequence[str]) -> str:
    """Return the reduced formula of atoms, as pymatgen writes it."""
    return _reduced(tuple(sorted(Counter(symbols).items())))


@functools.lru_cache(maxsize=4096)
def _reduced(amounts: tuple[tuple[str, int], ...]) -> str:
    from pymatgen.core import Composition

    return str(Composition(dict(amounts)).reduced_formula)


def _weights(symbols: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two weights of each atom's element, between 1 and 2, shapes (n,) and (n,)."""
    rank = _ranks()
    numbers = np.array([rank[symbol] for symbol in symbols], dtype=np.float64)
    return 1.0 + (numbers * GOLDEN) % 1.0, 1.0 + (numbers * math.sqrt(2.0)) % 1.0


@functools.cache
def _ranks() -> dict[str, int]:
    """Return the number of each element, in the order of its symbol."""
    return {symbol: number for number, symbol in enumerate(sorted(KNOWN), start=1)}
