"""The memories of instruments that a run keeps in its folder, held as they stood just before the journal was read.

A memory that is older than the journal knows no receipt of a row that the journal lacks. It must not be so old that it
lacks an answer which the journal has: then both are read again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.run_files import DATABASE
from agent.store.read_only import copy_database
from protocols.errors import StoreError

BUSY_TIMEOUT_S: Final = 5.0
"""How long a memory is waited for whose writer is just making its index."""

_PROGRESS: Final = "SELECT progress FROM attempt WHERE attempt_id = ?"

_OPEN: Final = ("received", "started")
"""Progress of attempts that have no answer."""


@dataclass(frozen=True, slots=True)
class HeldMemory:
    """The memory of an instrument at one moment.

    Attributes:
        path: Its file.
        snapshot: A transaction that sees that moment; None where nobody has the file open, and so nothing changes.
    """

    path: Path
    snapshot: sqlite3.Connection | None

    def lacks_answer(self, attempts: Sequence[str], *, unknown: bool = False) -> bool:
        """Tell whether one of some attempts that were answered still waits here.

        Args:
            attempts: Which.
            unknown: Whether one counts that is not known here.
        """
        if self.snapshot is None:
            return False
        found = [self.snapshot.execute(_PROGRESS, (each,)).fetchone() for each in attempts]
        return any((unknown if row is None else row[0] in _OPEN) for row in found)

    def copy_to(self, folder: Path) -> None:
        """Write it into a folder.

        Raises:
            StoreError: When it is damaged.
        """
        copy = folder / self.path.name
        if self.snapshot is None:
            if problem := copy_database(self.path, copy).problem:
                raise StoreError(f"{self.path} is damaged: {problem}", action="restore it from an earlier copy")
            return
        with closing(sqlite3.connect(copy)) as target:
            self.snapshot.backup(target)


@contextmanager
def held_memories(folder: Path) -> Iterator[tuple[HeldMemory, ...]]:
    """Hold the memories in a run folder as they stand now.

    Raises:
        StoreError: When one cannot be read.
    """
    with ExitStack() as opened:
        yield tuple(_held(path, opened) for path in sorted(folder.glob("*.db")) if path.name != DATABASE)


def _held(path: Path, opened: ExitStack) -> HeldMemory:
    if not path.with_name(f"{path.name}-shm").exists():
        return HeldMemory(path, None)
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = opened.enter_context(closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)))
        connection.isolation_level = None
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM attempt LIMIT 1").fetchone()  # from here on it sees this moment
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}", expected="a simulator's memory") from None
    return HeldMemory(path, connection)
