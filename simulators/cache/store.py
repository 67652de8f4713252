"""The file of the cache: results by key in SQLite, which any number of processes read and write at once.

A connection lives for one call: whoever is killed holds nothing, and a file that was put aside is not written again.
Nothing hangs on the file. What is busy for long, full or not ours to write is done without; a damaged file is put
aside, whole, and a new one begun; somebody else's file is refused before a byte of it changes.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from protocols.errors import StoreError
from protocols.storage.foreign_file import require_plain_tables

APPLICATION_ID: Final = 0x456E5243
"""`EnRC` in SQLite's header: the file is a cache of results of ours."""

CACHE_VERSION: Final = 1
"""Version of the table below, kept as SQLite's user_version."""

BUSY_TIMEOUT_S: Final = 1.0
"""How long a call waits for another process that writes: a transaction here takes less than a millisecond."""

EVICTED_TO: Final = 0.9
"""Share of the size to which it is cut when it is full, so that this does not happen at every write."""

USED_AGAIN_S: Final = 3_600.0
"""A hit is noted when the last one was so long ago [s]: reading mostly writes nothing."""

PREPARE_PAUSE_S: Final = 0.01
"""Pause before the table is made again where another process makes it [s]."""

MAX_ASIDE: Final = 1_000
"""Damaged files that may lie beside each other."""

_MAGIC: Final = b"SQLite format 3\0"
_APPLICATION_ID_AT: Final = 68
"""Where the header of a SQLite file has its application id, four bytes, the greatest first."""

_LAYOUT: Final = """
CREATE TABLE result (
  key TEXT PRIMARY KEY, computed_at TEXT NOT NULL, used_at REAL NOT NULL, value BLOB NOT NULL, digest TEXT NOT NULL
) WITHOUT ROWID
"""
_INDEX: Final = "CREATE INDEX result_used_at ON result (used_at)"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class KeptResult:
    """What is kept of an evaluation.

    Attributes:
        value: The measurement or the permanent failure, as JSON.
        computed_at: When it was computed, ISO 8601 with an offset.
    """

    value: bytes
    computed_at: str


class ResultCache:
    """Results by key in one file; see `open`. Its methods block, for a second at most where others write."""

    def __init__(self, path: Path, max_bytes: int, on_event: Callable[..., Any]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._on_event = on_event

    @classmethod
    def open(
        cls, path: str | Path, max_bytes: int, on_event: Callable[..., Any] = lambda *_args, **_fields: None
    ) -> Self:
        """Return the cache in a file, which is made where it is not there.

        Args:
            path: The file.
            max_bytes: Size of the file beyond which results that were of no use for longest go [byte].
            on_event: For the log.

        Raises:
            StoreError: When the file is something else, of another version, or cannot be made.
        """
        cache = cls(Path(path), max_bytes, on_event)
        cache._require_ours()
        try:
            cache._path.parent.mkdir(parents=True, exist_ok=True)
            cache._with_file(lambda _file: None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The cache {path} cannot be used ({error})",
                expected="a file that can be read and written",
                action="correct simulator.cache, or leave it empty to do without",
            ) from None
        return cache

    def find(self, key: str) -> KeptResult | None:
        """Return what is kept under a key; None where nothing is, or nothing that is as it was written."""
        return self._carried_out(lambda file: self._find(file, key))

    def keep(self, key: str, kept: KeptResult) -> None:
        """Keep a result; one that is there already stays."""
        row = (key, kept.computed_at, time.time(), kept.value, _digest(key, kept.computed_at, kept.value))
        self._carried_out(lambda file: self._keep(file, row))

    def _find(self, file: sqlite3.Connection, key: str) -> KeptResult | None:
        select = "SELECT computed_at, used_at, value, digest FROM result WHERE key = ?"
        row = file.execute(select, (key,)).fetchone()
        if row is None:
            return None
        computed_at, used_at, value, digest = row
        if not isinstance(value, bytes) or digest != _digest(key, str(computed_at), value):
            with suppress(sqlite3.OperationalError):  # busy: it goes the next time
                file.execute("DELETE FROM result WHERE key = ?", (key,))
            self._on_event("cache_row_was_changed", cache=str(self._path), key=key)
            return None
        if abs((now := time.time()) - used_at) > USED_AGAIN_S:
            with suppress(sqlite3.OperationalError):  # busy: it is noted the next time
                file.execute("UPDATE result SET used_at = ? WHERE key = ?", (now, key))
        return KeptResult(value, computed_at)

    def _keep(self, file: sqlite3.Connection, row: tuple[Any, ...]) -> None:
        with _writing(file):
            file.execute("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?, ?)", row)
            if (used := _bytes_used(file)) <= self._max_bytes:
                return
            (count,) = file.execute("SELECT count(*) FROM result").fetchone()
            goes = max(1, round(count * (1 - self._max_bytes * EVICTED_TO / used)))
            oldest = "SELECT key FROM result ORDER BY used_at, key LIMIT ?"
            file.execute(f"DELETE FROM result WHERE key IN ({oldest})", (goes,))  # noqa: S608 - of constants
        self._on_event("cache_evicted", cache=str(self._path), results=goes)

    def _carried_out(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """Do something with the file, or nothing where it cannot be used now."""
        try:
            return self._with_file(work)
        except (sqlite3.OperationalError, OSError, StoreError) as error:  # busy, full, not ours to write, not ours
            self._on_event("cache_not_used", cache=str(self._path), detail=str(error))
            return None
        except sqlite3.DatabaseError as error:
            self._put_aside(str(error))
            return None

    def _with_file(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as file:
            file.execute("PRAGMA trusted_schema = OFF")
            file.execute("PRAGMA cell_size_check = ON")
            file.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last results
            if _version(file) != CACHE_VERSION:
                _prepare(file)
            return work(file)

    def _require_ours(self) -> None:
        """Check that the file is a cache of ours, or is not there; put a damaged one of ours aside.

        Raises:
            StoreError: When it is something else, or of another version.
        """
        if not self._path.exists() or (self._path.is_file() and self._path.stat().st_size == 0):
            return
        if not self._path.is_file() or not _is_marked(self._path):
            raise StoreError(
                f"{self._path} is no cache of Entropilot's, and was left as it is",
                expected="a file that Entropilot has made, or none",
                action="let simulator.cache name another file",
            )
        try:
            with closing(sqlite3.connect(f"file:{self._path.absolute().as_posix()}?mode=ro", uri=True)) as file:
                version = _version(file)
                require_plain_tables(file, str(self._path))
                (state,) = file.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError:
            return  # busy, or not ours to read: it is said when it is opened to write
        except sqlite3.DatabaseError as error:
            self._put_aside(str(error))
            return
        if state != "ok":
            self._put_aside(str(state))
        elif version not in {0, CACHE_VERSION}:  # 0: another process makes it just now
            raise StoreError(
                f"The cache {self._path} has version {version}",
                expected=f"version {CACHE_VERSION}",
                action="let simulator.cache name another file, or use the Entropilot that wrote it",
            )

    def _put_aside(self, reason: str) -> None:
        """Give a damaged file, with what belongs to it, another name: nobody's results are thrown away."""
        names = (self._path.with_name(f"{self._path.name}.damaged-{number}") for number in range(1, MAX_ASIDE))
        aside = next((each for each in names if not each.exists()), None)
        if aside is None:
            return
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self._on_event("cache_put_aside", cache=str(self._path), aside=str(aside), detail=reason)


def _prepare(file: sqlite3.Connection) -> None:
    """Make the table in an empty file; several processes may do so at once.

    Raises:
        sqlite3.OperationalError: When another one keeps the file for long.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            file.execute(f"PRAGMA application_id = {APPLICATION_ID}")  # first of all: nobody takes it for another's
            file.execute("PRAGMA journal_mode = WAL")  # readers do not wait for whoever writes
            with _writing(file):
                if _version(file) != CACHE_VERSION:  # unless another process was faster
                    file.execute(_LAYOUT)
                    file.execute(_INDEX)
                    file.execute(f"PRAGMA user_version = {CACHE_VERSION}")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PREPARE_PAUSE_S)  # SQLite does not wait itself while the kind of journal changes
        else:
            return


@contextmanager
def _writing(file: sqlite3.Connection) -> Iterator[None]:
    """Run one transaction that writes."""
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if file.in_transaction:
            file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")


def _version(file: sqlite3.Connection) -> int:
    (version,) = file.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_marked(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_APPLICATION_ID_AT + 4)
    return head.startswith(_MAGIC) and head[_APPLICATION_ID_AT:] == APPLICATION_ID.to_bytes(4, "big")


def _bytes_used(file: sqlite3.Connection) -> int:
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(file.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _digest(key: str, computed_at: str, value: bytes) -> str:
    return hashlib.sha256(b"\0".join((key.encode(), computed_at.encode(), value))).hexdigest()
