"""A file of lines that never grows beyond a bound: a full one is put aside, and the oldest of those is deleted."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

from protocols.storage.named_errors import errors_named

MAX_LOG_BYTES: Final = 32 << 20
"""When a log is put aside [byte]: some seventy thousand results."""

KEPT_LOGS: Final = 4
"""How many are kept beside the one that is written: the end of a campaign of a quarter of a million results."""


class RotatingFile:
    """Appends lines to a file; older ones stand in `NAME.1` (the latest) to `NAME.4`.

    Args:
        path: The file; continued when it is there.
        max_bytes: When it is put aside [byte].
        kept: How many are kept beside it.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_LOG_BYTES, kept: int = KEPT_LOGS) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._file = self._opened()

    def write(self, text: str) -> int:
        """Append a text, and put the file aside when it ends a line beyond the bound."""
        with errors_named(self._path):
            count = self._file.write(text)
        if text.endswith("\n") and self._file.tell() >= self._max_bytes:
            self._put_aside()
        return count

    def flush(self) -> None:
        """Hand what is written to the system."""
        with errors_named(self._path):
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _opened(self) -> IO[str]:
        return self._path.open("a", encoding="utf-8", buffering=1)

    def _put_aside(self) -> None:
        self._file.close()
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._kept + 1))]
        for older, newer in zip(reversed(names), list(reversed(names))[1:], strict=False):
            if newer.exists():
                newer.replace(older)
        self._file = self._opened()
