"""Where a command puts its results: a place of its own, so that nothing that was written earlier is overwritten.

Without `--out`, a place is numbered from 2 where one of its name is there. With it, the place is taken as it was named,
and refused where it holds what the command would write.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from protocols.errors import StoreError
from scenarios.sources.run_folder import names_in_turn


def new_folder(place: Path) -> Path:
    """Make a folder of this name, numbered where there is one; two commands at once never get the same.

    Raises:
        OSError: When no folder can be made there.
    """
    names = names_in_turn(place.name)
    while True:
        folder = place.with_name(next(names))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not os.path.lexists(folder):
                raise  # what is in the way is above it
        else:
            return folder


def new_file(place: Path) -> Path:
    """Return a place for a file, numbered before its ending where there is one of this name."""
    names = (f"{name}{place.suffix}" for name in names_in_turn(place.stem))
    return next(path for path in map(place.with_name, names) if not path.exists())


def require_free(folder: Path | None, names: Sequence[str]) -> None:
    """Check that nothing is overwritten in a folder that a person named.

    Args:
        folder: Where results are to go; None where nobody named it.
        names: Of the files that would be written.

    Raises:
        StoreError: When it is no folder, or holds one of these files.
    """
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is no folder", expected="a folder, or none yet", action="choose another --out")
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise StoreError(
            f"{folder} holds {', '.join(there)} already",
            expected="a folder without results, or none yet; without --out a new one is made",
            action="choose another --out, or move them",
        )


def require_new(path: Path | None) -> None:
    """Check that a file that a person named is not there yet; None where nobody named one.

    Raises:
        StoreError: When it is.
    """
    if path is not None and path.exists():
        raise StoreError(
            f"{path} is there already",
            expected="a new file; without --out one is made",
            action="choose another --out, or move it",
        )
