"""Writes the loop's commits; where the database's server is away, another thread waits, so that the loop goes on.

Until it is back, nothing is received, decided or sent: the link stays up, the view moves, and signals are heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from agent.store.commit import Commit
from agent.store.store import Store
from protocols.errors import DatabaseAway
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery


class Commits:
    """The way into the store.

    Args:
        store: The database.
        now: Wall-clock time as a label.
        poison_guard: Notes what is being handled. A server that is away is no message's fault.
        on_event: Called with a name and what there is to say, for the log.
        on_written: Called with when a commit began and ended [ns since 1970], of each that wrote something.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], str],
        poison_guard: PoisonMessageGuard,
        on_event: Callable[..., Any] = lambda _name, **_told: None,
        on_written: Callable[[int, int], None] = lambda _began, _ended: None,
    ) -> None:
        self._store = store
        self._now = now
        self._poison_guard = poison_guard
        self._on_event = on_event
        self._on_written = on_written

    async def write(self, commit: Commit, deliveries: Sequence[Delivery] = ()) -> None:
        """Write a commit; it is on the disk when this returns.

        Args:
            commit: What to write.
            deliveries: The messages that it is made of.

        Raises:
            DatabaseAway: When its server does not come back in time; whether it was written, the next start finds out.
            StoreError: When the database refuses.
        """
        began = time.time_ns()
        try:
            with self._poison_guard.handling(deliveries):
                self._store.append_at_once(commit, now=self._now())
        except DatabaseAway as away:
            self._on_event("database_away", reason=away.found)
            await self._wait(commit)
            self._on_event("database_back")
        self._poison_guard.clear(deliveries)
        if not commit.is_empty:
            self._on_written(began, time.time_ns())

    async def _wait(self, commit: Commit) -> None:
        """Write it when the server is back; also when cancelled, the other thread has ended when this returns."""
        waiting = asyncio.ensure_future(asyncio.to_thread(self._store.append, commit, now=self._now()))
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self._store.give_up()
            await asyncio.wait([waiting])
            raise
