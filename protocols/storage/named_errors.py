"""Errors of a file that is open: the system does not say whose they are, and a person must know which disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Let the system's errors in the block bear the name of the file that is written."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
