"""Numbered changes of the schema. A change and the record that it ran are one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, insert, inspect, select
from sqlmodel import SQLModel

from agent.store.tables import ALL_TABLES, MIGRATION, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION
from protocols.errors import StoreError

MIGRATIONS: Final[dict[int, Callable[[Connection], None]]] = {}
"""Version reached -> the change that reaches it from the version before; a new database begins with the last."""


def migrate(connection: Connection, *, now: str) -> None:
    """Bring the database to SCHEMA_VERSION, inside the caller's transaction.

    Raises:
        StoreError: When a later version of Entropilot wrote it, or one before 0.2.0.
    """
    version = current_version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"This database has schema version {version}",
            expected=f"at most {SCHEMA_VERSION}, which this Entropilot knows",
            action="use the newer Entropilot that wrote it",
        )
    if 0 < version < OLDEST_SCHEMA_VERSION:
        raise StoreError(
            f"This database has schema version {version}, which Entropilot 0.1 wrote",
            expected=f"version {OLDEST_SCHEMA_VERSION} or later: the names of events and columns changed with 0.2.0",
            action="finish or look at this campaign with Entropilot 0.1.0, or start it again",
        )
    if version == 0:
        SQLModel.metadata.create_all(connection, tables=list(ALL_TABLES))
        version = SCHEMA_VERSION - 1  # of which nothing is left to be done but the record
    else:
        for target in range(version + 1, SCHEMA_VERSION + 1):
            MIGRATIONS[target](connection)
    for target in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute(insert(MIGRATION).values(version=target, applied_at=now))


def current_version(connection: Connection) -> int:
    """Return the schema version of a database, 0 for an empty one.

    Raises:
        StoreError: When the tables in it are not ours.
    """
    names = set(inspect(connection).get_table_names())
    if not names:
        return 0
    if MIGRATION.name not in names:
        raise StoreError(
            f"The database holds other tables ({', '.join(sorted(names)[:5])})",
            expected="an empty database or one of Entropilot's",
            action="choose another file or URL",
        )
    return max(connection.execute(select(MIGRATION.c.version)).scalars(), default=0)
