"""One writer: a second one is refused and told who holds the lock; the system frees it however the holder ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.run_lock import RunLock, sync_names

HOLDER = """
import sys
from pathlib import Path
from protocols.storage.run_lock import RunLock

with RunLock(Path(sys.argv[1]), holder="agent", advice="end it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def lock(path: Path) -> RunLock:
    return RunLock(path, holder="agent", advice="end the other one")


@contextmanager
def other_process_holds(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process until it is killed or its input closes."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


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
    with lock(tmp_path / "a.lock"), lock(tmp_path / "b.lock"):
        pass


@pytest.mark.system
def test_a_second_process_is_refused_with_the_id_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    with other_process_holds(path) as holder:
        with pytest.raises(StoreError) as caught, lock(path):
            pass
        assert f"process {holder.pid}" in caught.value.found
        with pytest.raises(StoreError), lock(path):
            pass  # being refused does not free it


@pytest.mark.system
def test_a_lock_is_freed_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    with other_process_holds(path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        deadline = time.monotonic() + 10
        while True:
            try:
                with lock(path):
                    break
            except StoreError:
                assert time.monotonic() < deadline, "the lock outlived its holder"
                time.sleep(0.01)


@pytest.mark.system
def test_a_child_of_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "agent.lock"
    with lock(path):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        with lock(path):
            pass
    finally:
        child.communicate()


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
