"""The probability that a property exceeds a threshold, Φ((μ − t)/σ), and who has the largest.

Candidates are compared by (μ − t)/σ and by ln Φ, which tell them apart where all probabilities are 0 or 1 to the last
bit.

Reference: H. J. Kushner, J. Basic Eng. 86, 97 (1964).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from agent.acquisition.base import Choice, FloatArray, IndexArray
from agent.acquisition.selection import best_two

LEAST_STD: Final = 1e-12
"""Least σ [the largest distance from the threshold]: what is known exceeds it or does not."""

UNLIKELY: Final = 0.01
"""Probability below which a reason says that nothing is likely to exceed the threshold."""

AS_LIKELY: Final = 0.7
"""Part of the largest probability from which candidates count as equally likely, where something else may decide."""


def most_likely(
    left: IndexArray, mean: FloatArray, std: FloatArray, threshold: float, among_equals: FloatArray | None = None
) -> tuple[Choice, Choice | None]:
    """Return the candidate that most likely exceeds a threshold, and the runner-up; scores are probabilities.

    Args:
        left: Pool indices that may be chosen, ascending, shape (a,), a ≥ 1.
        mean: μ of all candidates, shape (n,).
        std: σ, not negative, shape (n,).
        threshold: t.
        among_equals: Larger is better, shape (n,): decides among candidates that are `AS_LIKELY`.
    """
    from scipy.special import log_ndtr, ndtr

    above, spread = (mean - threshold)[left], std[left]
    scale = max(float(spread.max()), float(np.abs(above).max()), np.finfo(float).tiny)
    z = above / np.maximum(spread, LEAST_STD * scale)
    best, second = best_two(left, z)
    if among_equals is not None:
        equals = left[log_ndtr(z) >= log_ndtr(z.max()) + np.log(AS_LIKELY)]
        if len(equals) > 1:
            best, second = best_two(equals, among_equals[equals])

    def with_probability(choice: Choice) -> Choice:
        return Choice(choice.index, float(ndtr(z[np.searchsorted(left, choice.index)])))

    return with_probability(best), None if second is None else with_probability(second)


def said_of_exceeding(choice: Choice, threshold: float) -> str:
    """Say why the most likely candidate was chosen."""
    probability = choice.score or 0.0
    if probability < UNLIKELY:
        return f"nothing is likely to exceed {threshold:g}; this is the most likely ({probability:.2g})"
    return f"most likely above {threshold:g}: {probability:.2f}"
