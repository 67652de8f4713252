"""A simulator's memory is read as that of a stranger, and left as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.verify.simulator_memory import memory_rows
from tests.support.samples.recorded_run import MEMORY, made


def test_attempts_come_in_their_order_and_the_file_is_left_as_it_is(tmp_path: Path) -> None:
    made(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with memory_rows(tmp_path / MEMORY) as rows:
        read = list(rows)
    assert len(read) == 7
    assert read[0].attempt_id.endswith("-a1")
    assert read[-1].receipt.startswith(b'{"protocol"')
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_memory_from_before_receipts_were_kept_is_read(tmp_path: Path) -> None:
    made(tmp_path)
    with closing(sqlite3.connect(tmp_path / MEMORY)) as database:
        database.execute("ALTER TABLE attempt DROP COLUMN receipt")
        database.execute("ALTER TABLE attempt DROP COLUMN receipt_digest")
        database.execute("PRAGMA user_version = 2")
    with memory_rows(tmp_path / MEMORY) as rows:
        assert {row.receipt for row in rows} == {b""}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "no simulator's memory of a version"),
        ("DROP TABLE attempt", "no simulator's memory of a version"),
        ("CREATE VIEW v AS SELECT 1", "holds the view 'v'"),
    ],
)
def test_what_is_no_memory_is_refused_by_name(tmp_path: Path, statement: str, words: str) -> None:
    made(tmp_path)
    with closing(sqlite3.connect(tmp_path / MEMORY)) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(StoreError, match=words), memory_rows(tmp_path / MEMORY):
        pass


def test_a_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(StoreError, match=r"a\.db is damaged"), memory_rows(tmp_path / "a.db"):
        pass
