"""End on SIGINT and SIGTERM by asking, once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def ending_on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs in order; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def once() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        end()

    try:
        for number in numbers:
            loop.add_signal_handler(number, once)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread: Ctrl-C raises as usual
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
