"""Lengths of sums of vectors: what a closure has where every group adds a vector of its own.

| here | meaning | shape |
|---|---|---|
| a_g | component of group g along the direction of its site, of either sign | (G,) |
| c_g | size of its component across, which turns freely and so adds in quadrature | (G,) |
| φ_p | angle between the directions of two sites at place p | (P,) |
| ε | square of a length that is left where all cancels | |
| θ | (a, c, φ); lengths in one unit, whichever | (2 G + P,) |

    h² = Σ_i a_i² + cos φ_p Σ_{i≠j} a_i a_j + Σ_i c_i² + ε

over the sites i, j of a way to make the candidate; h of a candidate is the mean over its ways. As sites may be
exchanged, any two of them make the same angle. With −a for a, of all groups, h is the same.

Three things that h leaves out are known in form and size:

- **Turning.** Components across do point somewhere in each candidate, where its energy prefers them to. So h² is off by
  up to 2 S with S² = Σ_{i<j} c_i² c_j² + sin² φ_p Σ_{i≠j} a_i² c_j², and h by about S/g, g = √(h² + S): it is irregular
  to that extent, and lower or higher on the whole in proportion to it.
- **Alignment.** What energy prefers depends on the place: components across may point the same way or opposite ways, or
  along those of the others or against them. To first order h is then off by multiples of Σ_{i<j} c_i c_j / g and
  sin φ_p Σ_{i≠j} |a_i| c_j / g, one of each at every place.
- **Opposition.** Where one group pushes what another one pulls, they polarise each other: Σ_{i<j} max(0, −a_i a_j).

Reference: C. P. Smyth, Dielectric Behavior and Structure (McGraw-Hill, 1955), chapters 8 to 10, for dipole moments of
substituted rings: vector addition, groups that turn, and mutual induction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.causal.designs.closure import Closure

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class VectorAddition:
    """h over the candidates of a closure.

    Attributes:
        closure: Its ways.
        epsilon: ε.
    """

    closure: Closure
    epsilon: float

    @property
    def n_parameters(self) -> int:
        """2 G + P."""
        return 2 * self.closure.n_groups + self.closure.n_places

    def split(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return a, c and φ of θ."""
        G = self.closure.n_groups
        return theta[:G], theta[G : 2 * G], theta[2 * G :]

    def lengths(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return h, shape (n,), and ∂h/∂θ, shape (n, 2 G + P)."""
        ways, G = self.closure, self.closure.n_groups
        along, across, angle = self._of_ways(theta)
        total, squares = along.sum(axis=1), np.square(along).sum(axis=1)
        h = np.sqrt(self._squared(along, across, angle) + self.epsilon)
        rows = np.arange(len(h))
        J = np.zeros((len(h), self.n_parameters))
        by_along = (along + np.cos(angle)[:, None] * (total[:, None] - along)) / h[:, None]
        np.add.at(J, (rows[:, None], ways.groups), by_along)
        np.add.at(J, (rows[:, None], G + ways.groups), across / h[:, None])
        J[rows, 2 * G + ways.place] = -0.5 * np.sin(angle) * (np.square(total) - squares) / h
        return ways.averaged(h), ways.averaged(J)

    def turning(self, theta: FloatArray) -> FloatArray:
        """Return S/√(h² + S), by how much h may be off where components across point somewhere, shape (n,)."""
        S, g = self._off(theta)
        return self.closure.averaged(S / g)

    def alignment(self, theta: FloatArray) -> FloatArray:
        """Return both sums over g at each place, shape (n, 2 P)."""
        along, across, angle = self._of_ways(theta)
        _, g = self._off(theta)
        alike = _over_pairs(across, across) / g
        crossed = 2.0 * _over_pairs(np.abs(along), across) * np.sin(angle) / g
        return self.closure.averaged(np.concatenate((self._by_place(alike), self._by_place(crossed)), axis=1))

    def opposition(self, theta: FloatArray) -> FloatArray:
        """Return Σ_{i<j} max(0, −a_i a_j) at each place, shape (n, P)."""
        along, _, _ = self._of_ways(theta)
        products = along[:, :, None] * along[:, None, :]
        opposed = 0.5 * np.maximum(-products, 0.0).sum(axis=(1, 2))
        return self.closure.averaged(self._by_place(opposed))

    def _off(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """S and g of each way, two arrays (m,)."""
        along, across, angle = self._of_ways(theta)
        a, c = np.square(along), np.square(across)
        squares = _over_pairs(c, c) + 2.0 * np.square(np.sin(angle)) * _over_pairs(a, c)
        S = np.sqrt(np.maximum(squares, 0.0))
        return S, np.sqrt(self._squared(along, across, angle) + self.epsilon + S)

    def _by_place(self, of_ways: FloatArray) -> FloatArray:
        """Put a number of each way at its place, (m,) → (m, P)."""
        spread = np.zeros((len(of_ways), self.closure.n_places))
        spread[np.arange(len(of_ways)), self.closure.place] = of_ways
        return spread

    def _of_ways(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Components along and across at the sites of each way, shapes (m, s), and its angle, shape (m,)."""
        a, c, phi = self.split(theta)
        return a[self.closure.groups], c[self.closure.groups], phi[self.closure.place]

    @staticmethod
    def _squared(along: FloatArray, across: FloatArray, angle: FloatArray) -> FloatArray:
        """h² − ε, shape (m,); three sites at 180° to each other would make it negative."""
        squares = np.square(along).sum(axis=1)
        cross = np.square(along.sum(axis=1)) - squares
        whole: FloatArray = np.maximum(squares + np.cos(angle) * cross + np.square(across).sum(axis=1), 0.0)
        return whole


def _over_pairs(x: FloatArray, y: FloatArray) -> FloatArray:
    """½ Σ_{i≠j} x_i y_j over the sites of each way, shapes (m, s) give (m,)."""
    pairs: FloatArray = 0.5 * (x.sum(axis=1) * y.sum(axis=1) - (x * y).sum(axis=1))
    return pairs
