"""What waits for a loop: a bounded queue that is taken in batches, and a suspect comes alone.

Many inputs may share one transaction, so a loop takes all that is there, up to a bound. An input that may have killed
an earlier process is handed over in a batch of its own: dying of it then costs no other. Who puts something into a full
inbox waits, so that the link is not read (back-pressure, never a drop).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")


class _Wake:
    """Nothing happened, but look again."""


_WAKE: Final = _Wake()


class Inbox(Generic[Item]):
    """The inputs that wait for one loop, in the order of their coming.

    Args:
        size: Inputs that may wait.
        batch: Most inputs handed over at once.
        is_suspect: Tells whether an input may kill who handles it.
    """

    def __init__(self, *, size: int, batch: int, is_suspect: Callable[[Item], bool]) -> None:
        self._waiting: asyncio.Queue[Item | _Wake] = asyncio.Queue(maxsize=size)
        self._batch = batch
        self._suspects = is_suspect
        self._isolated: Item | _Wake | None = None

    def __len__(self) -> int:
        return self._waiting.qsize()

    async def put(self, item: Item) -> None:
        """Add an input; wait while the inbox is full."""
        await self._waiting.put(item)

    def wake(self) -> None:
        """Let `receive` return, even with nothing."""
        with contextlib.suppress(asyncio.QueueFull):  # full: whoever receives is awake
            self._waiting.put_nowait(_WAKE)

    async def receive(self, wait_s: float | None) -> list[Item]:
        """Return what waits, up to a batch; nothing when none came in time [s, None for ever] or after `wake`."""
        taken: list[Item | _Wake] = []
        if self._isolated is not None:
            taken, self._isolated = [self._isolated], None
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    taken.append(await self._waiting.get())
        self._fill(taken)
        return [item for item in taken if not isinstance(item, _Wake)]

    def _fill(self, taken: list[Item | _Wake]) -> None:
        """Add what waits already, up to the next suspect: that one comes alone the next time."""
        while len(taken) < self._batch and not self._waiting.empty() and not (taken and self._is_suspect(taken[-1])):
            item = self._waiting.get_nowait()
            if self._is_suspect(item):
                self._isolated = item
                return
            taken.append(item)

    def _is_suspect(self, item: Item | _Wake) -> bool:
        return not isinstance(item, _Wake) and self._suspects(item)
