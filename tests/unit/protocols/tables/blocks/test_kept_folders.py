"""Folders of arrays: whole or not there, bounded, never taken from who uses them, and none left half made."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from protocols.errors import TableError
from protocols.tables.blocks import kept_folders
from protocols.tables.blocks.kept_folders import KEPT, Hold, kept_tables, made, used


class Usage(NamedTuple):
    """As `shutil.disk_usage` gives it."""

    total: int
    used: int
    free: int


def make(key: str, size: int = 1_000, *, used_ago_s: float = 0.0) -> Path:
    with made(key, size) as folder:
        (folder / "features").write_bytes(bytes(size))
        (folder / KEPT).write_text("{}", encoding="utf-8")
    place = kept_tables() / key
    then = time.time() - used_ago_s
    os.utime(place / KEPT, (then, then))
    return place


def test_what_fails_leaves_nothing() -> None:
    def fail() -> None:
        with made("one", 10) as folder:
            (folder / "features").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(kept_tables().iterdir()) == []


def test_what_was_not_used_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_folders, "MAX_KEPT_BYTES", 3_000)
    old, older = make("old", used_ago_s=100.0), make("older", used_ago_s=200.0)
    used(older)
    new = make("new", 1_400)
    assert older.exists()
    assert new.exists()
    assert not old.exists()


def test_what_is_in_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_folders, "MAX_KEPT_BYTES", 1_500)
    first = make("first", used_ago_s=100.0)
    hold = Hold(first)
    second = make("second", used_ago_s=50.0)
    assert first.exists()
    hold.release()
    make("third")
    assert not first.exists()
    assert not second.exists()


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_makes_is_not() -> None:
    home = kept_tables()
    for name in (".dead.1.part", ".alive.2.part", ".young.3.part"):
        (home / name).mkdir(parents=True)
        (home / name / "features").write_bytes(b"half")
    hold = Hold(home / ".alive.2.part")
    for name in (".dead.1.part", ".alive.2.part"):
        os.utime(home / name, (0.0, 0.0))
    make("one")
    hold.release()
    assert sorted(each.name for each in home.iterdir()) == [".alive.2.part", ".young.3.part", "one"]


def test_a_disk_without_room_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage(1 << 40, 1 << 40, 1 << 29))
    told = r"take 1\.00 GiB on the disk, and in .* there are 0\.50 GiB free"
    with pytest.raises(TableError, match=told), made("one", 1 << 30):
        pass
    assert list(kept_tables().iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(TableError, match="cannot be written"), made("one", 10):
        pass
