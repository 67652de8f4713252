"""One writer among processes: the second is refused, and the system frees the lock however its holder ends."""

from __future__ import annotations

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
from protocols.storage.run_lock import RunLock, seems_held
from tests.support.processes import started

HOLDER = """
import sys
from pathlib import Path
from protocols.storage.run_lock import RunLock, seems_held

with RunLock(Path(sys.argv[1]), holder="agent", advice="end it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def lock(path: Path) -> RunLock:
    return RunLock(path, holder="agent", advice="end the other one")


@contextmanager
def other_process_holds(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process until it is killed or its input closes."""
    with started(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


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
            assert child.poll() is None
    finally:
        child.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells that a process has ended and nobody noticed yet")
def test_a_lock_of_a_process_that_ended_and_that_nobody_noticed_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "campaign.lock"
    with subprocess.Popen(["sleep", "60"]) as holder:
        path.write_text(str(holder.pid))
        assert seems_held(path)
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays in the system's table
        assert not seems_held(path)
