"""Progress of a command that takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

ProgressCall = Callable[[str, int, int], None]

QUICK_S: Final = 2.0
"""What takes no longer needs no bar [s]: a person waits so long without wondering."""


LINE_EVERY_S: Final = 10.0
"""Least time between two lines where nobody watches [s]: a log of an hour keeps to a few pages."""


class NowAndThen:
    """Says when a line is worth it where nobody watches: after `QUICK_S`, then every `LINE_EVERY_S`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._next = self._began + QUICK_S

    def is_time(self) -> bool:
        """Whether it is time for a line; the next one is then due later."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + LINE_EVERY_S
        return True

    def seconds(self) -> float:
        """Return how long it has been [s]."""
        return self._clock() - self._began


def lines_now_and_then(write: Callable[[str], None], since: NowAndThen | None = None) -> ProgressCall:
    """Return progress as lines for a log: "campaigns 12/40, 34 s".

    Args:
        write: Takes a line.
        since: Says when; by default from now on.
    """
    since = since or NowAndThen()

    def call(what: str, done: int, total: int) -> None:
        if since.is_time():
            write(f"{what} {done:,}/{total:,}, {since.seconds():.0f} s")

    return call


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Show nothing: a `ProgressCall` for those whom nobody watches."""


def byte_counter(progress: ProgressCall, what: str, total: int) -> Callable[[int], None]:
    """Return what is told of every piece that was read or written [byte]; progress is shown in MiB.

    More than `total` may come, as of a compressed file.
    """
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(f"{what} [MiB]", done >> 20, max(done, total) >> 20)

    return count


def late(progress: ProgressCall, after_s: float = QUICK_S) -> ProgressCall:
    """Return progress that is shown only where it takes longer than that: what is quick shows nothing at all."""
    began = time.monotonic()

    def call(what: str, done: int, total: int) -> None:
        if time.monotonic() - began >= after_s:
            progress(what, done, total)

    return call
