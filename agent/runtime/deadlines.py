"""When an attempt has had its time: monotonic seconds, kept in memory, started again with every connection.

A restart or a reconnect gives every attempt the whole time again: nobody could answer meanwhile. So does the return of
its recipient, and an answer of that recipient to an earlier attempt: a queue that moves has not failed. So does a time
in which this process did not run, for what was answered then still waits on the link; but once, or a machine that is
always late would wait for ever.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Iterable
from typing import Final

from agent.campaign.events import AttemptFailed, Event, LateResultKept, ResultAccepted
from agent.campaign.state import Campaign

STALE_FACTOR: Final = 16
"""The heap is made again when it holds so many times what is awaited: memory stays bounded, the work is rare."""


OVERSLEPT_S: Final = 1.0
"""A deadline that is found passed so long ago passed while we did not run: suspended, or starved by others."""


class Deadlines:
    """Deadlines of attempts.

    Args:
        timeout_s: Time that each attempt gets [s].
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._due: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        """When each attempt was asked for, the last time."""
        self._heap: list[tuple[float, str]] = []
        self._excused: set[str] = set()

    def start(self, attempt_ids: Iterable[str], now: float) -> None:
        """Give attempts the whole time from now."""
        for attempt_id in attempt_ids:
            self._excused.discard(attempt_id)
            self._asked[attempt_id] = now
            self._set(attempt_id, now)

    def move_up(self, campaign: Campaign, events: Iterable[Event], now: float) -> None:
        """Give those the whole time again that stood behind an answered attempt in the queue of one recipient.

        What was asked for in the same moment stands behind it too, for nobody knows in which order it arrived. A
        repeated answer makes no event, so that each attempt ahead counts a bounded number of times.

        Args:
            campaign: The state after the events.
            events: What the last transaction made.
            now: Monotonic time [s].
        """
        first: dict[str, float] = {}
        for event in events:
            if isinstance(event, ResultAccepted | AttemptFailed | LateResultKept):
                recipient = campaign.attempts[event.attempt_id].recipient
                asked = self._asked.get(event.attempt_id, -math.inf)  # it had expired: long ago
                first[recipient] = min(first.get(recipient, asked), asked)
        if not first:
            return
        for attempt in campaign.in_flight.values():
            asked_s = self._asked.get(attempt.attempt_id)
            if asked_s is not None and asked_s >= first.get(attempt.recipient, math.inf):
                self._set(attempt.attempt_id, now)

    def clear(self) -> None:
        """Stop all clocks."""
        self._due.clear()
        self._asked.clear()
        self._heap.clear()
        self._excused.clear()

    def keep_only(self, attempt_ids: Container[str]) -> None:
        """Forget the attempts that are no longer awaited."""
        for attempt_id in [known for known in self._due if known not in attempt_ids]:
            self._forget(attempt_id)
        if len(self._heap) > STALE_FACTOR * (len(self._due) + 1):  # one slow attempt on top keeps the stale ones below
            self._heap = [(due, attempt_id) for attempt_id, due in self._due.items()]
            heapq.heapify(self._heap)

    def wait_s(self, now: float) -> float | None:
        """Return the time to the next deadline [s], or None without one."""
        self._drop_stale()
        return max(0.0, self._heap[0][0] - now) if self._heap else None

    def pop_due(self, now: float) -> list[str]:
        """Return the attempts whose time is over, earliest first, and forget them."""
        due = []
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now:
            at, attempt_id = heapq.heappop(self._heap)
            if now - at > OVERSLEPT_S and attempt_id not in self._excused:
                self._excused.add(attempt_id)
                self._set(attempt_id, now)
            else:
                self._forget(attempt_id)
                due.append(attempt_id)
            self._drop_stale()
        return due

    def _set(self, attempt_id: str, now: float) -> None:
        self._due[attempt_id] = now + self._timeout_s
        heapq.heappush(self._heap, (now + self._timeout_s, attempt_id))

    def _forget(self, attempt_id: str) -> None:
        del self._due[attempt_id]
        del self._asked[attempt_id]
        self._excused.discard(attempt_id)

    def _drop_stale(self) -> None:
        """Drop the entries at the top that were renewed or forgotten."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
