"""Reading a run without touching it: while its agent works, after a kill, or from a medium that cannot be written.

A copy is read, of a SQLite file or of a server's tables, so that no lock of a writer is taken, and nothing is changed,
not even by a migration. A file may come from a stranger: nothing in it is carried out, and reading it comes to an end
(`protocols.storage.foreign_file`).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, Float, Integer, LargeBinary, func, select

from agent.campaign.events import Event
from agent.store.migrations import migrate
from agent.store.partial_pool import ReferencedPool, partial_pool
from agent.store.place import elsewhere
from agent.store.server_copy import copy_server
from agent.store.store import Store
from agent.store.tables import ALL_TABLES, BIAS_FAMILY, OBSERVATION, REQUEST, SCHEMA_VERSION
from agent.store.views import DatasetLabels
from protocols.errors import StoreError
from protocols.storage.database import connected, require_database_url, sqlite_url
from protocols.storage.foreign_file import bound_reader, require_plain_tables
from protocols.storage.server_url import DatabaseUrl
from protocols.storage.wal_check import is_damaged

NO_TIME: Final = "0000-00-00"
"""Where a time is only a label, and none is known."""


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """What came of copying a database.

    Attributes:
        pages: Its size [page]; of one on a server [row].
        problem: What is wrong with it; empty when nothing is.
    """

    pages: int
    problem: str = ""


def copy_database(original: Path, copy: Path) -> DatabaseCopy:
    """Copy a SQLite database as one reader sees it, and let SQLite check every page of the copy.

    Whoever has a database open keeps an index of its WAL beside it. Where there is none, nobody has: the files are
    copied as they are, and no index is left behind. Else SQLite copies, in one transaction of a reader.

    Raises:
        StoreError: When there is no such file, or it cannot be read.
    """
    if not original.is_file():
        raise StoreError(
            f"There is no database at {original}", expected="a run folder", action="name another run, or --database"
        )
    wal, index = (original.with_name(original.name + end) for end in ("-wal", "-shm"))
    try:
        if index.exists():
            source = sqlite3.connect(f"{original.resolve().as_uri()}?mode=ro", uri=True)
            with closing(source), closing(sqlite3.connect(copy)) as target:
                source.backup(target)
        elif wal.exists() and is_damaged(wal):
            return DatabaseCopy(
                0, f"{wal.name} is damaged: a frame was changed that was whole when a later one was written"
            )
        else:
            shutil.copyfile(original, copy)
            if wal.exists():
                shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
        with closing(sqlite3.connect(copy)) as target:
            bound_reader(target, copy.stat().st_size)
            require_plain_tables(target, f"The database {original}")
            first = target.execute("PRAGMA integrity_check(1)").fetchone()[0]
            pages = target.execute("PRAGMA page_count").fetchone()[0]
    except sqlite3.Error as error:
        return DatabaseCopy(0, f"SQLite says: {error}")
    except OSError as error:
        raise StoreError(
            f"{error.filename or original} cannot be read ({error.strerror or error})",
            expected="the right to read the run folder, and room for a copy of its database",
        ) from None
    return DatabaseCopy(pages, "" if first == "ok" else f"SQLite says: {first}")


def copy_of_run(
    database: Path, url: DatabaseUrl | None, copy: Path, before: Callable[[], None] = lambda: None
) -> DatabaseCopy:
    """Copy the database of a run, wherever it is.

    Args:
        database: The run folder's own file.
        url: Of another database than that, or than the folder says.
        copy: A new file.
        before: Called just before the moment that is copied.

    Raises:
        StoreError: When there is none, or it cannot be read, or it is on a server and no Entropilot's.
    """
    where = _url_of(database, url)
    file = file_of(where)
    if file is None:
        return DatabaseCopy(copy_server(where, copy, before))
    before()
    return copy_database(file, copy)


@contextmanager
def reading(database: Path, url: DatabaseUrl | None = None) -> Iterator[Connection]:
    """Connect to what a run has written, for reading alone.

    Args:
        database: The run folder's own file.
        url: Of another database than that, or than the folder says.

    Raises:
        StoreError: When it is missing, damaged, no Entropilot's, or of a later version.
    """
    with tempfile.TemporaryDirectory(prefix="entropilot-read-") as scratch:
        copy = Path(scratch) / "copy.db"
        if problem := copy_of_run(database, url, copy).problem:
            raise StoreError(
                f"The database {database} is damaged: {problem}",
                expected="a file as SQLite wrote it",
                action="restore the run folder from a copy",
            )
        with connected(sqlite_url(copy), to_read=True) as connection:
            with connection.begin():
                require_known(connection)
            yield connection


@contextmanager
def reading_journal(database: Path, url: DatabaseUrl | None = None) -> Iterator[tuple[Store, Connection]]:
    """Open what a run has written, for reading its journal; arguments and errors as of `reading`."""
    with reading(database, url) as connection:
        yield Store(connection, _url_of(database, url), DatasetLabels({}, "")), connection


def _url_of(database: Path, url: DatabaseUrl | None) -> DatabaseUrl:
    return elsewhere(database.parent, url) or sqlite_url(database)


def referenced_in(connection: Connection, events: list[Event], stand_ins: int = 1) -> ReferencedPool:
    """Return the candidates that a run has touched, with the families and ids that its dataset gives them.

    Args:
        connection: To its database.
        events: Its journal.
        stand_ins: How many candidates stand for those of a family that it has not touched.

    Raises:
        StoreError: When its dataset has more families than a pool may have.
    """
    columns = (OBSERVATION.c.candidate_id, OBSERVATION.c.family, OBSERVATION.c.source_id)
    rows = connection.execute(select(*columns)).all()
    asked = connection.execute(select(REQUEST.c.candidate_id, REQUEST.c.family).where(REQUEST.c.family != "")).all()
    families = {row.candidate_id: row.family for row in (*asked, *rows)}
    source_ids = {row.candidate_id: row.source_id for row in rows if row.source_id}
    every = connection.execute(select(BIAS_FAMILY.c.family).distinct()).scalars()
    return partial_pool(events, families, every, source_ids, stand_ins)


def file_of(url: DatabaseUrl) -> Path | None:
    """Return the file of a database; None when it is on a server.

    Raises:
        StoreError: When the URL is none of a database.
    """
    parsed = require_database_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(str(parsed.database)) if is_file else None


def require_known(connection: Connection) -> None:
    """Bring a copy to today's schema, and check that it is as Entropilot writes it.

    Raises:
        StoreError: When it is something else.
    """
    migrate(connection, now=NO_TIME)
    _require_columns(connection)


def _require_columns(connection: Connection) -> None:
    """Check that every table has our columns, and every cell the kind that its column is declared with.

    SQLite keeps anything in any column; whoever reads on would trip over it somewhere else.

    Raises:
        StoreError: With the first table or row that is something else.
    """
    for table in ALL_TABLES:
        found = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_xinfo({table.name})")}
        missing = [column.name for column in table.columns if column.name not in found]
        if missing:
            raise _other_table(f"Its table {table.name} has no column {missing[0]}")
        for column in table.columns:
            kinds = [*_kinds_of(column), *(["null"] if column.nullable else [])]
            is_other = func.typeof(column).not_in(kinds)
            row = connection.execute(select(*table.primary_key, func.typeof(column)).where(is_other).limit(1)).first()
            if row is not None:
                *keys, kind = row
                named = ", ".join(f"{each.name} = {key!r}" for each, key in zip(table.primary_key, keys, strict=True))
                raise _other_table(f"Row {named} of its table {table.name} holds a {kind} as {column.name}")


def _kinds_of(column: Column[Any]) -> Sequence[str]:
    """Return what SQLite's `typeof` says of the cells of a column."""
    if isinstance(column.type, Integer):
        return ["integer"]
    if isinstance(column.type, Float):
        return ["real", "integer"]
    return ["blob"] if isinstance(column.type, LargeBinary) else ["text"]


def _other_table(found: str) -> StoreError:
    return StoreError(
        f"This database is not as Entropilot writes it. {found}",
        expected=f"the tables of schema version {SCHEMA_VERSION}, with what it keeps there",
        action="restore the run folder from a copy",
    )
