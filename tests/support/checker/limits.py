"""The checker's own account of limits: which candidates may be chosen, and what requests may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.acquisition.base import PoolArrays

Json = Mapping[str, Any]

SLACK = 1e-6
"""Share of what there is that sums of amounts may pass it by."""


class LimitsAccount:
    """What a plan limits, and what was used up.

    Args:
        limits: Of the plan; nothing in journals of old.
    """

    def __init__(self, limits: Json | None = None) -> None:
        told = limits or {}
        self.ranges: Json = told.get("parameters") or {}
        self.supplies: dict[str, Json] = dict(told.get("stock") or {})
        if told.get("cost"):
            self.supplies["cost"] = told["cost"]
        self.used: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self.ranges or self.supplies)

    def use(self, takes: Mapping[str, float]) -> Iterator[str]:
        """Count what a request takes; yield what is wrong with it."""
        if takes.keys() != self.supplies.keys():
            yield f"takes {sorted(takes)}, and the plan counts {sorted(self.supplies)}"
        self.used.update(takes)
        for name, supply in self.supplies.items():
            if self.used[name] > supply["available"] * (1 + SLACK):
                yield f"{self.used[name]:g} of {name} are taken, and there are {supply['available']:g}"

    def choosable(self, pool: PoolArrays, available: Sequence[int], waiting: Iterable[int]) -> list[int]:
        """Return which of the available candidates may be chosen.

        Args:
            pool: The candidates as they are now.
            available: Which have no decision.
            waiting: Which are chosen, and were never asked for.
        """
        room = self._room(pool, waiting)
        return [at for at in available if self._in_range(pool, at) and self._fits(self._takes(pool, at), room)]

    def together(self, pool: PoolArrays, choosable: Sequence[int], waiting: Iterable[int]) -> int:
        """Return how many of them may be asked for at once, whichever they are."""
        room, count = self._room(pool, waiting), len(choosable)
        for name in self.supplies:
            dearest = sorted((self._takes(pool, at)[name] for at in choosable), reverse=True)
            while count > 0 and sum(dearest[:count]) > room[name]:
                count -= 1
        return count

    def _in_range(self, pool: PoolArrays, at: int) -> bool:
        row = dict(zip(pool.feature_names, pool.features[at].tolist(), strict=True))
        return all(low <= row[name] <= high for name, (low, high) in self.ranges.items())

    def _takes(self, pool: PoolArrays, at: int) -> dict[str, float]:
        row = dict(zip(pool.feature_names, pool.features[at].tolist(), strict=True))
        return {
            name: each["per_request"] + row.get(each.get("column") or "", 0.0) for name, each in self.supplies.items()
        }

    def _room(self, pool: PoolArrays, waiting: Iterable[int]) -> dict[str, float]:
        kept = sum((Counter(self._takes(pool, at)) for at in waiting), Counter[str]())
        return {
            name: each["available"] * (1 + SLACK) - self.used[name] - kept[name] for name, each in self.supplies.items()
        }

    def _fits(self, takes: Mapping[str, float], room: Mapping[str, float]) -> bool:
        return all(amount <= room[name] for name, amount in takes.items())
