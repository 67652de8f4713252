"""Entropies of linear combinations of rows, in blocks that stay in a core's cache, in single or double precision.

| here | meaning | shape |
|---|---|---|
| Z | rows, one a variable | (k, n) |
| W | combinations: each gives a row u = W_p Z of mean 0 and variance 1 | (p, k) |
| H(u) | (1 + ln 2π)/2 − k₁ (E ln cosh u − γ)² − k₂ (E u exp(−u²/2))², the maximum-entropy approximation [nat] | (p,) |

ln cosh u = |u| − ln 2 + ln(1 + exp(−2|u|)), which neither overflows nor cancels; the sum of the last term is the
logarithm of a product, taken of sixteen factors at a time, each between 1 and 2.

References: A. Hyvärinen, Adv. Neural Inf. Process. Syst. 10, 273 (1998); A. Hyvärinen, S. M. Smith, J. Mach. Learn.
Res. 14, 111 (2013).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GAUSSIAN_ENTROPY: Final = (1.0 + math.log(2.0 * math.pi)) / 2.0
"""Of a normal of variance 1, the greatest that there is [nat]."""

LOG_COSH_WEIGHT: Final = 79.047
"""k₁, as Hyvärinen and Smith give it."""

ODD_WEIGHT: Final = 7.4129
"""k₂ = 36/(8√3 − 9) (Hyvärinen 1998), as Hyvärinen and Smith round it."""

GAUSSIAN_LOG_COSH: Final = 0.37457
"""γ: E ln cosh of a normal of variance 1."""

BLOCK_NUMBERS: Final = 1 << 16
"""Numbers of one block [number]: two of them in single precision take 512 KiB."""

BLOCK_SAMPLES: Final = 1 << 12
"""Most samples of one block: few enough that many combinations share it, enough that a call's cost does not matter."""

FOLDS: Final = 4
"""Halvings of a row before what is left is taken to double precision: so sums lose nothing to single precision, and a
logarithm is of sixteen factors. A fold of an odd number gives one place three factors, so that no product has more than
3⁴ = 81, below 2⁸¹; the largest number in single precision is 2¹²⁸."""


def entropies(Z: NDArray[Any], W: FloatArray) -> FloatArray:
    """Return H of each combination [nat], shape (p,).

    Args:
        Z: Rows, in the precision in which to compute, shape (k, n).
        W: Combinations whose rows u have mean 0 and variance 1, shape (p, k).
    """
    n = Z.shape[1]
    samples = min(n, BLOCK_SAMPLES)
    together = max(1, BLOCK_NUMBERS // samples)
    combinations = W.astype(Z.dtype)
    log_cosh, odd = np.zeros(len(W)), np.zeros(len(W))
    for start in range(0, n, samples):
        block = Z[:, start : start + samples]
        for first in range(0, len(W), together):
            part = slice(first, first + together)
            u = combinations[part] @ block
            other = np.square(u)
            other *= -0.5
            np.exp(other, out=other)
            odd[part] += np.vecdot(u, other)
            np.abs(u, out=u)
            np.multiply(u, -2.0, out=other)
            np.exp(other, out=other)
            other += 1.0
            log_cosh[part] += _folded(np.add, u).sum(axis=1) + np.log(_folded(np.multiply, other)).sum(axis=1)
    surplus = log_cosh / n - math.log(2.0) - GAUSSIAN_LOG_COSH
    result: FloatArray = GAUSSIAN_ENTROPY - LOG_COSH_WEIGHT * surplus**2 - ODD_WEIGHT * (odd / n) ** 2
    return result


def _folded(operation: np.ufunc, numbers: NDArray[Any]) -> FloatArray:
    """Return sums or products of the numbers of each row by sixteen, in double precision; overwrites the numbers."""
    width = numbers.shape[1]
    for _ in range(FOLDS):
        half = width // 2
        if not half:
            break
        operation(numbers[:, :half], numbers[:, half : 2 * half], out=numbers[:, :half])
        if width % 2:
            operation(numbers[:, 0], numbers[:, width - 1], out=numbers[:, 0])
        width = half
    return numbers[:, :width].astype(np.float64)
