"""Which candidates a campaign may ask for now: no rule bars them, and what is left of every stock suffices.

What was used up is folded from the requests of the journal, which say what they take; every attempt takes it, for a lab
that fails or is silent may have used it all the same. What is left only shrinks, so near its end a decision depends on
how many attempts have failed before it; the journal says so, and a replay decides the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Pool
from agent.pool.limits.judge import JudgedPool
from agent.pool.limits.new_candidates import LimitsOnNew
from agent.pool.limits.settings import NO_LIMITS, AskingLimits, place_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ROUNDING: Final = 1e-9
"""Share of what there is by which sums of amounts may pass it: far above rounding, far below what matters."""


class Asking:
    """What limits a campaign's questions.

    Args:
        limits: The settings.

    Attributes:
        used: What requests have taken, by name of the supply [its unit].
    """

    def __init__(self, limits: AskingLimits = NO_LIMITS) -> None:
        self.limits: Final = limits
        self.used: Counter[str] = Counter()
        self._taken: dict[str, Mapping[str, float]] = {}
        """What the last request of each candidate took."""
        self._reserved: dict[str, Mapping[str, float]] = {}
        """What a request of each candidate will take that is chosen and not asked for yet."""
        self._judged = JudgedPool(limits)
        self._names = tuple(limits.supplies)
        self._available = np.array([each.available for each in limits.supplies.values()])

    def __eq__(self, other: object) -> bool:
        """Tell whether both limit the same, and as much was used up and reserved."""
        mine = self.limits, self.used, self._reserved
        return isinstance(other, Asking) and mine == (other.limits, other.used, other._reserved)

    def __hash__(self) -> int:
        """Return the hash of the limits, which stay."""
        return hash(self.limits.model_dump_json())

    @property
    def is_limiting(self) -> bool:
        """Whether anything is limited at all."""
        return self.limits.is_limiting

    @property
    def left(self) -> dict[str, float]:
        """What is left of each supply, and reserved for nobody [its unit]; never less than nothing."""
        return dict(zip(self._names, self._left().tolist(), strict=True))

    def reserve(self, candidate_id: str, takes: Mapping[str, float]) -> None:
        """Keep back what the first request of a candidate will take, which is chosen and waits."""
        if takes:
            self._reserved[candidate_id] = takes

    def release(self, candidate_id: str) -> None:
        """Give back what was kept for a candidate, if anything was."""
        self._reserved.pop(candidate_id, None)

    def has_reserved(self, candidate_id: str) -> bool:
        """Tell whether what a request of a candidate takes is kept back for it."""
        return candidate_id in self._reserved

    @property
    def kept_for(self) -> tuple[str, ...]:
        """The candidates for which something is kept back, in the order in which it was."""
        return tuple(self._reserved)

    def use(self, candidate_id: str, takes: Mapping[str, float]) -> None:
        """Count what a request of a candidate takes."""
        self.release(candidate_id)
        if takes:
            self.used.update(takes)
            self._taken[candidate_id] = takes

    def may_ask(self, pool: Pool) -> BoolArray:
        """Return which candidates may be asked for, as far as limits go, shape (n,)."""
        judged = self._following(pool)
        return judged.allowed & (judged.takes <= self._room()).all(axis=1)

    def takes_of(self, pool: Pool, index: int) -> dict[str, float]:
        """Return what a request of a candidate takes, by name of the supply [its unit].

        Of a pool that is not known whole it is what an earlier request of it took.
        """
        if not self._names:
            return {}
        if not pool.is_whole:
            before = self._taken.get(pool.candidate_ids[index], {})
            return {name: before.get(name, 0.0) for name in self._names}
        return dict(zip(self._names, self._following(pool).takes[index].tolist(), strict=True))

    def on_new(self) -> LimitsOnNew:
        """Return what holds for candidates that a policy makes."""
        return LimitsOnNew(self.limits, tuple(self._room().tolist()))

    def lacking(self, takes: Iterable[Mapping[str, float]]) -> str:
        """Return of what too little is left for some requests together, in words; empty where all suffices."""
        wanted: Counter[str] = Counter()
        for each in takes:
            wanted.update(each)
        for name, room in zip(self._names, self._room().tolist(), strict=True):
            if wanted[name] > room:
                return f"too little is left of {name} ({place_of(name)})"
        return ""

    def surely_together(self, pool: Pool, choosable: BoolArray) -> int:
        """Return how many candidates may surely be asked for at once, whichever of them are chosen.

        Args:
            pool: The pool.
            choosable: Which of them may be chosen, each alone, shape (n,).
        """
        amounts, room = self._following(pool).takes[choosable], self._room()
        most = len(amounts)
        for column, left in zip(amounts.T, room, strict=True):
            most = min(most, int(np.searchsorted(np.cumsum(np.sort(column)[::-1]), left, side="right")))
        return most

    def why_not(self, pool: Pool, index: int) -> str:
        """Return why a candidate may not be asked for now, in words; empty where it may."""
        return self._following(pool).reasons[index] or self.lacking([self.takes_of(pool, index)])

    def why_barred(self, pool: Pool, index: int) -> str:
        """Return which rule is against a candidate, whatever is left; empty where none is."""
        return self._following(pool).reasons[index]

    def reasons(self, pool: Pool, indices: Iterable[int]) -> dict[str, int]:
        """Return why candidates may not be asked for, with how many each reason keeps out, the commonest first."""
        told = Counter(reason for index in indices if (reason := self.why_not(pool, index)))
        return dict(sorted(told.items(), key=lambda each: (-each[1], each[0])))

    def changed(self, limits: AskingLimits) -> Asking:
        """Return the same with other limits: what was used up stays used; nothing is kept back yet."""
        now = Asking(limits)
        now.used, now._taken = self.used, self._taken
        return now

    def _left(self) -> FloatArray:
        reserved = self._reserved.values()
        used = np.array([self.used[name] + sum(each.get(name, 0.0) for each in reserved) for name in self._names])
        return np.maximum(self._available - used, 0.0) if self._names else self._available

    def _room(self) -> FloatArray:
        """Return what requests may take still, with what rounding adds."""
        return self._left() + ROUNDING * self._available

    def _following(self, pool: Pool) -> JudgedPool:
        self._judged.follow(pool)
        return self._judged
