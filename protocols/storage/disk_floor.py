"""A floor of free disk: who writes there waits before the disk is full, and goes on when there is room again.

A database whose disk is full fails in the middle of its work; the floor leaves it room to end what it has begun.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

FLOOR_MB: Final = 64
"""Free space below which we wait [MB]: what a hundred thousand results write, and a database's copy of its index."""

LARGEST_SHARE: Final = 1 / 8
"""The floor of a small disk is this part of it: one of 100 MB would never have 64 free."""

ROOM: Final = 1.25
"""There is room again at so many times the floor: at the floor itself it would come and go with every file."""

LOOK_EVERY_S: Final = 0.5
"""How often the disk is asked, and a wait looks whether it may end: a fast disk writes 200 MB meanwhile at worst."""

MB: Final = 1_000_000


def free_and_total(folder: Path) -> tuple[int, int]:
    """Return how much of the disk under a folder we may still write, and how large it is [byte].

    Raises:
        OSError: When it cannot be asked.
    """
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


class DiskFloor:
    """Watches the disk under a folder.

    Args:
        folder: Where is written; None for nowhere: there is always room.
        floor_mb: Free space below which is waited [MB]; 0: never.
        on_change: Told why it is waited, or "" when there is room again.
        usage: Returns free space and size of the disk under a folder [byte].
        clock: Monotonic time [s].

    Attributes:
        reason: Why it is waited; "" while there is room.
    """

    def __init__(
        self,
        folder: Path | None,
        floor_mb: float = FLOOR_MB,
        *,
        on_change: Callable[[str], None] = lambda _reason: None,
        usage: Callable[[Path], tuple[int, int]] = free_and_total,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reason = ""
        self._folder = folder
        self._floor_bytes = floor_mb * MB
        self._on_change = on_change
        self._usage = usage
        self._clock = clock
        self._looked_s: float | None = None

    async def wait_for_room(self, *, unless: Callable[[], bool]) -> bool:
        """Wait while the disk is nearly full, unless we are to end; return whether there was anything to wait for."""
        if not self._is_low():
            return False
        while self._is_low() and not unless():  # noqa: ASYNC110 - a disk tells nobody
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    def _is_low(self) -> bool:
        now = self._clock()
        if self._folder is None or (self._looked_s is not None and now - self._looked_s < LOOK_EVERY_S):
            return bool(self.reason)
        self._looked_s = now
        try:
            free, total = self._usage(self._folder)
        except OSError:
            return False  # who writes there is told more
        floor = min(self._floor_bytes, LARGEST_SHARE * total)
        needed = floor * (ROOM if self.reason else 1.0)
        self._tell("" if free >= needed else _in_words(self._folder, free, floor * ROOM))
        return bool(self.reason)

    def _tell(self, reason: str) -> None:
        has_changed = bool(reason) != bool(self.reason)
        self.reason = reason
        if has_changed:
            self._on_change(reason)


def _in_words(folder: Path, free: int, needed: float) -> str:
    return (
        f"the disk under {folder} has {free / MB:,.1f} MB free, and {needed / MB:,.1f} MB are needed to go on; "
        "free space there, and it goes on by itself"
    )
