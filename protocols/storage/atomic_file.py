"""Files that are there whole or not at all: a reader never sees half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from protocols.errors import StoreError


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Write to a temporary file in the same folder, and put it in the place of `path` when all went well.

    Raises:
        StoreError: When the folder or the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            # Without it, a power cut after the rename can leave an empty file of the right name.
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or type(error).__name__})",
            expected="a folder that exists, with space and the right to write",
            action="choose another folder or free some space",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
