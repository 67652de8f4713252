"""Short transactions of a reader on the database of a run: each tells one moment, and nothing is written or held.

| what is there | how the file is read |
|---|---|
| an index of the WAL (`-shm`) | as a reader beside the writer, the index only read too |
| neither index nor WAL | as a file that does not change: SQLite makes no file beside it |
| a WAL and no index | a copy, for whoever opens it makes an index |

The file is opened for one transaction and closed again: who has it open when its agent ends keeps SQLite from tidying
up. A file that nobody changes is not opened to be asked whether it changed. It may come from a stranger, so what
`protocols.storage.foreign_file` refuses is refused before a row is read, each time its schema is another one.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError

from agent.store.migrations import current_version
from agent.store.place import elsewhere
from agent.store.read_only import file_of
from agent.store.tables import ALL_TABLES, JOURNAL, SCHEMA_VERSION
from protocols.errors import StoreError
from protocols.storage.database import open_engine, sqlite_url, store_error
from protocols.storage.foreign_file import bound_reader, require_plain_tables
from protocols.storage.server import answered_in_time
from protocols.storage.server_url import DatabaseUrl, shown_url
from protocols.storage.wal_check import is_damaged

SETTLED_S: Final = 0.1
"""A file that was changed longer ago than this shows it in its time [s]: file systems tell it to 4 or 10 ms."""

TRIES: Final = 3
"""How often a reading is begun when the writer came or went meanwhile, which happens once in a run."""

READ_INDEX_ONLY: Final = "&readonly_shm=1"
"""Lets SQLite not even mark in a WAL's index that somebody reads: of a killed run nothing is touched."""

SERVER_ANSWER_S: Final = 10.0
"""How long a server may be silent in one reading [s]."""

_LAST: Final = select(func.max(JOURNAL.c.sequence))

Stamp = tuple[tuple[int, int, int] | None, ...]
"""What tells whether files are the same: time of the last change [ns], size [byte] and number of each."""


class Reader(Protocol):
    """Reads the database of one run."""

    def reading(self) -> Any:
        """Open a transaction: a context manager of a connection that sees one moment.

        Raises:
            StoreError: When the database is missing, damaged, none of ours, or of another version.
        """
        ...

    def version(self) -> int:
        """Return the number of the journal's last row; 0 before the first."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


def reader_of(database: Path, url: DatabaseUrl | None = None) -> Reader:
    """Return what reads the database of a run, wherever it is.

    Args:
        database: The run folder's own file.
        url: Of another database than that, or than the folder says.

    Raises:
        StoreError: When the folder does not tell where it is.
    """
    where = elsewhere(database.parent, url) or sqlite_url(database)
    file = file_of(where)
    return ServerReader(where) if file is None else FileReader(file)


class FileReader:
    """Reads a SQLite file by the rule above.

    Args:
        file: Of the database.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wal, self._index = (file.with_name(file.name + end) for end in ("-wal", "-shm"))
        self._engine = create_engine("sqlite://", poolclass=NullPool, creator=self._connected)
        event.listen(self._engine, "begin", _begin)
        self._options = ""
        self._opened: Path = file
        self._copied: Stamp | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._known_schema: tuple[Path, int] | None = None
        self._seen: tuple[Stamp, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """As of `Reader`."""
        try:
            with self._open() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
            raise store_error(error, sqlite_url(self._file)) from None

    def version(self) -> int:
        """As of `Reader`; a file that has not changed since is not opened."""
        stamp = self._stamp()
        if self._seen is not None and self._seen[0] == stamp:
            return self._seen[1]
        with self.reading() as connection:
            found = int(connection.execute(_LAST).scalar() or 0)
        is_settled = all(each is None or time.time_ns() - each[0] > SETTLED_S * 1e9 for each in stamp)
        self._seen = (stamp, found) if is_settled else None
        return found

    def close(self) -> None:
        """As of `Reader`."""
        self._engine.dispose()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        for left in reversed(range(TRIES)):
            self._choose()
            connection = self._begun()
            try:
                if left and self._has_turned():
                    continue
                self._require_ours(connection)
                yield connection
            finally:
                connection.close()
            return

    def _begun(self) -> Connection:
        """Return a connection in a transaction."""
        connection = self._engine.connect()
        try:
            connection.begin()
        except sqlite3.Error:
            connection.close()
            if READ_INDEX_ONLY not in self._options:
                raise
        else:
            return connection
        # An index that no writer has marked yet tells a reader nothing who may not mark it either.
        self._options = self._options.replace(READ_INDEX_ONLY, "")
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def _choose(self) -> None:
        """Choose how the file is read."""
        if not self._file.is_file():
            raise StoreError(
                f"There is no database at {self._file}",
                expected="a run folder",
                action="name another run, or --database",
            )
        self._opened = self._file
        if self._index.exists():
            self._options = f"mode=ro{READ_INDEX_ONLY}"
        elif self._wal.exists() and self._wal.stat().st_size:
            self._opened, self._options = self._copy(), "mode=ro"
        else:
            self._options = "mode=ro&immutable=1"

    def _has_turned(self) -> bool:
        """Tell whether a writer came while the file was opened as one that does not change."""
        return "immutable" in self._options and self._index.exists()

    def _copy(self) -> Path:
        """Return a copy of a file with a WAL and no index; the same as before while both are."""
        stamp = self._stamp()
        if self._scratch is not None and self._copied == stamp:
            return Path(self._scratch.name) / "copy.db"
        if is_damaged(self._wal):
            raise StoreError(
                f"{self._wal} is damaged: a frame was changed that was whole when a later one was written",
                expected="a file as SQLite wrote it",
                action="restore the run folder from a copy",
            )
        if self._scratch is not None:
            self._scratch.cleanup()
        self._scratch = tempfile.TemporaryDirectory(prefix="entropilot-watch-")
        copy = Path(self._scratch.name) / "copy.db"
        try:
            shutil.copyfile(self._file, copy)
            shutil.copyfile(self._wal, copy.with_name(copy.name + "-wal"))
        except OSError as error:
            raise StoreError(
                f"{error.filename or self._file} cannot be copied ({error.strerror or error})",
                expected="the right to read the run folder, and room for a copy of its database",
            ) from None
        with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as ours:
            ours.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what cannot be read is told when it is read
        self._copied = stamp
        return copy

    def _connected(self) -> sqlite3.Connection:
        address = f"{self._opened.resolve().as_uri()}?{self._options}"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            bound_reader(connection, self._opened.stat().st_size)
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_ours(self, connection: Connection) -> None:
        """Check a schema that was not seen yet."""
        cookie = int(connection.exec_driver_sql("PRAGMA schema_version").scalar() or 0)
        if self._known_schema == (self._opened, cookie):
            return
        driver: Any = connection.connection.driver_connection
        require_plain_tables(driver, f"The database {self._file}")
        require_version(connection, str(self._file))
        for table in ALL_TABLES:
            found = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_xinfo({table.name})")}
            missing = [column.name for column in table.columns if column.name not in found]
            if missing:
                raise StoreError(
                    f"This database is not as Entropilot writes it: its table {table.name} has no column {missing[0]}",
                    expected=f"the tables of schema version {SCHEMA_VERSION}",
                    action="restore the run folder from a copy",
                )
        self._known_schema = (self._opened, cookie)

    def _stamp(self) -> Stamp:
        return tuple(_stamp_of(path) for path in (self._file, self._wal, self._index))


class ServerReader:
    """Reads a database on a server, in transactions that only read.

    Args:
        url: Of the database.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._engine: Engine | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """As of `Reader`."""
        is_new = self._engine is None
        engine = self._engine = self._engine or open_engine(self._url)
        try:
            with engine.connect() as connection:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with answered_in_time(connection, SERVER_ANSWER_S), connection.begin():
                    if is_new:
                        require_version(connection, shown_url(self._url))
                    yield connection
        except DBAPIError as error:
            self.close()
            raise store_error(error, self._url, lost=error.connection_invalidated) from None
        except StoreError:
            self.close()
            raise

    def version(self) -> int:
        """As of `Reader`."""
        with self.reading() as connection:
            return int(connection.execute(_LAST).scalar() or 0)

    def close(self) -> None:
        """As of `Reader`."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def require_version(connection: Connection, where: str) -> None:
    """Check that a database has the schema of today.

    Args:
        connection: To it.
        where: It, for people.

    Raises:
        StoreError: When it is empty, none of ours, or of another version.
    """
    version = current_version(connection)
    if version == SCHEMA_VERSION:
        return
    newer = version > SCHEMA_VERSION
    action = "use the newer Entropilot that wrote it" if newer else "finish or look at it with the one that wrote it"
    found = f"has schema version {version}" if version else "is empty"
    raise StoreError(
        f"The database {where} {found}",
        expected=f"version {SCHEMA_VERSION}, which this Entropilot knows",
        action=action if version else "wait until the run has begun, or name another one",
    )


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _begin(connection: Connection) -> None:
    """Begin a transaction of a reader, and take its snapshot at once."""
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")
    driver.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
