"""The cache's file: what is kept is found by everybody; whatever happens to the file, nobody's results are lost."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from simulators.cache import store
from simulators.cache.store import KeptResult, ResultCache

MEGABYTE = 1024 * 1024
VALUE = KeptResult(b'{"quantities": []}', "2026-11-30T12:00:00+00:00")
KEY = "a" * 64


class Events:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str, **_fields: Any) -> None:
        self.names.append(name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "results.db"


@pytest.fixture
def events() -> Events:
    return Events()


def opened(path: Path, events: Events | None = None, max_bytes: int = MEGABYTE) -> ResultCache:
    return ResultCache.open(path, max_bytes, events or Events())


def test_what_one_keeps_another_finds(path: Path) -> None:
    opened(path).keep(KEY, VALUE)
    assert opened(path).find(KEY) == VALUE
    assert opened(path).find("b" * 64) is None


def test_the_first_value_stays(path: Path) -> None:
    cache = opened(path)
    cache.keep(KEY, VALUE)
    cache.keep(KEY, KeptResult(b"{}", "2027-01-01T00:00:00+00:00"))
    assert cache.find(KEY) == VALUE


def test_many_threads_write_and_read_and_nothing_is_lost(path: Path) -> None:
    keys = [f"{number:064d}" for number in range(80)]
    events = Events()

    def work(mine: list[str]) -> None:
        cache = opened(path, events)
        for key in mine:
            cache.keep(key, VALUE)

    threads = [threading.Thread(target=work, args=(keys[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(opened(path).find(key) == VALUE for key in keys)
    assert events.names == []


@pytest.mark.parametrize("content", [b"my thesis", b"SQLite format 3\0" + b"\0" * 200])
def test_a_file_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thesis"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is no cache of Entropilot's"):
        opened(path)
    assert path.read_bytes() == content


def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE precious (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another file"):
        opened(path)
    assert path.read_bytes() == before


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        opened(tmp_path)


def test_a_damaged_file_is_put_aside_whole_and_a_new_one_begun(path: Path, events: Events) -> None:
    cache = opened(path, events)
    for number in range(200):
        cache.keep(f"{number:064d}", VALUE)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    assert opened(path, events).find(KEY) is None
    assert events.names == ["cache_put_aside"]
    assert path.with_name("results.db.damaged-1").read_bytes() == content
    opened(path).keep(KEY, VALUE)
    assert opened(path).find(KEY) == VALUE


def test_a_file_that_is_damaged_while_it_is_used_is_put_aside(path: Path, events: Events) -> None:
    cache = opened(path, events)
    cache.keep(KEY, VALUE)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"x" * 10_000)
    assert cache.find(KEY) is None
    assert events.names == ["cache_put_aside"]
    cache.keep(KEY, VALUE)
    assert cache.find(KEY) == VALUE


def test_a_row_that_was_changed_is_not_believed_and_goes(path: Path, events: Events) -> None:
    cache = opened(path, events)
    cache.keep(KEY, VALUE)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE result SET value = x'7b7d'")
    assert cache.find(KEY) is None
    assert events.names == ["cache_row_was_changed"]
    cache.keep(KEY, VALUE)
    assert cache.find(KEY) == VALUE


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has version 99"):
        opened(path)


def test_what_was_of_no_use_for_longest_goes_when_it_is_full(
    path: Path, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("simulators.cache.store.time.time", lambda: now)
    cache, value = opened(path, events), KeptResult(b"x" * 10_000, VALUE.computed_at)
    keys = [f"{number:064d}" for number in range(200)]
    for number, key in enumerate(keys):
        now = number * 2 * store.USED_AGAIN_S
        cache.keep(key, value)
        assert cache.find(keys[0]) == value, "it is used all the time"
    assert cache.find(keys[1]) is None
    assert cache.find(keys[-1]) == value
    assert "cache_evicted" in events.names
    with closing(sqlite3.connect(path)) as file:
        assert store._bytes_used(file) <= MEGABYTE


def test_a_file_that_another_process_holds_is_done_without(
    path: Path, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.05)
    cache = opened(path, events)
    cache.keep(KEY, VALUE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        cache.keep("b" * 64, VALUE)
        assert cache.find(KEY) == VALUE, "a reader does not wait for whoever writes"
    assert events.names == ["cache_not_used"]
