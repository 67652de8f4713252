"""Lets another thread end a run in order: where no signal can reach the one that runs it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator


class Interrupts:
    """Ends what runs, from any thread, once; what begins to run after that ends at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._end: Callable[[], object] | None = None

    def end(self) -> None:
        """Ask what runs to end."""
        with self._lock:
            self._ended, end = True, self._end
        if end is not None:
            end()

    @contextlib.contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Let `end` be called in the event loop of here, when somebody asks for the end meanwhile."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._end = lambda: loop.call_soon_threadsafe(end)
            is_late = self._ended
        if is_late:
            end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None
