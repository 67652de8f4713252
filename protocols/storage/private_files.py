"""Files that are nobody else's: what a campaign measured, and what its messages said, is not for every user to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY_FOLDER: Final = 0o700
"""Rights of a run folder: its owner may list, read and write it, and nobody else anything."""

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
