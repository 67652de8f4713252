"""What is believed of effects, against what they are.

| here | meaning |
|---|---|
| m_k, w_k | what is believed of effect k, and the half-width of its 90 % interval [unit] |
| t_k | what it is: the world of the scenario was made with it |
| error | √(mean over k of (m_k − t_k)²) [unit] |
| held | share of the effects with |m_k − t_k| ≤ w_k |

Of intervals that are honest 0.9 hold the truth: more of them is no better, so `held` is shown and not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.metrics import Effect

ERROR: Final = "error_against_truth"
"""Name of the error in files."""

HELD: Final = "intervals_holding_truth"
"""And of the share of intervals."""

ERROR_LABEL: Final = "error against the truth"
HELD_LABEL: Final = "intervals that hold the truth"
"""What people read."""

UNSEEN: Final = "which no policy sees"
"""What is said of the truth wherever it is told."""


@dataclass(frozen=True, slots=True)
class AgainstTruth:
    """How far off effects are.

    Attributes:
        error: Root mean square over the effects [unit of the property].
        held: Share of the 90 % intervals that hold the truth, from 0 to 1.
    """

    error: float
    held: float


def against_truth(effects: Sequence[Effect], truth: Mapping[str, float]) -> AgainstTruth | None:
    """Hold effects against the truth; None where that of none is known.

    Args:
        effects: What is believed.
        truth: By name.
    """
    known = [(each, truth[each.name]) for each in effects if each.name in truth]
    if not known:
        return None
    squares = [(each.mean - true) ** 2 for each, true in known]
    return AgainstTruth(float(np.sqrt(np.mean(squares))), float(np.mean([holds(each, true) for each, true in known])))


def holds(effect: Effect, true: float) -> bool:
    """Tell whether the interval of an effect holds the truth."""
    return abs(true - effect.mean) <= effect.half_width
