"""Reading a simulator's memory without touching it, as that of a stranger."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect, select

from agent.store.read_only import copy_database
from protocols.errors import StoreError
from protocols.storage.database import connected, sqlite_url
from simulators.outbox import ATTEMPT, ORDER, OUTBOX_VERSION, WITHOUT_RECEIPTS, add_receipts

KNOWN_VERSIONS: Final = (WITHOUT_RECEIPTS, OUTBOX_VERSION)


@contextmanager
def memory_rows(path: Path) -> Iterator[Iterator[Any]]:
    """Open the attempts that a simulator was asked for, oldest first.

    Raises:
        StoreError: When there is no such file, it is damaged, or it is no simulator's memory.
    """
    with tempfile.TemporaryDirectory(prefix="entropilot-memory-") as scratch:
        copy = Path(scratch) / "copy.db"
        if problem := copy_database(path, copy).problem:
            raise StoreError(
                f"{path} is damaged: {problem}", expected="a file as SQLite wrote it", action="restore it from a copy"
            )
        with connected(sqlite_url(copy), to_read=True) as connection, connection.begin():
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in KNOWN_VERSIONS or not inspect(connection).has_table(ATTEMPT.name):
                raise StoreError(
                    f"{path} is no simulator's memory of a version that this Entropilot knows",
                    expected="the file ID.db of a simulator's --memory",
                    action="name another file, or use the Entropilot that wrote it",
                )
            if version == WITHOUT_RECEIPTS:
                add_receipts(connection)
            yield iter(connection.execute(select(ATTEMPT).order_by(ORDER)))
