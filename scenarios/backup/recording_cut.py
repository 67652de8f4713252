"""Copies a recording as far as a commit: up to the row that the database has marked, and what was only sent after it.

A row of messages behind the mark may belong to the commit (a receipt goes out after it), and a note never does. So the
copy ends before the first note that follows the mark, as a recording ends that a kill cut off there; whoever resumes
notes what the journal has beyond it, as ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agent.store.commit import RecordingMark
from protocols.errors import StoreError
from protocols.recording.lines import MAX_LINE_BYTES
from protocols.recording.parts import part_path, parts_of


@dataclass(slots=True)
class _Cut:
    """How far a copy has come: number of the last row, -1 before the header, and whether its end was found."""

    row: int = -1
    is_over: bool = False


def cut_recording(path: Path, target: Path, mark: RecordingMark | None) -> int:
    """Copy a recording that may be growing; return the number of the last row of the copy.

    Args:
        path: The recording; its parts are copied as parts.
        target: The copy; not there yet.
        mark: Where it stood at the commit; None where the database has marked nothing, then it ends before its first
            note.

    Raises:
        StoreError: When its row there is another than the database says.
        OSError: When a file cannot be read or written.
    """
    cut = _Cut()
    for number, part in enumerate(parts_of(path), 1):
        with part.open("rb") as source, part_path(target, number).open("wb") as copy:
            while not cut.is_over and (line := source.readline(MAX_LINE_BYTES)).endswith(b"\n"):
                if _ends_before(line, cut.row + 1, mark):
                    cut.is_over = True
                    break
                cut.row += 1
                if mark is not None and cut.row == mark.row:
                    _require_same(line, path, mark)
                copy.write(line)
            is_empty = not copy.tell()
        if is_empty and number > 1:
            part_path(target, number).unlink()
        if cut.is_over:
            break
    return cut.row


def _ends_before(line: bytes, row: int, mark: RecordingMark | None) -> bool:
    """Tell whether a row belongs to a later commit: it stands behind the mark, and is a note."""
    is_behind = row > (0 if mark is None else mark.row)
    return is_behind and b'"note": ' in line and "note" in json.loads(line)


def _require_same(line: bytes, path: Path, mark: RecordingMark) -> None:
    if json.loads(line).get("digest") != mark.digest:
        raise StoreError(
            f"Row {mark.row} of {path} is another than the database has marked",
            expected="a database and a recording that were written together",
            action="`entropilot verify` tells what is wrong with the run",
        )
