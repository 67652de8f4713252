"""Tests of holding the memories of instruments at one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.database import sqlite_url
from scenarios.backup.memories import held_memories
from simulators.outbox import Answer, AttemptProgress, Change, Outbox


def attempt_in(outbox: Outbox, name: str) -> None:
    outbox.write([Change(name, AttemptProgress.RECEIVED, request=b"{}")], now="2026-11-30T00:00:00+00:00")


def answer(outbox: Outbox, name: str) -> None:
    answered = Change(name, AttemptProgress.ANSWERED, answer=Answer(name, "t", b"{}"))
    outbox.write([answered], now="2026-11-30T00:00:01+00:00")


def progress_in(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT attempt_id, progress FROM attempt").fetchall())


def test_a_copy_shows_the_moment_at_which_it_was_held_and_the_writer_goes_on(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with closing(Outbox.open(sqlite_url(tmp_path / "furnace.db"))) as outbox:
        attempt_in(outbox, "a")
        with held_memories(tmp_path) as (memory,):
            answer(outbox, "a")
            attempt_in(outbox, "b")
            memory.copy_to(target)
    assert progress_in(target / "furnace.db") == {"a": "received"}
    assert progress_in(tmp_path / "furnace.db") == {"a": "answered", "b": "received"}


def test_a_memory_that_lacks_an_answer_of_the_journal_is_noticed(tmp_path: Path) -> None:
    with closing(Outbox.open(sqlite_url(tmp_path / "furnace.db"))) as outbox:
        attempt_in(outbox, "a")
        attempt_in(outbox, "b")
        answer(outbox, "b")
        with held_memories(tmp_path) as (memory,):
            assert memory.lacks_answer(["b", "a"])
            assert not memory.lacks_answer(["b", "elsewhere"])
            assert memory.lacks_answer(["b", "elsewhere"], unknown=True)


def test_a_memory_that_nobody_has_open_is_copied_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with closing(Outbox.open(sqlite_url(tmp_path / "furnace.db"))) as outbox:
        attempt_in(outbox, "a")
    before = sorted(tmp_path.iterdir())
    with held_memories(tmp_path) as (memory,):
        assert not memory.lacks_answer(["a"])
        memory.copy_to(target)
    assert progress_in(target / "furnace.db") == {"a": "received"}
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_no_memory_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("CREATE TABLE something (x)")
        with pytest.raises(StoreError, match="cannot be read"), held_memories(tmp_path):
            pass
