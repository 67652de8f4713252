"""Copies a campaign from a server into a file, in one snapshot: what is read there is read once and as one moment.

So a campaign can be looked at while its agent works, nothing on the server is changed or held, and what is made for
files works for servers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from agent.store.migrations import current_version
from agent.store.tables import ALL_TABLES, SCHEMA_VERSION
from protocols.errors import StoreError
from protocols.storage.database import connected, sqlite_url, store_error
from protocols.storage.server import answered_in_time
from protocols.storage.server_url import DatabaseUrl, shown_url

ROWS_AT_ONCE: Final = 1_000
"""Rows in memory while a table is copied."""

COPY_TIMEOUT_S: Final = 600.0
"""How long a copy may take in all: a journal of a million rows takes a minute."""

STATEMENT_TIMEOUT: Final = "120s"
"""How long the server may work on one question."""


def copy_server(url: DatabaseUrl, copy: Path, before: Callable[[], None] = lambda: None) -> int:
    """Copy the tables of a campaign; return how many rows they have.

    Args:
        url: Of the database on the server.
        copy: A new file.
        before: Called just before the moment that is copied.

    Raises:
        DatabaseAway: When the server cannot be reached.
        StoreError: When the database is none of a campaign, or of another version.
    """
    with connected(url) as source:
        source.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with answered_in_time(source, COPY_TIMEOUT_S), source.begin():
            source.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
            before()
            _require_campaign(source, url)  # whose first question takes the snapshot
            with connected(sqlite_url(copy)) as target, target.begin():
                SQLModel.metadata.create_all(target, tables=list(ALL_TABLES))
                return sum(_copied(table, source, target, url) for table in ALL_TABLES)


def _require_campaign(source: Connection, url: DatabaseUrl) -> None:
    version = current_version(source)
    missing = sorted({table.name for table in ALL_TABLES} - set(inspect(source).get_table_names()))  # views are none
    if version == SCHEMA_VERSION and not missing:
        return
    found = f"has schema version {version}" if version else "is empty"
    if version == SCHEMA_VERSION:
        found = f"lacks the tables {', '.join(missing)}"
    raise StoreError(
        f"The database {shown_url(url)} {found}",
        expected=f"the database of a campaign, of version {SCHEMA_VERSION}",
        action="give the --database that the run was given, and the version of Entropilot that wrote it",
    )


def _copied(table: Table, source: Connection, target: Connection, url: DatabaseUrl) -> int:
    columns = [column.name for column in table.columns]
    number = 0
    try:
        question = select(table).compile(dialect=source.dialect)
        source.exec_driver_sql(f"DECLARE copied NO SCROLL CURSOR FOR {question}")
        while part := source.exec_driver_sql(f"FETCH {ROWS_AT_ONCE} FROM copied").all():
            target.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in part])
            number += len(part)
        source.exec_driver_sql("CLOSE copied")
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise store_error(error, url, lost=error.connection_invalidated) from None
        raise StoreError(
            f"The table {table.name} of the database {shown_url(url)} is not as Entropilot made it: {error.orig}",
            expected="tables that only Entropilot has written to",
            action="restore the database from a copy",
        ) from None
    return number
