"""Which requests may be with the lab, written down before each is sent: so that no attempt is carried out twice.

A lab that does not look at ids carries out whatever comes. So a request is noted and synced before it is published; one
that certainly did not arrive is taken back. Whoever starts again after a kill finds noted what may have arrived, and
does not send that again: its answer comes, or its time runs out. A last line that is torn was never followed by a
sending.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from protocols.storage.atomic_file import atomic_write
from protocols.storage.named_errors import errors_named
from protocols.storage.run_lock import sync_names

SENT: Final = "+"
TAKEN_BACK: Final = "-"

REWRITTEN_FROM_BYTES: Final = 64 * 1024
"""Size from which on the file is written anew where most of it was taken back [byte]: a lab that is away over a weekend
is tried every two seconds."""


class SentLog:
    """The requests that may be with the lab.

    Args:
        path: The file; None keeps nothing over a restart.
        known: Attempts that are known from elsewhere to be with it.

    Raises:
        OSError: When the file cannot be read or written; it bears the file's name.
    """

    def __init__(self, path: Path | None, known: Iterable[str] = ()) -> None:
        self._attempts = dict.fromkeys(known)
        self._path = path
        self._bytes = 0
        if path is None or not path.exists():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with errors_named(path):
                os.truncate(path, len(whole))
        for line in whole.decode(errors="replace").splitlines():
            self._fold(line)
        self._bytes = len(whole)

    def __contains__(self, attempt_id: object) -> bool:
        return attempt_id in self._attempts

    def note(self, attempt_id: str) -> None:
        """Note that a request is about to be sent; it is on the disk when this returns."""
        if attempt_id not in self._attempts:
            self._write(f"{SENT}{attempt_id}")

    def take_back(self, attempt_id: str) -> None:
        """Note that it certainly did not arrive."""
        self._write(f"{TAKEN_BACK}{attempt_id}")

    def _write(self, line: str) -> None:
        self._fold(line)
        path = self._path
        if path is None:
            return
        is_new = not path.exists()
        with errors_named(path), path.open("ab") as file:
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        self._bytes += len(line) + 1
        if is_new:
            sync_names(path)
        elif self._bytes > REWRITTEN_FROM_BYTES:
            self._rewrite(path)

    def _rewrite(self, path: Path) -> None:
        """Leave out what was taken back, if that is most of it."""
        content = "".join(f"{SENT}{each}\n" for each in self._attempts).encode()
        if 2 * len(content) < self._bytes:
            with atomic_write(path) as file:
                file.write(content)
            self._bytes = len(content)

    def _fold(self, line: str) -> None:
        if line.startswith(SENT):
            self._attempts[line.removeprefix(SENT)] = None
        else:
            self._attempts.pop(line.removeprefix(TAKEN_BACK), None)
