"""What took long to make, kept between runs: a file of bytes by key that any number of processes may use at once.

Nothing hangs on it. A file that is torn is thrown away, one that cannot be read or written is done without, and a value
that is not whole is not there.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

MAX_KEPT_BYTES: Final = 512 * 1024 * 1024
"""Size from which on the values that were not used for longest are thrown away [byte]: some 500,000 structures."""

THROWN_AWAY: Final = 4
"""One part in so many is thrown away at once, so that it does not happen with every write."""

KEYS_ASKED: Final = 500
"""Keys in one question: below the number of variables that every SQLite takes (999)."""

BUSY_LIMIT_S: Final = 10.0
"""How long another process may write."""

SECONDS_PER_DAY: Final = 86_400

_LAYOUT: Final = "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, day INTEGER NOT NULL, value BLOB NOT NULL)"


def cache_folder() -> Path:
    """Return the user's folder for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "entropilot"


_Result = TypeVar("_Result")


class KeptValues:
    """Values by key in one SQLite file, at most `MAX_KEPT_BYTES` of them.

    Args:
        path: The file; its folder is made when it is needed.
        max_bytes: When values are thrown away.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of the keys that are there."""
        if not self._path.is_file():
            return {}
        return self._carried_out(lambda file: dict(_read(file, keys))) or {}

    def write(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values, and throw others away where there are too many."""
        if values:
            self._carried_out(lambda file: self._write(file, values))

    def _write(self, file: sqlite3.Connection, values: Mapping[bytes, bytes]) -> None:
        rows = [(key, _today(), zlib.compress(value, 1)) for key, value in values.items()]
        file.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
        if _bytes_used(file) > self._max_bytes:
            (count,) = file.execute("SELECT count(*) FROM kept").fetchone()
            file.execute(
                "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY day, rowid LIMIT ?)",
                (count // THROWN_AWAY + 1,),
            )

    def _carried_out(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        """Do something with the file in one transaction, or nothing where it cannot be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_LIMIT_S)) as file, file:
                file.execute(_LAYOUT)
                return work(file)
        except (sqlite3.OperationalError, OSError):
            return None  # locked, full, or not ours to write: it is done without
        except sqlite3.DatabaseError:
            with suppress(OSError):
                self._path.unlink()  # torn
            return None


def _read(file: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    today = _today()
    for begin in range(0, len(keys), KEYS_ASKED):
        asked = keys[begin : begin + KEYS_ASKED]
        marks = ",".join("?" * len(asked))
        rows = file.execute(f"SELECT key, day, value FROM kept WHERE key IN ({marks})", asked).fetchall()  # noqa: S608
        if any(day < today for _, day, _ in rows):  # once a day: a warm start mostly writes nothing
            file.execute(f"UPDATE kept SET day = ? WHERE key IN ({marks})", (today, *asked))  # noqa: S608
        for key, _, value in rows:
            with suppress(zlib.error):  # it carries a checksum
                yield key, zlib.decompress(value)


def _bytes_used(file: sqlite3.Connection) -> int:
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(file.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _today() -> int:
    return int(time.time() // SECONDS_PER_DAY)
