"""Progress of a command that takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

ProgressCall = Callable[[str, int, int], None]

QUICK_S: Final = 2.0
"""What takes no longer needs no bar [s]: a person waits so long without wondering."""


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
