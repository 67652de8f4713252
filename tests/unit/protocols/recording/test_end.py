"""The end of a recording is found without holding much of it, whatever its lines are like."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.recording import end as recording_end
from protocols.recording.end import cut_to_whole_lines
from protocols.recording.writer import RecordingWriter

HEADER = {"campaign": "alloys"}


def heard(path: Path, messages: int, payload: bytes = b"x" * 400) -> Path:
    """A recording without a note, as a recorder beside a campaign writes it."""
    writer = RecordingWriter(path, HEADER)
    for _ in range(messages):
        writer.write("heard", "lab/x", payload, retain=False)
    writer.close()
    return path


def test_a_long_recording_without_a_note_is_searched_in_little_memory(tmp_path: Path) -> None:
    path = heard(tmp_path / "r.jsonl", 10_000)
    tracemalloc.start()
    end = cut_to_whole_lines(path)
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (end.number, end.sequence) == (10_000, None)
    assert highest < path.stat().st_size / 10


def test_a_long_torn_end_is_cut_in_little_memory(tmp_path: Path) -> None:
    path = heard(tmp_path / "r.jsonl", 2)
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"x" * (8 << 20))
    tracemalloc.start()
    assert cut_to_whole_lines(path).number == 2
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size == whole
    assert highest < 1 << 20


@pytest.mark.parametrize("window", [1, 2, 7, 64])
def test_lines_are_found_backwards_wherever_a_window_begins(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr(recording_end, "_WINDOW_BYTES", window)
    lines = [b"%d" % number * (number * 7 % 23) for number in range(60)]
    text = b"".join(line + b"\n" for line in lines)
    found = list(recording_end._lines_backwards(io.BytesIO(text + b"torn")))
    assert [line for line, _ in reversed(found)] == lines
    assert [end for _, end in found][:2] == [len(text), len(text) - len(lines[-1]) - 1]


def test_a_line_that_is_longer_than_any_is_refused_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_end, "_LARGEST_WINDOW_BYTES", 1 << 17)
    path = heard(tmp_path / "r.jsonl", 2)
    with path.open("ab") as file:
        file.write(b"x" * (1 << 18) + b"\n")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="does not end like a recording"):
        cut_to_whole_lines(path)
    assert path.read_bytes() == before


def test_who_knows_that_there_are_no_notes_need_not_search_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = heard(tmp_path / "r.jsonl", 3)
    monkeypatch.delattr(recording_end, "_last_note")
    writer = RecordingWriter(path, HEADER, has_notes=False)
    assert (writer.before, writer.sequence) == (None, None)
    writer.close()
