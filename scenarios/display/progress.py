"""Progress of a command that takes its time."""

from __future__ import annotations

from collections.abc import Callable

ProgressCall = Callable[[str, int, int], None]


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
