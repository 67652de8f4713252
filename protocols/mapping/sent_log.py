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

from protocols.storage.named_errors import errors_named
from protocols.storage.run_lock import sync_names

SENT: Final = "+"
TAKEN_BACK: Final = "-"


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
        if path is None or not path.exists():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with errors_named(path):
                os.truncate(path, len(whole))
        for line in whole.decode(errors="replace").splitlines():
            self._fold(line)

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
        if is_new:
            sync_names(path)

    def _fold(self, line: str) -> None:
        if line.startswith(SENT):
            self._attempts[line.removeprefix(SENT)] = None
        else:
            self._attempts.pop(line.removeprefix(TAKEN_BACK), None)
