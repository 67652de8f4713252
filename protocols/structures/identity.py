r"""What a crystal is, however it is written: two numbers that no choice of cell, origin, order or digits changes.

Notation, for a crystal of n atoms in a volume V:

| sign | meaning | shape |
|---|---|---|
| v = V/n | room of an atom [Å³] | |
| R = 2 v^(1/3) | reach of the sums below [Å]; follows the scale, so that they have no unit | |
| s(d) = (1 - (d/R)²)⁴ | weight of a pair at distance d; smooth at R: no pair enters by a jump | (m,) |
| w_i, g_ij = w_j s(d_ij) | weight of an element, so that exchanged elements tell; of a neighbour | (n,), (m,) |
| P = Σ_ij w_i g_ij / n | how the elements are distributed over the distances | |
| M = Σ_ij w_i g_ij r_ij r_ijᵀ / nP | directions, r_ij of length 1; its eigenvalues are λ | (3, 3) |
| T = Σ_ijk w_i g_ij g_ik abs(d_ij - d_ik) / R, over Σ_ijk w_i g_ij g_ik | how distances around an atom differ | |
| z = T + λ_1/2 + λ_3/3 + ln(P)/20 | the geometry in one number | |

ln v is rounded to steps of `VOLUME_STEP`, z to steps of `STEP`; both are hashed with the reduced formula. They are
means over atoms, so that a larger cell changes nothing, and invariant to isometries (mirror images are one material).
P sees a strain of a symmetric crystal in second order only, as all smooth invariants do; λ and T have corners where
directions or distances are equal, and see it in first order.

What stays open. Digits that differ, as files round them, on both sides of a boundary between two steps make two
materials of one: a number that is moved by δ meets a boundary in δ/STEP of all crystals. That is why the geometry is
one number and not several, each with boundaries of its own. Eight digits move z by 2e-9 and ln v by 1e-9 (means of
200 random crystals in 24 writings), so that one crystal in ten thousand is torn; six digits tear a hundred times as
many. And what moves neither number by a step is one material: no strain that changes the volume by 0.1 %, but a sixth
of those of 0.1 % that leave it as it is, and a tenth of moves of one atom by 0.02 Å (600 crystals of the Materials
Project; none of 4,704 is taken for another). The form (sums of smooth functions of pairs) follows Behler and Parrinello
(2007), Phys. Rev. Lett. 98, 146401.
"""

from __future__ import annotations

import functools
import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.neighbours import Neighbours
from protocols.structures.sites import KNOWN, Sites

STEP: Final = 2e-5
"""Difference of the number of the geometry below which two crystals may be one: thousands of times what files round."""

VOLUME_STEP: Final = 1e-4
"""Relative difference of the volume below which they may be: a thirtieth of that of a strain of 0.1 %."""

EXPONENT: Final = 4
"""Of the weight of a pair: its first three derivatives vanish at the reach."""

SHARES: Final = (1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 20.0)
"""Of T, λ_1, λ_3 and ln P in the number of the geometry: what digits do to each is then of one size."""

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
    room, geometry = invariants_of(sites, volume, neighbours)
    words = [formula_of(sites.symbols), str(_steps(room, VOLUME_STEP)), str(_steps(geometry, STEP))]
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:CONTENT_DIGITS]


def _steps(number: float, step: float) -> int:
    return math.floor(number / step + 0.5)


def invariants_of(sites: Sites, volume: float, neighbours: Neighbours) -> tuple[float, float]:
    """Return ln v and z of the notation above, unrounded."""
    count = len(sites.symbols)
    room = math.log(volume / count)
    within = neighbours.distances < neighbours.reach  # never none: no packing has neighbours beyond 1.13 v^(1/3)
    first, second = neighbours.first[within], neighbours.second[within]
    distances = neighbours.distances[within]
    w = _weights(sites.symbols)
    g = w[second] * (1.0 - (distances / neighbours.reach) ** 2) ** EXPONENT
    pairs = w[first] * g
    total = float(pairs.sum())
    directions = neighbours.vectors[within] / distances[:, None]
    least, _, most = np.linalg.eigvalsh((directions * pairs[:, None]).T @ directions) / total
    parts = (_difference(first, distances / neighbours.reach, g, w), least, most, math.log(total / count))
    return room, float(np.dot(SHARES, parts))


def _difference(
    first: NDArray[np.int64], distances: NDArray[np.float64], g: NDArray[np.float64], w: NDArray[np.float64]
) -> float:
    """Return T: the mean difference of two distances around one atom, by running sums over sorted distances.

    Args:
        first: The atom that a distance is around, shape (m,).
        distances: In units of the reach, shape (m,).
        g: Weights of the pairs, shape (m,).
        w: Weights of the atoms, shape (n,).
    """
    order = np.lexsort((distances, first))
    atoms, distances, g = first[order], distances[order], g[order]
    is_start = np.diff(atoms, prepend=-1) != 0
    group = np.cumsum(is_start) - 1
    shorter, sums = (np.cumsum(each) - each for each in (g, g * distances))  # over what is sorted before
    shorter, sums = (each - each[is_start][group] for each in (shorter, sums))  # ... around the same atom
    totals = np.bincount(group, weights=g)
    differences = 2.0 * (w[atoms] * g * (distances * shorter - sums)).sum()
    return float(differences / (w[atoms[is_start]] * totals**2).sum())


def formula_of(symbols: Sequence[str]) -> str:
    """Return the reduced formula of atoms, as pymatgen writes it."""
    return _reduced(tuple(sorted(Counter(symbols).items())))


@functools.lru_cache(maxsize=4096)
def _reduced(amounts: tuple[tuple[str, int], ...]) -> str:
    from pymatgen.core import Composition

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it orders by electronegativity, and says that noble gases have none
        return str(Composition(dict(amounts)).reduced_formula)


def _weights(symbols: Sequence[str]) -> NDArray[np.float64]:
    """Return the weight of each atom's element, between 1 and 2, shape (n,)."""
    ranks = _ranks()
    return 1.0 + (np.array([ranks[symbol] for symbol in symbols], dtype=np.float64) * GOLDEN) % 1.0


@functools.cache
def _ranks() -> dict[str, int]:
    """Return the number of each element, in the order of its symbol."""
    return {symbol: number for number, symbol in enumerate(sorted(KNOWN), start=1)}
