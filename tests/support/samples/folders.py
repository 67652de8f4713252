"""What folders hold, so that tests can say that nothing in them changed."""

from __future__ import annotations

from pathlib import Path


def contents(folder: Path, besides: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Name -> bytes of every file of a folder whose name does not end in one of `besides`."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in besides}
