"""What policies share: the best of some scores, the improvement to expect, and which rows to learn from.

Pure functions. Scores are compared with a tolerance, so that the last bits, in which machines and orders of rows
differ, do not decide; what is equal falls to the lowest index, that is to the smallest candidate id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.base import Choice, Proposal
from protocols.errors import SettingsError, invariant

IndexArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SCORE_TOLERANCE: Final = 1e-9
"""Scores that differ by less than this part of the best one are equal: far above rounding (1e-12), far below any
difference that matters."""

DEFAULT_MAX_TRAINING_ROWS: Final = 500
"""Most rows of one fit: a fraction of a second on one core, and the cost grows with the cube."""

MAX_REASON_LENGTH: Final = 200
"""Longest reason of a proposal [character]."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One candidate that a policy chose, and why.

    Attributes:
        choice: The candidate.
        runner_up: The best one that was not chosen.
        family: Name of the family that is meant.
        reason: Why, for a person.
        details: Figures worth keeping.
    """

    choice: Choice
    runner_up: Choice | None
    family: str
    reason: str
    details: Mapping[str, float]


def proposal_of(picks: Sequence[Pick]) -> Proposal:
    """Return the proposal of a batch, of at least one pick: the first one's reason, and the runner-up of the last."""
    first = picks[0]
    return Proposal(
        choices=tuple(pick.choice for pick in picks),
        reason=short_reason(first.reason + (f" (first of {len(picks)})" if len(picks) > 1 else "")),
        runner_up=picks[-1].runner_up,
        target_family=first.family,
        details=first.details,
    )


def best_two(indices: IndexArray, scores: FloatArray) -> tuple[Choice, Choice | None]:
    """Return the best candidate and the runner-up (None when there is one candidate only).

    Args:
        indices: Pool indices, ascending, shape (a,), a ≥ 1.
        scores: Larger is better, finite, shape (a,).
    """
    invariant(len(indices) > 0 and bool(np.isfinite(scores).all()), "scores of candidates are finite")
    best = _best_position(scores)
    choice = Choice(int(indices[best]), float(scores[best]))
    if len(indices) == 1:
        return choice, None
    others = scores.copy()
    others[best] = -np.inf
    second = _best_position(others)
    return choice, Choice(int(indices[second]), float(scores[second]))


def expected_improvement(mean: FloatArray, std: FloatArray, best: float) -> FloatArray:
    """Expected improvement of normal quantities over a present value, in their unit.

    EI = (μ − b) Φ(u) + σ φ(u) with u = (μ − b) / σ, and max(μ − b, 0) where σ = 0.
    Reference: D. R. Jones, M. Schonlau, W. J. Welch, J. Glob. Optim. 13, 455 (1998), equation 15.

    Args:
        mean: μ, shape (c,).
        std: σ, not negative, shape (c,).
        best: b.
    """
    from scipy.special import erfcx, ndtr

    gain = mean - best
    spread = std > 0.0
    u = np.divide(gain, std, out=np.zeros_like(gain), where=spread)
    density = np.exp(-0.5 * np.square(u)) / np.sqrt(2.0 * np.pi)
    # Below the mean the two terms cancel; Φ/φ = √(π/2) erfcx(−u/√2) keeps the difference to 13 digits.
    ratio = np.sqrt(np.pi / 2.0) * erfcx(-np.minimum(u, 0.0) / np.sqrt(2.0))
    with_spread = np.where(u < 0.0, std * density * (1.0 + u * ratio), gain * ndtr(u) + std * density)
    return np.where(spread, with_spread, np.maximum(gain, 0.0))


def training_positions(rows: IndexArray, acquired: IndexArray, most: int) -> IndexArray:
    """Choose at most `most` rows to train on, as ascending positions in `rows`.

    The cost of a fit grows with the cube of the rows. When there are too many, half of the places go to the latest
    acquisitions (so that a policy knows what it has just seen, and does not ask beside it again) and the rest are
    spread evenly over all others; as pool indices follow ids made of content, an even spread is a fair sample.

    Args:
        rows: Pool indices with a known value, ascending, shape (k,).
        acquired: Pool indices in order of admission; those not among `rows` are passed over.
        most: Largest number of rows, at least 2.
    """
    if len(rows) <= most:
        return np.arange(len(rows))
    latest = acquired[np.isin(acquired, rows)][-(most // 2) :]
    is_latest = np.isin(rows, latest)
    others = np.flatnonzero(~is_latest)
    places = most - len(latest)
    spread = others[np.arange(places) * len(others) // places]
    return np.sort(np.concatenate((np.flatnonzero(is_latest), spread)))


def short_reason(text: str) -> str:
    """Cut a reason to its greatest length (names of families may be long)."""
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 1] + "…"


def check_whole_number(name: str, value: object, least: int) -> None:
    """Refuse an option that is not a whole number of at least `least`.

    Raises:
        SettingsError: With what was found.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise SettingsError(f"The policy option {name} is {value!r}", expected=f"a whole number of at least {least}")


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Refuse an option that is not a number from `least` to `most`.

    Raises:
        SettingsError: With what was found.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise SettingsError(f"The policy option {name} is {value!r}", expected=f"a number from {least:g} to {most:g}")


def _best_position(scores: FloatArray) -> int:
    """Lowest position whose score equals the best one within the tolerance."""
    best = float(scores.max())
    return int(np.argmax(scores >= best - SCORE_TOLERANCE * abs(best)))
