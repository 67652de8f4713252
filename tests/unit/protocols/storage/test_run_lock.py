"""One writer: a second one is refused and told who holds the lock; the system frees it however the holder ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.run_lock import RunLock, seems_held, sync_names


def lock(path: Path) -> RunLock:
    return RunLock(path, holder="agent", advice="end the other one")


def test_a_second_lock_of_the_same_process_is_refused_with_its_id_and_freed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    with lock(path):
        with pytest.raises(StoreError) as caught, lock(path):
            pass
        assert f"agent (process {os.getpid()})" in caught.value.found
        assert str(tmp_path) in caught.value.found
        assert caught.value.action == "end the other one"
    with lock(path):
        pass


def test_the_lock_is_freed_when_what_it_guarded_fails(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    with pytest.raises(ZeroDivisionError), lock(path):
        _ = 1 / 0
    with lock(path):
        pass


def test_a_lock_file_that_was_left_over_locks_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    path.write_text("99999999999999")
    with lock(path):
        assert path.read_text() == str(os.getpid())


def test_two_folders_have_two_locks(tmp_path: Path) -> None:
    paths = [tmp_path / "a.lock", tmp_path / "b.lock"]
    with lock(paths[0]), lock(paths[1]):
        assert [path.read_text() for path in paths] == [str(os.getpid())] * 2


LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the mounts of Linux")


@LINUX_ONLY
def test_a_folder_on_a_file_system_without_such_syncs_is_taken_as_it_is() -> None:
    sync_names(Path("/proc/self/task"))


@LINUX_ONLY
def test_only_the_names_on_the_same_disk_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    really_open = os.open

    def noting(path: str, flags: int) -> int:
        opened.append(str(path))
        return really_open(path, flags)

    monkeypatch.setattr(os, "open", noting)
    sync_names(tmp_path / ".." / tmp_path.name)
    on_one_disk = [str(p) for p in tmp_path.resolve().parents if p.stat().st_dev == tmp_path.stat().st_dev]
    assert opened == on_one_disk
    opened.clear()
    sync_names(Path("/dev/shm"))
    assert opened == []


def test_a_folder_whose_name_cannot_be_made_safe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StoreError, match="Input/output error"), lock(tmp_path / "run" / "agent.lock"):
        pass


def test_a_lock_seems_held_as_long_as_whoever_took_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not seems_held(path)
    with RunLock(path, holder="agent", advice="wait"):
        assert seems_held(path)
        with RunLock(tmp_path / "b.lock", holder="agent", advice="wait"):  # to ask has taken nothing
            pass
    for content in (b"", b"no number", b"-1", b"99999999999999999999", b"2147483646"):
        path.write_bytes(content)
        assert not seems_held(path), content
    path.write_bytes(b"1")  # somebody else's process, which is there
    assert seems_held(path)
