"""What may be with the lab is known after a kill, and what did not arrive is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.mapping.sent_log import SentLog


def test_what_was_noted_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "agent.sent"
    log = SentLog(path)
    for attempt_id in ("a1", "a2", "a2"):
        log.note(attempt_id)
    log.take_back("a1")
    assert ("a1" in log, "a2" in log) == (False, True)
    assert path.read_text() == "+a1\n+a2\n-a1\n"
    log = SentLog(path, ["a0"])
    assert ["a0" in log, "a1" in log, "a2" in log] == [True, False, True]


def test_a_torn_line_is_no_sending_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "agent.sent"
    path.write_bytes(b"+a1\n+a2")
    log = SentLog(path)
    assert ("a1" in log, "a2" in log) == (True, False)
    log.note("a3")
    assert path.read_bytes() == b"+a1\n+a3\n"


def test_a_lab_that_is_away_for_long_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.mapping.sent_log.REWRITTEN_FROM_BYTES", 100)
    path = tmp_path / "agent.sent"
    log = SentLog(path)
    log.note("a0")
    for _ in range(100):
        log.note("a1")
        log.take_back("a1")
    assert path.stat().st_size < 200
    for number in range(50):
        log.note(f"b{number}")  # what is with the lab stays, however much it is
    assert path.stat().st_size > 200
    again = SentLog(path)
    assert ["a0" in again, "a1" in again, "b0" in again, "b49" in again] == [True, False, True, True]


def test_without_a_file_it_is_known_to_this_process_alone() -> None:
    log = SentLog(None)
    log.note("a1")
    assert "a1" in log


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    log = SentLog(tmp_path / "nowhere" / "agent.sent")
    with pytest.raises(OSError, match=r"agent\.sent"):
        log.note("a1")
