"""End on SIGINT and SIGTERM by asking, once.

A process that is started with SIGINT ignored goes on ignoring it: a job in the background (`nohup`, `&` in a script) is
not meant when somebody types Ctrl-C in its terminal. SIGTERM always ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


def ending_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask this process to end: SIGTERM, and SIGINT unless who started it had it ignored."""
    interrupts = () if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else (signal.SIGINT,)
    return (*interrupts, signal.SIGTERM)


@contextlib.contextmanager
def ending_on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs in order; a second one does what it did before."""
    loop = asyncio.get_running_loop()
    numbers = ending_signals()
    before = {number: signal.getsignal(number) for number in numbers}

    def let_go() -> None:
        for number in numbers:
            if loop.remove_signal_handler(number):
                signal.signal(number, before[number])  # the loop puts Python's own in its place

    def once() -> None:
        let_go()
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
        let_go()
