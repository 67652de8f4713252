"""How the mean gap comes along: a fold over the trajectory that finds evenness, and that nothing is gained any more.

- A family is *covered* with `MIN_VALUES` values, or with all that its candidates could give: with fewer an entropy says
  little. Points at which other families are covered are not compared.
- The *mark* is the gap at the last gain: the first gap, then each that is lower than the mark by `gain_nat`. When one
  more family is covered, the mark is set again.
- It is *even* from the first gap within `tolerance_nat` with all families covered, until one above the tolerance by
  more than `gain_nat`: a gap that trembles about the tolerance is no news.
- It has *stalled* when `patience` acquisitions have passed since the mark, and it is not even.

Each stretch of evenness is found once, and each stall once: after a stall there is another only when the best gap has
fallen by `gain_nat`, and has then not fallen again for as long. What is found depends on the trajectory alone, never on
how many observations one transaction took; `agent.campaign.follow` journals what the campaign does not know yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import PoolArrays
from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.stop_settings import StopSettings
from agent.entropy.best import ROUNDING
from agent.entropy.bias import BiasPoint
from agent.entropy.entropy import MIN_VALUES

Finding = BecameEven | GapStalled


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the trajectory: how many acquisitions there were, and the mean gap [nat]."""

    acquired: int
    gap: float


def values_needed(pool: PoolArrays) -> tuple[int, ...]:
    """Return at how many values each family of a pool is covered."""
    sizes = np.bincount(pool.family_codes, minlength=len(pool.families))
    return tuple(min(MIN_VALUES, size) for size in sizes.tolist())


class GapProgress:
    """Folds mean gaps.

    Args:
        terms: What counts as even, and as a gain.
        needed: Values at which each family is covered, see `values_needed`.

    Attributes:
        findings: What was found so far, in order.
        first_even: Where the gap was within the tolerance for the first time.
        first_without_gain: Where `patience` acquisitions had passed without a gain for the first time, even or not.
    """

    def __init__(self, terms: StopSettings, needed: Sequence[int]) -> None:
        self.findings: list[Finding] = []
        self.first_even: Moment | None = None
        self.first_without_gain: Moment | None = None
        self._terms = terms
        self._needed = tuple(needed)
        self._covered = 0
        self._mark: Moment | None = None
        self._best: Moment | None = None
        self._is_even = False
        self._has_warned = False

    def see(self, observation: int, point: BiasPoint) -> None:
        """Take in the bias after an observation."""
        if point.mean_gap is None:
            return
        gap, now = point.mean_gap, Moment(observation, point.mean_gap)
        covered = sum(size >= needed for size, needed in zip(point.sizes, self._needed, strict=True))
        if covered != self._covered:
            self._covered, self._mark, self._best = covered, None, None
        if self._best is None or gap < self._best.gap - ROUNDING:
            self._best = now
        if self._mark is None or gap <= self._mark.gap - self._terms.gain_nat + ROUNDING:
            self._mark, self._has_warned = now, False
        self._see_evenness(now)
        if observation - self._mark.acquired >= self._terms.patience:
            self._see_no_gain(now, self._mark, self._best)

    @property
    def current(self) -> Finding | None:
        """What holds now: that it is even, that it has stalled, or nothing."""
        last = self.findings[-1] if self.findings else None
        if isinstance(last, BecameEven):
            return last if self._is_even else None
        return last if self._has_warned and not self._is_even else None

    def _see_evenness(self, now: Moment) -> None:
        tolerance = self._terms.tolerance_nat
        if now.gap <= tolerance + ROUNDING and self._covered == len(self._needed):
            if not self._is_even:
                self.findings.append(BecameEven(now.acquired, now.gap, tolerance))
            self._is_even = True
            self.first_even = self.first_even or now
        elif now.gap > tolerance + self._terms.gain_nat + ROUNDING:
            self._is_even = False

    def _see_no_gain(self, now: Moment, mark: Moment, best: Moment) -> None:
        self.first_without_gain = self.first_without_gain or now
        if self._is_even or self._has_warned:
            return
        self._has_warned = True
        self.findings.append(
            GapStalled(now.acquired, now.gap, mark.acquired, best.gap, best.acquired, self._terms.gain_nat)
        )
