"""One who watches a run: what is told and waits to be sent, bounded, so that a slow one holds up nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from scenarios.watch.serving.limits import MAX_WAITING


@dataclass(frozen=True, slots=True)
class Told:
    """Something that all who watch a run are told.

    Attributes:
        text: As it is sent.
        after: Of points: the row of the journal that they follow; None of everything else.
        to: Of points: the row up to which everything is told then.
        is_last: Whether nothing is told after it.
    """

    text: bytes
    after: int | None = None
    to: int | None = None
    is_last: bool = False


@dataclass(slots=True, eq=False)
class Viewer:
    """One who watches.

    Attributes:
        is_slow: Whether more waited for it than may: it is told nothing more.
    """

    is_slow: bool = False
    _waiting: deque[Told] = field(default_factory=deque)
    _something: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, told: Told) -> None:
        """Let something wait for it."""
        if len(self._waiting) >= MAX_WAITING:
            self.is_slow = True
            self._waiting.clear()
        if not self.is_slow:
            self._waiting.append(told)
        self._something.set()

    async def next(self) -> Told | None:
        """Return what it is told next; None once it was too slow."""
        while not self._waiting and not self.is_slow:
            self._something.clear()
            await self._something.wait()
        return None if self.is_slow else self._waiting.popleft()
