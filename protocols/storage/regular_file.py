"""A file that a command was given, before it is opened: opening a pipe would wait for ever."""

from __future__ import annotations

import stat
from pathlib import Path

from protocols.errors import StoreError


def begins_with(path: Path, magic: bytes) -> bool:
    """Tell whether something is a file, and begins with some bytes.

    Raises:
        OSError: When it cannot be read.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def require_regular_file(path: Path, kind: str) -> None:
    """Check that a path is a file.

    Args:
        path: As it was given.
        kind: What it should be ("recording", "pack").

    Raises:
        StoreError: When there is none, or it is a folder, a pipe or a device.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise StoreError(f"There is no {kind} at {path} ({error.strerror})", expected=f"a {kind}'s file") from None
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise StoreError(f"{path} is {found}", expected=f"a {kind}'s file", action="name the file itself")
