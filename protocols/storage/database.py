"""One engine, one writer: how the database is opened, and what is read back before it is trusted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Executable, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from protocols.errors import StoreError, invariant
from protocols.storage.foreign_file import bound_reader, require_plain_tables
from protocols.storage.server import connect_arguments, opened_in_time, prepare_session, server_error
from protocols.storage.server_url import DatabaseUrl, has_stray_at, parsed_url, shown_url
from protocols.storage.wal_check import is_damaged

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a commit waits for another process that reads or copies the file."""

FULL_BELOW_BYTES: Final = 64 * 1024
"""Less free space than this is a full disk: SQLite makes the index of a WAL 32 KiB at a time."""

KNOWN_DATABASES: Final = frozenset({"sqlite", "postgresql"})
"""What our tables run on."""

SQLITE_SETTINGS: Final = {
    "journal_mode": "wal",  # readers do not block the writer
    "synchronous": 2,  # FULL: a committed row survives a power cut; NORMAL loses the last ones
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
    "trusted_schema": 0,  # a tampered file cannot run functions through its schema
    "cell_size_check": 1,  # finds a damaged page when it is read, not when it is too late
}
"""Pragmas with the value that SQLite must answer."""


def sqlite_url(path: Path) -> URL:
    """Return the URL of a SQLite file, made of its parts: a path may hold whatever means something in a URL."""
    return URL.create("sqlite", database=str(path))


def require_database_url(url: DatabaseUrl) -> URL:
    """Return a URL taken apart, of a database that we know and have the driver of; nothing is opened.

    Raises:
        StoreError: When it is none.
    """
    parsed = parsed_url(url)
    if parsed is None or parsed.get_backend_name() not in KNOWN_DATABASES:
        raise StoreError(
            f"{shown_url(url)!r} is no URL of a database that Entropilot can use",
            expected="sqlite:///FILE or postgresql+psycopg://user@host/name",
            action="correct --database, or leave it out for the run folder's own",
        )
    if has_stray_at(url):
        raise StoreError(
            "The URL of the database has an @ where none belongs",
            expected="postgresql+psycopg://user@host/name; in a password @ : / ? # % are percent-encoded",
            action="leave the password out of --database and put it into ~/.pgpass or PGPASSWORD",
        )
    try:
        parsed.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(
            f"The driver of {shown_url(url)} is not there ({error})",
            expected="sqlite:///FILE or postgresql+psycopg://…",
            action="correct --database; for PostgreSQL, pip install 'entropilot[postgres]'",
        ) from None
    return parsed


def open_engine(url: DatabaseUrl, *, to_read: bool = False) -> Engine:
    """Open the database with one connection whose transactions begin at once (BEGIN IMMEDIATE on SQLite).

    Args:
        url: Where it is.
        to_read: Whether it is a file that a stranger may have made, opened to read it: with limits and a bound of time
            (`protocols.storage.foreign_file`).

    Raises:
        StoreError: When it cannot be opened, is damaged, holds more than tables, or does not take our settings.
    """
    parsed = require_database_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite:
        _require_whole_wal(url)
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        if to_read:
            event.listen(engine, "connect", lambda connection, _record: bound_reader(connection, _size_of(url)))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(parsed, connect_args=connect_arguments(parsed))
        event.listen(engine, "connect", prepare_session)
    try:
        with nullcontext() if sqlite else opened_in_time(engine), engine.connect() as connection:
            if sqlite:
                _read_back(connection)
                _require_plain(connection, url)
                _require_whole(connection, url)
    except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
        engine.dispose()
        raise store_error(error, url) from None
    except StoreError:
        engine.dispose()
        raise
    return engine


def store_error(error: Exception, where: DatabaseUrl, *, lost: bool = False) -> StoreError:
    """Return a database's error as one that a person can act on.

    Args:
        error: SQLAlchemy's, or the driver's own.
        where: URL of the database.
        lost: Whether the connection to its server is gone.
    """
    reason = str(getattr(error, "orig", error))
    if make_url(where).get_backend_name() != "sqlite":
        return server_error(getattr(error, "orig", error), shown_url(where), lost=lost)
    if isinstance(error, UnicodeDecodeError):  # of the damaged text that SQLite quotes
        reason = f"its schema is malformed ({reason})"
    if "disk I/O error" in reason and _is_full(where):
        reason += " (the disk is full)"  # a WAL's index that cannot grow is told as an I/O error
    actions = {
        "disk is full": "free space on this disk, then run again with --resume; nothing that was committed is lost",
        "disk I/O error": "check the disk, then run again with --resume; nothing that was committed is lost",
        "not a database": "this file is something else or is damaged; restore it from a copy",
        "malformed": "the file is damaged; restore it from a copy",
        "locked": "another program holds the database; end it, then run again with --resume",
        "unable to open": "check that the folder exists and can be written",
        "readonly": "check the permissions of the file and its folder",
        "interrupted": "reading it takes longer than a file of this size can; take it from somebody whom you trust",
    }
    action = next((advice for sign, advice in actions.items() if sign in reason), "run again with --resume")
    return StoreError(f"The database {shown_url(where)} failed: {reason}", action=action)


def _is_full(url: DatabaseUrl) -> bool:
    database = make_url(url).database
    try:
        return bool(database) and shutil.disk_usage(Path(str(database)).parent).free < FULL_BELOW_BYTES
    except OSError:
        return False  # the folder itself is out of reach: the error that we have says more


@contextmanager
def opening(url: DatabaseUrl, *, to_read: bool = False) -> Iterator[Connection]:
    """Connect for good: the connection stays open when the block ends well, and is released when it does not.

    Args:
        url: Where the database is.
        to_read: As of `open_engine`.

    Raises:
        StoreError: When the database cannot be opened or prepared.
    """
    connection = open_engine(url, to_read=to_read).connect()
    try:
        yield connection
    except BaseException as error:
        connection.close()
        connection.engine.dispose()
        if isinstance(error, DBAPIError):
            raise store_error(error, url, lost=error.connection_invalidated) from None
        raise


@contextmanager
def connected(url: DatabaseUrl, *, to_read: bool = False) -> Iterator[Connection]:
    """Connect for the block: the connection is released at its end; arguments and errors as of `opening`."""
    with opening(url, to_read=to_read) as connection:
        yield connection
        connection.close()
        connection.engine.dispose()


@contextmanager
def transaction(connection: Connection, where: DatabaseUrl) -> Iterator[None]:
    """Run one transaction; a database's error becomes one that a person can act on.

    Raises:
        StoreError: When the database refuses; nothing of the transaction is kept.
    """
    invariant(not connection.in_transaction(), "a transaction inside a transaction")
    try:
        with connection.begin():
            yield
    except Exception as error:
        driver: Any = connection.dialect.loaded_dbapi
        if isinstance(error, DBAPIError | driver.Error):
            raise store_error(error, where, lost=connection.invalidated) from None
        raise


class Statements:
    """Runs statements of constant text, each compiled once, on the driver's own cursor.

    SQLAlchemy builds a cache key and a result at every execution, which costs more than SQLite's own work; the loop
    runs the same dozen statements for every result. The transaction stays SQLAlchemy's.

    Args:
        connection: Where they run; the caller keeps the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._compiled: dict[int, tuple[Executable, str, list[str] | None]] = {}

    def use(self, connection: Connection) -> None:
        """Run on another connection, to the same database, from here on."""
        self._connection = connection

    def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> DBAPICursor:
        """Execute a module-level statement once for every row of parameters; return the driver's cursor.

        Args:
            statement: Whose parameters are named `bindparam`s (an `insert` has them by itself).
            rows: Parameters, at least one row.
        """
        known = self._compiled.get(id(statement))
        if known is None:
            compiled: Any = statement.compile(dialect=self._connection.dialect)  # type: ignore[attr-defined]
            known = (statement, str(compiled), compiled.positiontup)  # held, so that its id is nobody else's
            self._compiled[id(statement)] = known
        _, sql, positions = known
        parameters: Any = rows if positions is None else [tuple(row[name] for name in positions) for row in rows]
        cursor = self._connection.connection.cursor()
        if len(rows) == 1:
            cursor.execute(sql, parameters[0])
        else:
            cursor.executemany(sql, parameters)
        return cursor


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    for name, value in SQLITE_SETTINGS.items():
        connection.execute(f"PRAGMA {name}={value}")


def _begin_immediate(connection: Any) -> None:
    """Begin on the driver's own connection: as a statement of SQLAlchemy's it takes ten times as long as in SQLite."""
    driver_connection = connection.connection.driver_connection
    try:
        driver_connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


def _require_plain(connection: Any, url: DatabaseUrl) -> None:
    """Refuse what SQLite would carry out by itself, before it checks the pages: that alone computes every CHECK."""
    require_plain_tables(connection.connection.driver_connection, f"The database {shown_url(url)}")


def _size_of(url: DatabaseUrl) -> int:
    file = Path(str(make_url(url).database))
    return file.stat().st_size if file.is_file() else 0


def _require_whole(connection: Any, url: DatabaseUrl) -> None:
    """Refuse a damaged file before it is written to: SQLite itself notices damage only where it happens to read.

    The whole check, with each index held against its table, takes 0.1 s longer than the quick one for 200,000 rows.
    """
    found = connection.execute(text("PRAGMA integrity_check(1)")).scalar()
    if found != "ok":
        raise StoreError(
            f"The database {shown_url(url)} is damaged: {str(found).splitlines()[-1]}",
            expected="a file as SQLite wrote it",
            action="restore the folder from a copy",
        )


def _require_whole_wal(url: DatabaseUrl) -> None:
    """Refuse a damaged WAL before SQLite opens it: it would cut it off there, with what was committed behind it."""
    database = make_url(url).database
    wal = Path(f"{database}-wal")
    if database and wal.is_file() and is_damaged(wal):
        raise StoreError(
            f"{wal} is damaged: a frame was changed that was whole when a later one was written",
            expected="a file as SQLite wrote it",
            action="restore the folder from a copy; to go on without what stands behind the damage, remove this file",
        )


def _read_back(connection: Any) -> None:
    for name, expected in SQLITE_SETTINGS.items():
        found = connection.execute(text(f"PRAGMA {name}")).scalar()
        if found != expected:
            raise StoreError(
                f"SQLite answers {name} = {found!r}",
                expected=f"{expected!r}, without which a committed result could be lost",
                action="put the run folder on a local disk (network file systems are not supported)",
            )
