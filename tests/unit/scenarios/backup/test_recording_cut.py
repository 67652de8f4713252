"""Tests of copying a recording as far as a commit."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from agent.store.commit import RecordingMark
from protocols.errors import StoreError
from protocols.recording.parts import parts_of
from protocols.recording.reader import check_recording
from protocols.recording.writer import RecordingWriter
from scenarios.backup.recording_cut import cut_recording

HEADER = {"campaign": "mine", "pool_digest": "", "started_at": "", "versions": {}}


def written(path: Path, transactions: int, part_bytes: int = 1 << 20) -> list[RecordingMark]:
    """Write a recording in which a message is sent after each transaction; return its marks."""
    marks = []
    with closing(RecordingWriter(path, HEADER, part_bytes=part_bytes)) as writer:
        writer.note_start(0)
        for number in range(transactions):
            row = writer.write("in", "a/topic", b'"note": 1', retain=False)
            writer.note_transaction([{"row": row}], [], before=number, sequence=number + 1)
            marks.append(RecordingMark(writer.number, writer.digest))
            writer.write("out", "a/receipt", b"taken", retain=False)
    return marks


def last_row(path: Path) -> int:
    found = check_recording(path)
    assert not found.problem, found
    return found.messages


@pytest.mark.parametrize("part_bytes", [1 << 20, 300])
def test_the_copy_ends_with_what_was_sent_after_the_commit(tmp_path: Path, part_bytes: int) -> None:
    marks = written(tmp_path / "whole.jsonl", 5, part_bytes)
    for number, mark in enumerate(marks):
        target = tmp_path / f"copy-{number}.jsonl"
        row = cut_recording(tmp_path / "whole.jsonl", target, mark)
        # Behind the mark stand its receipt and, but for the last one, the message of the next transaction.
        assert row == mark.row + (1 if number == 4 else 2)
        assert check_recording(target).sequence == number + 1
        assert last_row(target)


def test_a_copy_is_continued_as_after_a_kill(tmp_path: Path) -> None:
    marks = written(tmp_path / "whole.jsonl", 5, 300)
    cut_recording(tmp_path / "whole.jsonl", tmp_path / "copy.jsonl", marks[2])
    with closing(RecordingWriter(tmp_path / "copy.jsonl", HEADER)) as writer:
        assert (writer.before, writer.sequence, writer.noted) == (2, 3, marks[2].row)
        writer.note_start(3)
    assert not check_recording(tmp_path / "copy.jsonl").problem


def test_without_a_mark_only_what_stands_before_the_first_note_is_copied(tmp_path: Path) -> None:
    written(tmp_path / "whole.jsonl", 2)
    assert cut_recording(tmp_path / "whole.jsonl", tmp_path / "copy.jsonl", None) == 0
    assert len((tmp_path / "copy.jsonl").read_text().splitlines()) == 1


def test_a_recording_that_lost_its_end_is_copied_as_far_as_it_goes(tmp_path: Path) -> None:
    written(tmp_path / "whole.jsonl", 2)
    assert cut_recording(tmp_path / "whole.jsonl", tmp_path / "copy.jsonl", RecordingMark(99, "0" * 16)) == 7


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "whole.jsonl"
    mark = written(path, 2)[-1]
    path.write_bytes(path.read_bytes()[:-5])
    assert cut_recording(path, tmp_path / "copy.jsonl", mark) == mark.row


def test_another_row_than_the_one_that_is_marked_is_refused(tmp_path: Path) -> None:
    mark = written(tmp_path / "whole.jsonl", 2)[0]
    with pytest.raises(StoreError, match="another than the database has marked"):
        cut_recording(tmp_path / "whole.jsonl", tmp_path / "copy.jsonl", RecordingMark(mark.row, "0" * 16))


def test_parts_stay_parts(tmp_path: Path) -> None:
    marks = written(tmp_path / "whole.jsonl", 5, 300)
    cut_recording(tmp_path / "whole.jsonl", tmp_path / "copy.jsonl", marks[-1])
    whole, copy = parts_of(tmp_path / "whole.jsonl"), parts_of(tmp_path / "copy.jsonl")
    assert len(whole) == len(copy) > 1
    assert [each.read_bytes() for each in whole] == [each.read_bytes() for each in copy]
