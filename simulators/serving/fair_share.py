"""Whom an instrument serves next where several campaigns ask it: each by its weight, and none waits for ever.

Stride scheduling (Waldspurger and Weihl, MIT/LCS/TM-528, 1995): each campaign has a pass, which grows by the time that
its evaluations take, over its weight; the one with the smallest is served next. So over a while each gets its share of
the slots' time, whatever its evaluations last; and what one does not ask for, the others get. Whoever comes newly, or
was away, begins where the others are: nobody saves up.

What an evaluation will take is guessed from the campaign's last one, and put right when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

MAX_CAMPAIGNS: Final = 1_024
"""Campaigns that are remembered; of further ones the one that was served longest ago is forgotten."""

FIRST_GUESS_S: Final = 1.0
"""What the first evaluation of a campaign is taken to last [s]."""


@dataclass(slots=True)
class _Share:
    passed: float = 0.0
    last_s: float = FIRST_GUESS_S


class FairShare:
    """Shares the slots of one instrument among campaigns by their weights."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._now = 0.0
        """The pass of whoever was served last."""

    def next(self, waiting: Iterable[str]) -> str:
        """Return which of the waiting campaigns is served next; of equal ones the first.

        Args:
            waiting: Names of the campaigns, at least one, in the order in which they came.
        """
        return min(dict.fromkeys(waiting), key=lambda campaign: self._of(campaign).passed)

    def begin(self, campaign: str, weight: float) -> float:
        """Note that an evaluation begins; return what it is taken to last [s]."""
        share = self._of(campaign)
        self._shares.pop(campaign, None)
        self._shares[campaign] = share  # the last one now
        while len(self._shares) > MAX_CAMPAIGNS:
            del self._shares[next(iter(self._shares))]
        self._now = share.passed = max(share.passed, self._now)
        share.passed += share.last_s / weight
        return share.last_s

    def end(self, campaign: str, weight: float, *, guessed_s: float, took_s: float) -> None:
        """Note that an evaluation ended, and what it took."""
        share = self._shares.get(campaign)
        if share is not None:
            share.last_s = took_s
            share.passed += (took_s - guessed_s) / weight

    def passes(self) -> Mapping[str, float]:
        """Return the pass of each campaign, for people [s]."""
        return {campaign: share.passed for campaign, share in self._shares.items()}

    def _of(self, campaign: str) -> _Share:
        return self._shares.get(campaign) or _Share(self._now)
