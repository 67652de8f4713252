"""The parts of a recording: one that has grown long goes on in a further file, and is read as one.

    recording.jsonl  recording.jsonl.2  recording.jsonl.3  …

The lines and their chain of digests go on from part to part as if there were one file: `cat` of all in their order is
the recording. A part ends with a whole line, which is on the disk before the next part is begun; only the last one may
be torn. A compressed recording is one file.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, Final, cast

MAX_PART_BYTES: Final = 256 << 20
"""When a recording goes on in a further file [byte]: half a million messages; an editor still opens it, and a copy that
breaks off is soon made again."""


def part_path(path: Path, number: int) -> Path:
    """Return the file of a part; the first is the recording's own."""
    return path if number == 1 else path.with_name(f"{path.name}.{number}")


def parts_of(path: Path) -> list[Path]:
    """Return the files of a recording that are there, in order; none where there is no first."""
    found: list[Path] = []
    while (part := part_path(path, len(found) + 1)).is_file():
        found.append(part)
    return found


def size_of(path: Path) -> int:
    """Return how much a recording holds in all its parts [byte].

    Raises:
        OSError: When one cannot be looked at.
    """
    return sum(part.stat().st_size for part in parts_of(path))


def move_parts(source: Path, target: Path) -> None:
    """Give a recording another name, with all its parts; the first comes last, so that it is there whole or not.

    Raises:
        OSError: When one cannot be moved.
    """
    for number in range(len(parts_of(source)), 0, -1):
        part_path(source, number).replace(part_path(target, number))


def remove_parts(path: Path) -> None:
    """Delete a recording with all its parts.

    Raises:
        OSError: When one cannot be deleted.
    """
    for part in reversed(parts_of(path)):
        part.unlink()


def open_parts(path: Path) -> BinaryIO:
    """Open a recording for reading, all its parts as one file.

    Raises:
        OSError: When one cannot be opened.
    """
    return cast("BinaryIO", io.BufferedReader(_JoinedParts(path)))


class _JoinedParts(io.RawIOBase):
    """The bytes of the parts, one after the other; a part that is begun while it is read is read too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 1
        self._file = path.open("rb", buffering=0)
        self._read = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the base class names any buffer
        while (count := self._file.readinto(buffer) or 0) == 0 and self._has_gone_on():
            pass
        self._read += count
        return count

    def _has_gone_on(self) -> bool:
        following = part_path(self._path, self._number + 1)
        if not following.is_file():
            return False
        self._file.close()
        self._file, self._number = following.open("rb", buffering=0), self._number + 1
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Tell the place; nobody goes to another one."""
        if (offset, whence) != (0, io.SEEK_CUR):
            raise io.UnsupportedOperation("the parts of a recording are read from the beginning to the end")
        return self._read

    def close(self) -> None:
        self._file.close()
        super().close()
