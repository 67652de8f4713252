"""A long recording goes on in further files, and is written on, read, checked, moved and compressed as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.recording.lines import MessageRow
from protocols.recording.parts import move_parts, open_parts, part_path, parts_of, remove_parts, size_of
from protocols.recording.reader import check_recording, open_recording
from protocols.recording.seal import compress_recording
from protocols.recording.writer import RecordingWriter

PART_BYTES = 2_000
"""Of each part: some ten messages."""


def write(path: Path, first: int, last: int) -> None:
    writer = RecordingWriter(path, {"campaign": "c"}, has_notes=False, part_bytes=PART_BYTES)
    for number in range(first, last):
        writer.write("in", "t", str(number).encode(), retain=False)
    writer.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "recording.jsonl", 0, 40)
    return tmp_path / "recording.jsonl"


def payloads(path: Path) -> list[int]:
    with open_recording(path) as recording:
        return [int(row.payload) for row in recording.rows() if isinstance(row, MessageRow)]


def test_each_part_is_bounded_and_ends_with_a_whole_line(path: Path) -> None:
    parts = parts_of(path)
    assert [part.name for part in parts[:2]] == ["recording.jsonl", "recording.jsonl.2"]
    assert len(parts) > 2
    assert all(PART_BYTES <= part.stat().st_size < PART_BYTES + 200 for part in parts[:-1])
    assert all(part.read_bytes().endswith(b"\n") for part in parts)
    assert size_of(path) == sum(part.stat().st_size for part in parts)


def test_the_parts_are_read_and_checked_as_one(path: Path) -> None:
    assert payloads(path) == list(range(40))
    check = check_recording(path)
    assert (check.messages, check.problem, check.note) == (40, "", "")
    with open_parts(path) as file:
        assert file.read() == b"".join(part.read_bytes() for part in parts_of(path))
        assert file.tell() == size_of(path)


def test_a_reader_goes_on_to_a_part_that_is_begun_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write(path, 0, 3)
    with open_parts(path) as file:
        before = file.read()
        write(path, 3, 40)
        assert before + file.read() == b"".join(part.read_bytes() for part in parts_of(path))


@pytest.mark.parametrize("cut_bytes", [0, 1, 30])
def test_it_is_continued_in_its_last_part_whose_torn_line_is_cut_off(path: Path, cut_bytes: int) -> None:
    last = parts_of(path)[-1]
    last.write_bytes(last.read_bytes()[: last.stat().st_size - cut_bytes])
    write(path, 40, 80)
    assert payloads(path) == [*range(40 if cut_bytes == 0 else 39), *range(40, 80)]


def test_a_part_that_was_torn_before_its_first_line_is_begun_again(path: Path) -> None:
    begun = part_path(path, len(parts_of(path)) + 1)
    begun.write_bytes(b'{"n": 41, "t"')
    write(path, 40, 50)
    assert payloads(path) == list(range(50))


def test_a_changed_byte_of_any_part_and_a_missing_part_are_found(path: Path) -> None:
    for number in range(1, len(parts_of(path)) + 1):
        part = part_path(path, number)
        whole = part.read_bytes()
        part.write_bytes(whole.replace(b'"retain": false', b'"retain": true', 1))
        assert "digest" in check_recording(path).problem
        part.write_bytes(whole)
    part_path(path, 2).write_bytes(b"")
    assert "line" in check_recording(path).problem


def test_it_is_moved_and_removed_with_all_its_parts(path: Path, tmp_path: Path) -> None:
    count = len(parts_of(path))
    move_parts(path, tmp_path / "other.jsonl")
    assert (parts_of(path), len(parts_of(tmp_path / "other.jsonl"))) == ([], count)
    assert payloads(tmp_path / "other.jsonl") == list(range(40))
    remove_parts(tmp_path / "other.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_it_is_compressed_to_one_file(path: Path, tmp_path: Path) -> None:
    compress_recording(path, tmp_path / "r.jsonl.gz")
    assert payloads(tmp_path / "r.jsonl.gz") == list(range(40))
    assert check_recording(tmp_path / "r.jsonl.gz").problem == ""


def test_parts_whose_beginning_is_gone_are_not_taken_for_those_of_another_recording(path: Path) -> None:
    path.unlink()
    with pytest.raises(StoreError, match=r"recording\.jsonl\.2 is left"):
        write(path, 0, 1)
