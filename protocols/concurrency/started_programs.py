"""The programs that a child has started: found by a mark in their environment, also when they have left its group.

A program that makes itself a daemon (it forks twice and begins a session of its own) gets away from a process group,
but not from the environment that it inherited; only one that begins with another environment does. The mark is read
from `/proc`, where the system has that; elsewhere the group alone counts.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MARK: Final = "ENTROPILOT_CHILD"
"""Variable that holds the mark of a child, and of all that it starts."""

ROUNDS: Final = 20
"""How often is looked: what forked while we looked is found by the next round, and each takes a millisecond."""

_PROC: Final = Path("/proc")


def new_mark() -> str:
    """Return a mark that no other child has."""
    return secrets.token_hex(8)


def kill_marked(mark: str) -> None:
    """Kill every process of ours that has the mark, until none is left."""
    for _ in range(ROUNDS):
        found = list(_marked(f"{MARK}={mark}".encode()))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _marked(entry: bytes) -> Iterator[int]:
    """Yield the processes that live and have the entry in their environment."""
    with contextlib.suppress(FileNotFoundError), os.scandir(_PROC) as listed:
        for each in listed:
            # Of others than ourselves it cannot be read, and one that has ended has none.
            with contextlib.suppress(OSError):
                if each.name.isdigit() and entry in Path(each.path, "environ").read_bytes().split(b"\0"):
                    yield int(each.name)
