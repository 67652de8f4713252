"""A SQLite file that a stranger may have made: nothing in it is carried out, and reading it comes to an end.

What SQLite carries out by itself when a file is read stands in its schema: a view is a query, a trigger follows a
write, a virtual table is a program, and a generated column, a `CHECK` and an index over an expression compute. Ours
has nothing but tables and plain indices, so whatever else is found there is refused before a row is read. What is left
are tables, whose reading costs what their bytes cost; limits and a bound of time stand behind that all the same.

Source: "Defense Against The Dark Arts", https://www.sqlite.org/security.html
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from protocols.errors import StoreError

READ_LIMIT_S: Final = 30.0
"""Longest time that SQLite may work for one reader of an empty file [s]."""

READ_BYTES_PER_S: Final = 1_000_000
"""A reader has a second more for so many bytes of the file: a hundredth of what a slow disk gives."""

STEPS_PER_LOOK: Final = 10_000
"""Steps of SQLite's machine between two looks at the clock: a millisecond or less."""

LONGEST_STEPS_S: Final = 0.05
"""What is counted at most between two looks [s]: the rest is our own work between two rows."""

LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1 << 27,  # of a cell [byte]: twice the longest line of a recording
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
"""What a reader's connection takes: more than our own statements need, and little of all else."""

_MADE_BY: Final = {"table": re.compile(r"CREATE TABLE\b"), "index": re.compile(r"CREATE (UNIQUE )?INDEX\b")}
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHECK: Final = re.compile(r"\bCHECK\b", re.IGNORECASE)
_EXPRESSION: Final = -2
"""What SQLite gives for the column of an index that is an expression."""


class TimeBound:
    """Ends a statement when SQLite has worked too long for one connection; time of ours between rows does not count.

    Args:
        limit_s: How long it may work [s].
        clock: Monotonic time [s].
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._left_s = limit_s
        self._clock = clock
        self._looked_s = clock()

    def __call__(self) -> bool:
        """Look at the clock; whether the statement is to end."""
        now = self._clock()
        self._left_s -= min(now - self._looked_s, LONGEST_STEPS_S)
        self._looked_s = now
        return self._left_s < 0


def bound_reader(connection: sqlite3.Connection, size_bytes: int) -> None:
    """Set limits and a bound of time on a connection that only reads.

    Args:
        connection: Newly opened.
        size_bytes: Of the file [byte].
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    for limit, at_most in LIMITS.items():
        connection.setlimit(limit, at_most)
    connection.text_factory = _text  # a cell that is no text is then a wrong cell, and has a row
    bound = TimeBound(READ_LIMIT_S + size_bytes / READ_BYTES_PER_S)
    connection.set_progress_handler(bound, STEPS_PER_LOOK)


def require_plain_tables(connection: sqlite3.Connection, where: str) -> None:
    """Check that a file has nothing but tables that only hold, and indices of their columns.

    Raises:
        StoreError: With the first thing that is something else.
        sqlite3.Error: When it cannot be read.
    """
    found = next(_other_things(connection), "")
    if found:
        raise StoreError(
            f"{where} holds {found}, which no Entropilot made",
            expected="tables that only hold what was written",
            action="read it with a program for databases if you trust whoever gave it to you; drop what was added",
        )


def _other_things(connection: sqlite3.Connection) -> Iterator[str]:
    things = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    for kind, name, sql in things:
        is_made_by_sqlite = kind == "index" and sql is None
        if kind not in _MADE_BY or not (is_made_by_sqlite or _MADE_BY[kind].match(str(sql))):
            yield f"the {kind} {name!r}"
        elif sql is not None and _CHECK.search(_QUOTED.sub("''", str(sql))):
            yield f"the {kind} {name!r} with a CHECK"
    for kind, name, _ in things:
        if kind == "table":
            yield from _computed_columns(connection, name)


def _computed_columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Yield the generated columns of a table, and its indices of anything but columns."""
    for column, hidden in connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,)).fetchall():
        if hidden:
            yield f"the generated column {column!r} of {table!r}"
    listed = connection.execute("SELECT name, partial FROM pragma_index_list(?)", (table,)).fetchall()
    for index, is_partial in listed:
        columns = connection.execute("SELECT cid FROM pragma_index_xinfo(?)", (index,)).fetchall()
        if is_partial or (_EXPRESSION,) in columns:
            yield f"the computed index {index!r}"


_text: Final = partial(str, encoding="utf-8", errors="replace")
"""Reads a text whatever is in it; made in C, for it is called for every cell of a long run."""
