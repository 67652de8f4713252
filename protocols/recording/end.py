"""Where a recording ends: what a writer must know to continue it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from protocols.errors import StoreError
from protocols.recording.lines import HEADER_MARK, MAX_LINE_BYTES, line_digest
from protocols.recording.parts import parts_of

_WINDOW_BYTES: Final = 1 << 16
"""How much is read at once; four times as much, and again, only for a line that does not fit."""

_LARGEST_WINDOW_BYTES: Final = MAX_LINE_BYTES + 1
"""The longest line, and the end of the one before it."""


@dataclass(frozen=True, slots=True)
class RecordingEnd:
    """The end of a recording.

    Attributes:
        number: Of the last row; 0 where there is only the header.
        digest: Of the last line.
        time_s: Of the last row [s].
        before: Where the journal stood before the last transaction that is noted; None where there is no note.
        sequence: Where it stood after it.
        noted: Row of that note; 0 where there is none.
    """

    number: int
    digest: str
    time_s: float
    before: int | None = None
    sequence: int | None = None
    noted: int = 0


def cut_to_whole_lines(path: Path, *, has_notes: bool = True) -> RecordingEnd:
    """Cut a torn last line off, and return where the recording ends.

    Args:
        path: The recording, perhaps of several parts (`protocols.recording.parts`).
        has_notes: Whether the last note is looked for; where there is none, that reads all of it.

    Raises:
        StoreError: When it does not end like a recording; it is then left as it is.
    """
    parts = parts_of(path)
    with ExitStack() as opened:
        files = [opened.enter_context(part.open("rb")) for part in parts]
        lines = _lines_of_parts_backwards(files)
        try:
            last, number, end_of_last = next(lines)
            end = _end_of(last)
            is_noted = end.number == 0 or end.sequence is not None
            note = end if is_noted or not has_notes else _last_note(lines)
        except StopIteration:
            raise StoreError(
                f"{path} has no whole line", expected="a recording", action="move it away and run again"
            ) from None
        except (ValueError, KeyError, TypeError, OverflowError):
            raise StoreError(
                f"{path} does not end like a recording", expected="JSON lines", action="move it away and run again"
            ) from None
    for empty in reversed(parts[number + 1 :]):  # begun, and torn before the first whole line
        empty.unlink()
    os.truncate(parts[number], end_of_last)  # only now: a file that is something else is left as it is
    return RecordingEnd(end.number, end.digest, end.time_s, note.before, note.sequence, note.noted)


def _end_of(line: bytes) -> RecordingEnd:
    row: Any = json.loads(line)
    if not isinstance(row, dict):
        raise TypeError(row)
    if HEADER_MARK in row:
        digest = row.get("digest")
        return RecordingEnd(0, line_digest("", line) if digest is None else str(digest), 0.0)
    sequence = row.get("sequence")
    before = row.get("before", sequence)
    number = int(row["n"])
    noted = 0 if sequence is None else number
    return RecordingEnd(number, str(row["digest"]), float(row["t"]), before, sequence, noted)


def _last_note(lines: Iterator[tuple[bytes, int, int]]) -> RecordingEnd:
    return next((_end_of(line) for line, _, _ in lines if b'"note": ' in line), RecordingEnd(0, "", 0.0))


def _lines_of_parts_backwards(files: Sequence[BinaryIO]) -> Iterator[tuple[bytes, int, int]]:
    """Yield the whole lines from the last to the first, each with its part and the position of its end there [byte]."""
    for number in reversed(range(len(files))):
        for line, end in _lines_backwards(files[number]):
            yield line, number, end


def _lines_backwards(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield the whole lines from the last to the first, each with the position of its end [byte]."""
    end = file.seek(0, os.SEEK_END)
    end = _after_last_line_feed(file, end)
    window = _WINDOW_BYTES
    while end:
        start = max(0, end - window)
        file.seek(start)
        chunk = file.read(end - start)
        first = 0 if start == 0 else chunk.find(b"\n") + 1  # before it stands the end of a line that began earlier
        if start and not 0 < first < len(chunk):
            if window == _LARGEST_WINDOW_BYTES:
                raise ValueError("a line that is longer than any")
            window = min(4 * window, _LARGEST_WINDOW_BYTES)
            continue
        at = len(chunk)
        while at > first:
            begin = chunk.rfind(b"\n", first, at - 1) + 1 or first
            yield chunk[begin : at - 1], start + at
            at = begin
        end, window = start + first, _WINDOW_BYTES


def _after_last_line_feed(file: BinaryIO, end: int) -> int:
    while end:
        start = max(0, end - _WINDOW_BYTES)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
