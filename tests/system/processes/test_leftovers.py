"""The rule that no process outlives its test finds children and orphans, and ends them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import processes

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions"),
]

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_S", 0.2)


def test_a_child_that_is_left_is_told_and_ended() -> None:
    known, before = processes.ours(), processes.starts()
    with subprocess.Popen(SLEEP) as child:
        assert processes.starts() > before
        (told,) = processes.end_what_is_left(known)
        assert told.startswith(f"{child.pid}: ")
        assert child.wait(10) < 0
    assert processes.end_what_is_left(known) == []


def test_an_orphan_in_a_session_of_its_own_is_told_and_ended() -> None:
    known = processes.ours()
    leave = f"import subprocess as s; print(s.Popen({SLEEP!r}, start_new_session=True, stdout=s.DEVNULL).pid)"
    orphan = subprocess.run([sys.executable, "-c", leave], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    (told,) = processes.end_what_is_left(known)
    assert told.startswith(f"{orphan}: ")


def test_a_started_process_ends_with_its_block_and_so_does_what_it_started() -> None:
    known = processes.ours()
    two = f"import subprocess, time; subprocess.Popen({SLEEP!r}, process_group=0); time.sleep(600)"
    with processes.started([sys.executable, "-c", two]):
        pass
    assert processes.end_what_is_left(known) == []


@pytest.mark.parametrize("is_ours", [True, False])
def test_of_a_session_only_what_we_started_is_killed(*, is_ours: bool) -> None:
    """The number of a process that has ended may be that of somebody else's session."""
    environment = os.environ | ({} if is_ours else {processes.MARK: "1"})
    with subprocess.Popen(SLEEP, env=environment, start_new_session=True) as process:
        try:
            processes.kill_session(process.pid)
            if is_ours:
                assert process.wait(60) < 0
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.2)
        finally:
            process.kill()
