"""What is to be told, to whom, and when again: each alert to each destination until it is taken, with back-off.

Nothing waits here: who holds it takes what is due, tries it elsewhere, and says what came of it. What was not taken in
the end, or has no room, is given up, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from scenarios.observe.alerts.occurrences import Alert, Pending
from scenarios.observe.alerts.settings import Destination

FIRST_PAUSE_S: Final = 2.0
"""After the first failure [s]; then twice as long each time."""

LONGEST_PAUSE_S: Final = 600.0

MOST_TRIES: Final = 16
"""Tries of one delivery: they take about an hour and a half; who is away longer looks at the page."""

MAX_WAITING: Final = 1_000
"""Deliveries that may wait; a further one is given up."""


@dataclass(slots=True)
class Delivery:
    """An alert on its way to one destination."""

    alert: Alert
    to: Destination
    due_s: float
    tries: int = 0
    is_under_way: bool = False


class AlertOutbox:
    """The deliveries that are not done."""

    def __init__(self) -> None:
        self.given_up = 0
        self._waiting: list[Delivery] = []

    @property
    def waiting(self) -> int:
        """How many are not done."""
        return len(self._waiting)

    def put(self, alerts: Iterable[Alert], destinations: Iterable[Destination], now_s: float) -> None:
        """Take alerts, for all that want their kind.

        Args:
            alerts: What is to be told.
            destinations: Whom.
            now_s: The time [s, monotonic].
        """
        destinations = tuple(destinations)
        for alert in alerts:
            for to in destinations:
                if to.on and alert.kind not in to.on:
                    continue
                if len(self._waiting) >= MAX_WAITING:
                    self.given_up += 1
                else:
                    self._waiting.append(Delivery(alert, to, now_s))

    def resume(self, pending: Iterable[Pending], destinations: Iterable[Destination], now_s: float) -> None:
        """Take what an earlier process had not told; a destination that is no more gets nothing."""
        named = {each.name: each for each in destinations}
        for each in pending:
            if each.to in named and len(self._waiting) < MAX_WAITING:
                self._waiting.append(Delivery(each.alert, named[each.to], now_s, each.tries))

    def pending(self) -> list[Pending]:
        """Return what is not told yet."""
        return [Pending(alert=each.alert, to=each.to.name, tries=each.tries) for each in self._waiting]

    def due(self, now_s: float) -> Iterator[Delivery]:
        """Yield the deliveries that are to be tried now, each marked as under way."""
        for each in self._waiting:
            if not each.is_under_way and each.due_s <= now_s:
                each.is_under_way = True
                yield each

    def wait_s(self, now_s: float) -> float | None:
        """Return how long nothing is due [s]; None where nothing waits but what is under way."""
        dues = [each.due_s for each in self._waiting if not each.is_under_way]
        return max(0.0, min(dues) - now_s) if dues else None

    def taken(self, delivery: Delivery) -> None:
        """Note that a destination was told."""
        self._waiting.remove(delivery)

    def failed(self, delivery: Delivery, now_s: float) -> bool:
        """Note that a destination was not told; return whether it is tried again.

        Args:
            delivery: Which.
            now_s: The time [s, monotonic].
        """
        delivery.tries += 1
        delivery.is_under_way = False
        if delivery.tries >= MOST_TRIES:
            self._waiting.remove(delivery)
            self.given_up += 1
            return False
        delivery.due_s = now_s + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (delivery.tries - 1))
        return True
