"""Target mean: the design whose measurement tells most of which candidate comes nearest to a wanted value.

The acquisition of Zhang and others for interventions that bring the mean of a system to a target, as far as it applies
to a closure of designs whose candidates have one value each:

| here | meaning |
|---|---|
| t | the wanted value |
| m_j, s_j² | mean and variance of what candidate j has, and C their covariance (`causal.designs`) |
| V_j | 2 s_j⁴ + 4 s_j² (m_j − t)²: variance of the squared discrepancy (f_j − t)², in closed form |
| w_j | 1 / p(m_j), p the density of all m (Gaussian kernels): rare outcomes count more; they sum to one |

    a(i) = Σ_j w_j (V_j − V_j after i),   s_j² after i = s_j² − C_ij² / (C_ii + σ_i²)

What is simpler than in the publication: the graph is not asked for, as whoever makes a design sets all of its factors;
the target is one number and no vector; the interventions are the candidates of the closure and no ball of real shifts,
so that the largest a(i) is looked up and not climbed to; and m_j is held where it is. Its weight is by the discrepancy
in closed form for a uniform ball, which a closure is not; the density here is the general rule that it follows from.

With `criterion = "discrepancy"` it is the greedy choice instead, the least expected (f_i − t)², that is
(m_i − t)² + s_i²: what is recommended in the end.

References: J. Zhang, L. Cammarata, C. Squires, T. P. Sapsis, C. Uhler, Nat. Mach. Intell. 5, 1066 (2023), for the
acquisition (integrated variance of the discrepancy, output-weighted); A. Blanchard, T. Sapsis, SIAM/ASA J. Uncertain.
Quantif. 9, 564 (2021), for the weight; D. W. Scott, Multivariate Density Estimation (Wiley, 1992), equation 6.43, for
the width of the kernels.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, Proposal
from agent.acquisition.causal.asked_designs import (
    DEFAULT_START,
    PHASES,
    BelievedDesigns,
    check_optional_number,
    designs_of,
    proposed,
    random_start,
)
from agent.acquisition.selection import Pick, best_two, check_whole_number
from agent.causal.belief import Belief
from agent.causal.designs.design_model import AUTOMATIC
from protocols.errors import SettingsError

VARIANCE: Final = "variance"
DISCREPANCY: Final = "discrepancy"
CRITERIA: Final = (VARIANCE, DISCREPANCY)

SCOTT: Final = 1.06
"""Width of a kernel [deviation of the m_j · n^(−1/5)]."""


class TargetMean:
    """The policy "target_mean".

    Args:
        target: t [unit]; by default the largest value so far.
        criterion: "variance", the acquisition, or "discrepancy", the greedy choice.
        start: How many random designs to start from.
        estimate: Name of a label-free feature that estimates the property.
        model: "auto", "vectors" or "features".

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self,
        *,
        target: float | None = None,
        criterion: str = VARIANCE,
        start: int = DEFAULT_START,
        estimate: str = "",
        model: str = AUTOMATIC,
    ) -> None:
        check_optional_number("target", target)
        check_whole_number("start", start, 0)
        if criterion not in CRITERIA:
            raise SettingsError(
                f"The policy option criterion is {criterion!r}", expected=f"one of {', '.join(CRITERIA)}"
            )
        self._target, self._criterion, self._start = target, criterion, start
        self._designs = BelievedDesigns("target_mean", estimate=estimate, model=model)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each with those before it in flight."""
        designs_of(context.pool, "target_mean")
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        count = min(count, len(context.available))
        picks = random_start(context, count, self._start)
        if len(picks) == count:
            return proposed(picks)
        largest = float(context.values.max()) if len(context.values) else 0.0
        target = largest if self._target is None else self._target
        belief, left = self._designs.in_flight(context).stated, context.available
        for pick in picks:
            belief, left = belief.after(pick.choice.index), left[left != pick.choice.index]
        while len(picks) < count:
            scores = told_of_target(belief, target) if self._criterion == VARIANCE else -discrepancy(belief, target)
            choice, runner_up = best_two(left, scores[left])
            mean, std = belief.predict()
            details = {
                "predicted_mean": float(mean[choice.index]),
                "predicted_std": float(std[choice.index]),
                "phase": PHASES["act"],
            }
            what = "tells most of what comes nearest to" if self._criterion == VARIANCE else "expected nearest to"
            picks.append(Pick(choice, runner_up, "", f"{what} {target:.4g}", details))
            belief, left = belief.after(choice.index), left[left != choice.index]
        return proposed(picks)


def told_of_target(belief: Belief, target: float) -> FloatArray:
    """Return a(i) of every candidate, shape (n,) [unit⁴], for a belief about the candidates themselves."""
    mean, std = belief.predict()
    variance, off = np.square(std), np.square(mean - target)
    fall = np.square(belief.covariance) / (variance + belief.noise)[:, None]
    # V − V after = 2 (s⁴ − (s² − fall)²) + 4 fall (m − t)² = 2 fall (2 s² − fall) + 4 fall (m − t)²
    fallen: FloatArray = (2.0 * fall * (2.0 * variance - fall) + 4.0 * fall * off) @ _weights(mean)
    return fallen


def discrepancy(belief: Belief, target: float) -> FloatArray:
    """Return the expected squared discrepancy of every candidate, shape (n,) [unit²]."""
    mean, std = belief.predict()
    expected: FloatArray = np.square(mean - target) + np.square(std)
    return expected


def _weights(mean: FloatArray) -> FloatArray:
    """1 / density of the predicted means, summing to one, shape (n,)."""
    width = SCOTT * float(mean.std()) * len(mean) ** -0.2
    if width == 0.0:
        return np.full(len(mean), 1.0 / len(mean))
    density = np.exp(-0.5 * np.square((mean[:, None] - mean) / width)).sum(axis=1)
    rarity: FloatArray = (1.0 / density) / (1.0 / density).sum()
    return rarity
