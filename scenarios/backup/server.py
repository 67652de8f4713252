"""Puts the journal of a backup into an empty database on a server, in one transaction; the run folder remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from agent.run_files import DATABASE
from agent.store.migrations import current_version
from agent.store.place import DatabasePlace, write_place
from agent.store.read_only import file_of
from agent.store.tables import ALL_TABLES
from protocols.errors import StoreError
from protocols.storage.database import connected, sqlite_url, store_error
from protocols.storage.server import hold_server_lock
from protocols.storage.server_url import DatabaseUrl, shown_url
from scenarios.backup.manifest import Manifest

ROWS_AT_ONCE: Final = 1_000
"""Rows in memory while a table is written."""

GO_ON: Final = (
    "SELECT setval(pg_get_serial_sequence('quarantine', 'row'), max(row)) FROM quarantine HAVING max(row) IS NOT NULL"
)
"""Lets the server number further rows after those that were put there; the one table that it numbers."""


def fill_server(folder: Path, url: DatabaseUrl, manifest: Manifest) -> None:
    """Move the journal of a run folder into a database on a server.

    Args:
        folder: With the database as a file, which is gone afterwards, and a word where it is instead.
        url: Of the database on the server.
        manifest: Whose it is.

    Raises:
        StoreError: When it is no server's, is not empty, or refuses.
    """
    if file_of(url) is not None:
        raise StoreError(
            f"{shown_url(url)} is a file, and the run folder has its own",
            expected="a database on a server, such as postgresql+psycopg://user@host/name",
            action="leave --database out",
        )
    file = folder / DATABASE
    with connected(url) as target:
        try:
            with target.begin(), connected(sqlite_url(file), to_read=True) as source, source.begin():
                hold_server_lock(target)
                _require_empty(target, url)
                SQLModel.metadata.create_all(target, tables=list(ALL_TABLES))
                for table in ALL_TABLES:
                    _copy(table, source, target)
                target.exec_driver_sql(GO_ON)
                place = DatabasePlace.of(target, url, manifest.uid)
        except DBAPIError as error:
            raise store_error(error, url, lost=error.connection_invalidated) from None
    write_place(folder, place)
    for each in folder.glob(f"{DATABASE}*"):
        each.unlink(missing_ok=True)


def _require_empty(target: Connection, url: DatabaseUrl) -> None:
    if current_version(target):
        raise StoreError(
            f"The database {shown_url(url)} holds a campaign already, and a backup overwrites nothing",
            expected="an empty database, or an empty schema of one",
            action="make one, such as with `createdb`, and name it with --database",
        )


def _copy(table: Table, source: Connection, target: Connection) -> None:
    for part in source.execute(select(table)).mappings().partitions(ROWS_AT_ONCE):
        target.execute(insert(table), [dict(row) for row in part])
