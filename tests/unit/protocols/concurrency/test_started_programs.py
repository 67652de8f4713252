"""What has the mark of a child is found and killed, and nothing else is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from protocols.concurrency import started_programs
from protocols.concurrency.started_programs import MARK, ROUNDS, kill_marked, new_mark


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /proc: three processes, of which two have a mark, one of them another one."""
    for pid, environment in {"7": "PATH=/bin", "8": f"A=1\0{MARK}=mine\0B=2", "9": f"{MARK}=mine2"}.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "environ").write_text(environment + "\0")
    (tmp_path / "10").mkdir()  # one that has just ended
    (tmp_path / "self").mkdir()
    monkeypatch.setattr(started_programs, "_PROC", tmp_path)
    return tmp_path


def test_marks_differ() -> None:
    assert new_mark() != new_mark()


def test_those_that_have_the_mark_are_killed_until_none_is_left(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        (proc / str(pid) / "environ").unlink()

    monkeypatch.setattr(os, "kill", kill)
    kill_marked("mine")
    assert killed == [(8, signal.SIGKILL)]


def test_one_that_cannot_be_killed_is_tried_a_bounded_number_of_times(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(pid: int, _number: int) -> None:
        tried.append(pid)
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    kill_marked("mine")
    assert tried == [8] * ROUNDS


def test_where_there_is_no_such_folder_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started_programs, "_PROC", tmp_path / "none")
    kill_marked("mine")
