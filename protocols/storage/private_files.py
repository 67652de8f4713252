"""Files that are nobody else's: what a campaign measured, and what its messages said, is not for every user to read.

Still less are passwords and keys (`SecretFile`): who can read those speaks for the lab, and who can write them leads
its parts to believe another one.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError

OWNER_ONLY_FOLDER: Final = 0o700
"""Rights of a run folder: its owner may list, read and write it, and nobody else anything."""

OWNER_ONLY: Final = 0o600
"""Rights of a file: its owner may read and write it, and nobody else anything."""

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""What everybody but the owner may do."""

MASKED: Final = 0o077
"""Rights that files and folders do not get which are made while a run folder is held."""


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that is there stays as it is.

    Raises:
        OSError: When it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)


@contextmanager
def private_files() -> Iterator[None]:
    """Let only their owner read the files that this process, and processes that it starts, make meanwhile."""
    before = os.umask(MASKED)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A kind of file with secrets in it, for its reader alone.

    Attributes:
        kind: What it is called, such as `password file`.
        largest_bytes: What is larger is another file [byte].
        expected: What such a file is, for errors.
        action: What to do where there is none that can be used.
    """

    kind: str
    largest_bytes: int
    expected: str
    action: str

    def read(self, path: Path) -> bytes:
        """Return what is in a file.

        Raises:
            SettingsError: When it is not there, is no file or a larger one, or is not its reader's alone.
        """
        try:
            with open(path, "rb", opener=_without_waiting) as file:
                status = os.fstat(file.fileno())
                content = file.read(self.largest_bytes + 1) if stat.S_ISREG(status.st_mode) else None
        except OSError as error:
            raise self.unusable(path, f"cannot be read ({error.strerror or type(error).__name__})") from None
        if content is None:
            raise self.unusable(path, "is no file")
        self._require_own(path, status)
        if len(content) > self.largest_bytes:
            raise self.unusable(path, f"is larger than {self.largest_bytes:,} bytes")
        return content

    def unusable(self, path: Path, why: str) -> SettingsError:
        """Return the error of a file that is none of the kind; it must not quote what is in it."""
        return SettingsError(f"The {self.kind} {path} {why}", expected=self.expected, action=self.action)

    def _require_own(self, path: Path, status: os.stat_result) -> None:
        if not hasattr(os, "geteuid"):  # pragma: no cover - Windows has no such rights
            return
        if status.st_uid not in {os.geteuid(), 0}:
            found, action = "belongs to another user", "copy it to a file of your own, if you trust that user"
        elif status.st_mode & OTHERS:
            found = f"can be read or written by others (mode {stat.S_IMODE(status.st_mode):04o})"
            action = f"chmod 600 {path}; make another secret if somebody may have read this one"
        else:
            return
        raise SettingsError(
            f"The {self.kind} {path} {found}", expected=f"yours alone, of mode {OWNER_ONLY:04o}", action=action
        )


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read at any moment, whole or not at all, whosever file lay there before.

    Raises:
        OSError: When it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, and a pipe without waiting for somebody to write to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
