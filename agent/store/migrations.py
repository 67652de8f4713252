"""Numbered changes of the schema. A change and the record that it ran are one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, inspect, select, update
from sqlmodel import SQLModel

from agent.entropy.bias import coverage, evenness
from agent.store.tables import ALL_TABLES, BIAS_FAMILY, BIAS_POINT, MIGRATION, SCHEMA_VERSION
from protocols.errors import StoreError


def _evenness_and_coverage(connection: Connection) -> None:
    """Version 2: two more figures of every bias point, from its families' sizes and entropies, which are there."""
    for column in ("evenness FLOAT", "coverage FLOAT DEFAULT '0' NOT NULL"):
        connection.exec_driver_sql(f"ALTER TABLE bias_point ADD COLUMN {column}")
    observations = (
        connection.execute(select(BIAS_POINT.c.observation).order_by(BIAS_POINT.c.observation)).scalars().all()
    )
    rows = connection.execute(select(BIAS_FAMILY).order_by(BIAS_FAMILY.c.observation, BIAS_FAMILY.c.family)).all()
    known: dict[str, tuple[int, float | None]] = {}
    figures: list[dict[str, Any]] = []
    at = 0
    for observation in observations:
        while at < len(rows) and rows[at].observation <= observation:
            known[rows[at].family] = (rows[at].size, rows[at].entropy)
            at += 1
        families = [known[family] for family in sorted(known)]
        even, covered = evenness([h for _, h in families]), coverage([size for size, _ in families])
        figures.append({"which": observation, "even": even, "covered": covered})
    if figures:
        changed = update(BIAS_POINT).where(BIAS_POINT.c.observation == bindparam("which"))
        connection.execute(changed.values(evenness=bindparam("even"), coverage=bindparam("covered")), figures)


MIGRATIONS: Final[dict[int, Callable[[Connection], None]]] = {2: _evenness_and_coverage}
"""Version reached -> the change that reaches it from the version before; a new database begins with the last."""


def migrate(connection: Connection, *, now: str) -> None:
    """Bring the database to SCHEMA_VERSION, inside the caller's transaction.

    Raises:
        StoreError: When a later version of Entropilot wrote it.
    """
    version = current_version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"This database has schema version {version}",
            expected=f"at most {SCHEMA_VERSION}, which this Entropilot knows",
            action="use the newer Entropilot that wrote it",
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
