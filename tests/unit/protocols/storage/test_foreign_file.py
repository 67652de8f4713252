"""A SQLite file of a stranger: what it may hold, and how long reading it may take."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from protocols.errors import StoreError
from protocols.storage.foreign_file import (
    LONGEST_STEPS_S,
    STEPS_PER_LOOK,
    TimeBound,
    bound_reader,
    require_plain_tables,
)

OURS = "CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT DEFAULT 'CHECK (1)', z FLOAT UNIQUE)"

OTHER_THINGS = {
    "a view": (["CREATE VIEW v AS SELECT * FROM t"], "the view 'v'"),
    "a trigger": (["CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END"], "the trigger 'g'"),
    "a virtual table": (["CREATE VIRTUAL TABLE f USING fts5(words)"], "the table 'f'"),
    "a generated column": (["CREATE TABLE c (a, b AS (a || a))"], "the generated column 'b' of 'c'"),
    "a stored generated column": (["CREATE TABLE c (a, b AS (a || a) STORED)"], "the generated column 'b' of 'c'"),
    "a check": (["CREATE TABLE c (a CHECK (length(a) < 3))"], "the table 'c' with a CHECK"),
    "a check behind a comment": (["CREATE TABLE c (a /* ' */ check (a))"], "the table 'c' with a CHECK"),
    "an index over an expression": (["CREATE INDEX i ON t (hex(y))"], "the computed index 'i'"),
    "an index over some rows": (["CREATE INDEX i ON t (y) WHERE length(y) > 3"], "the computed index 'i'"),
    "a table that is written down as another thing": (
        [
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, 'CREATE VIEW v AS SELECT 1')",
        ],
        "the table 'v'",
    ),
}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.execute(OURS)
        made.execute("CREATE INDEX plain ON t (y)")
        yield made


def test_tables_with_plain_indices_are_taken(connection: sqlite3.Connection) -> None:
    require_plain_tables(connection, "a.db")


@pytest.mark.parametrize(("statements", "words"), OTHER_THINGS.values(), ids=OTHER_THINGS)
def test_whatever_would_be_carried_out_is_named(
    connection: sqlite3.Connection, statements: list[str], words: str
) -> None:
    for statement in statements:
        connection.execute(statement)
    with pytest.raises(StoreError, match=r"a\.db holds") as caught:
        require_plain_tables(connection, "a.db")
    assert words in caught.value.found


def test_time_of_sqlite_counts_and_time_between_its_steps_does_not() -> None:
    now = 0.0
    bound = TimeBound(1.0, lambda: now)
    looks = 0
    while not bound():
        now += 10 * LONGEST_STEPS_S  # somebody else worked meanwhile
        looks += 1
    assert looks == pytest.approx(1.0 / LONGEST_STEPS_S, abs=2)
    bound = TimeBound(1.0, lambda: now)
    for _ in range(99):
        now += 0.01
        assert not bound()


def test_a_reader_takes_no_other_files_no_long_statements_and_no_endless_ones(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound_reader(connection, 0)
    with pytest.raises(sqlite3.OperationalError, match="too many attached"):
        connection.execute("ATTACH ':memory:' AS other")
    with pytest.raises((sqlite3.DataError, sqlite3.OperationalError), match="too large"):
        connection.execute(f"SELECT '{'x' * 200_000}'")
    with pytest.raises((sqlite3.DataError, sqlite3.OperationalError), match="too big"):
        connection.execute("SELECT zeroblob(1 << 28)")
    connection.set_progress_handler(TimeBound(0.0), STEPS_PER_LOOK)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")


def test_text_that_is_none_is_a_wrong_cell_and_no_error(connection: sqlite3.Connection) -> None:
    bound_reader(connection, 0)
    assert connection.execute("SELECT CAST(x'61ff' AS TEXT)").fetchone() == ("a\N{REPLACEMENT CHARACTER}",)
