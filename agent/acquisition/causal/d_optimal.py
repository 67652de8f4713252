"""D-optimal designs: the textbook's way to choose them, one after the other and before any value is known.

Under a linear model of fixed prior, y = φ_i·β + noise, the candidate with the largest φ_i Σ φ_iᵀ raises the determinant
of the information of β most: the greedy D-optimal design. Here β are what groups add, groups at places, and pairs, with
these prior variances in units of the noise:

| level | group | group at place | pair |
|---|---|---|---|
| 12 | 2 | 0.4 | 1 |

Values change nothing. It is there to be compared with: it wants all coefficients alike, where an effect is one sum of
many, and on the benzenes it does no better than random designs.

References: G. E. P. Box, H. L. Lucas, Biometrika 46, 77 (1959); W. DuMouchel, B. Jones, Technometrics 36, 37 (1994),
for a prior on the coefficients; V. V. Fedorov, Theory of Optimal Experiments (Academic Press, 1972), section 2.5.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, PoolArrays, Proposal
from agent.acquisition.causal.asked_designs import (
    DEFAULT_START,
    PHASES,
    designs_of,
    proposed,
    random_start,
)
from agent.acquisition.selection import Pick, best_two, check_whole_number
from agent.causal.belief import Belief
from agent.causal.designs.closure import closure_of
from agent.causal.designs.closure_model import conditioned

LEVEL, GROUP, GROUP_AT_PLACE, PAIR = 12.0, 2.0, 0.4, 1.0
"""Prior variances of the coefficients [variance of the noise]: what is of first order first, and interactions with the
same part of the signal as they have in the benzenes."""

NO_QUERIES: Final = ()


class DOptimal:
    """The policy "d_optimal".

    Args:
        start: How many random designs to start from.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(self, *, start: int = DEFAULT_START) -> None:
        check_whole_number("start", start, 0)
        self._start = start
        self._kept: tuple[PoolArrays, FloatArray] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each with those before it in flight."""
        prior = self._prior_of(context.pool)
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        count = min(count, len(context.available))
        picks = random_start(context, count, self._start)
        left, n = context.available, len(prior)
        taken = np.concatenate((context.observed, context.pending))
        _, covariance = conditioned(np.zeros(n), prior, taken, np.zeros(len(taken)), np.ones(len(taken)))
        belief = Belief(np.zeros(n), covariance, np.ones(n), np.empty((0, n)), NO_QUERIES)
        for pick in picks:
            belief, left = belief.after(pick.choice.index), left[left != pick.choice.index]
        while len(picks) < count:
            choice, runner_up = best_two(left, belief.variances[left])
            reason = f"raises the determinant of the information most, by a factor of {1.0 + (choice.score or 0.0):.3g}"
            picks.append(Pick(choice, runner_up, "", reason, {"phase": PHASES["effects"]}))
            belief, left = belief.after(choice.index), left[left != choice.index]
        return proposed(picks)

    def _prior_of(self, pool: PoolArrays) -> FloatArray:
        """Covariance φ Σ φᵀ of all candidates, shape (n, n) [variance of the noise]."""
        if self._kept is None or self._kept[0] is not pool:
            ways = closure_of(designs_of(pool, "d_optimal"))
            features = np.concatenate(
                (
                    np.full((len(ways), 1), np.sqrt(LEVEL)),
                    np.sqrt(GROUP) * ways.group_counts,
                    np.sqrt(GROUP_AT_PLACE) * ways.group_place_counts,
                    np.sqrt(PAIR) * ways.pair_counts,
                ),
                axis=1,
            )
            self._kept = (pool, features @ features.T)
        return self._kept[1]
