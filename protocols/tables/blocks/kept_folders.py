"""Folders of what took long to make of a table: whole or not there, found by their content, bounded, and locked in use.

    <cache>/tables/<key>/    kept.json, in-use, and the arrays
    <cache>/tables/.<key>.<process>.part/    one that is being made

Whoever uses a folder holds a shared lock on its `in-use`, and one that is thrown away is locked alone before. What a
killed process left half made nobody holds, and the next one that makes a folder removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocols.errors import TableError
from protocols.storage.kept import cache_folder
from protocols.tables.blocks.limits import MAX_KEPT_BYTES, SPARE_BYTES

KEPT: Final = "kept.json"
"""Says what a folder holds; written last."""

IN_USE: Final = "in-use"

PART: Final = ".part"

LEAST_AGE_S: Final = 60.0
"""How old a folder is that is taken for one that a dead process left: its owner has locked it long before."""

if sys.platform == "win32":  # pragma: no cover - not run in our CI; a mapped file cannot be removed there anyway

    def _locked(_descriptor: int, *, alone: bool) -> bool:  # noqa: ARG001 - as below
        return True
else:
    import fcntl

    def _locked(descriptor: int, *, alone: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class Hold:
    """Keeps a folder from being thrown away, for as long as it lives.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / IN_USE).open("ab")
        _locked(self._file.fileno(), alone=False)

    def release(self) -> None:
        """Let it be thrown away."""
        self._file.close()

    def __del__(self) -> None:
        """Let it be thrown away."""
        self.release()


def kept_tables() -> Path:
    """Return the folder of all of them."""
    return cache_folder() / "tables"


def used(folder: Path) -> None:
    """Note that a folder was used now."""
    with contextlib.suppress(OSError):
        os.utime(folder / KEPT)


@contextlib.contextmanager
def made(key: str, size_bytes: int) -> Iterator[Path]:
    """Yield an empty folder, and put it in its place when all went well.

    Args:
        key: Its name.
        size_bytes: What will be written there.

    Raises:
        TableError: When there is no room for it, or it cannot be written.
    """
    home = kept_tables()
    part = home / f".{key}.{os.getpid()}{PART}"
    with _writing(home):
        home.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        _make_room(home, size_bytes)
        part.mkdir()
        hold = Hold(part)
        try:
            yield part
            place = home / key
            shutil.rmtree(place, ignore_errors=True)  # torn, or somebody else's of the same content
            part.rename(place)
        finally:
            hold.release()
            shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _writing(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TableError(
            f"The arrays of a table cannot be written in {home} ({error.strerror or type(error).__name__})",
            expected="a folder that can be written, with room for the features",
            action="free some space, or name another folder by the environment variable XDG_CACHE_HOME",
        ) from error


def _make_room(home: Path, size_bytes: int) -> None:
    """Throw away what is left over, and what was not used for longest where there is too much."""
    for each in home.glob(f".*{PART}"):
        with contextlib.suppress(OSError):
            if time.time() - each.stat().st_mtime > LEAST_AGE_S:
                _throw_away(each)
    folders = sorted((each for each in home.iterdir() if (each / KEPT).is_file()), key=_last_used)
    total = sum(map(_size, folders))
    for each in folders:
        if total + size_bytes <= MAX_KEPT_BYTES and _free(home) >= size_bytes + SPARE_BYTES:
            return
        size = _size(each)
        if _throw_away(each):
            total -= size
    if _free(home) < size_bytes + SPARE_BYTES:
        raise TableError(
            f"The features of the table take {size_bytes / 1024**3:.2f} GiB on the disk, and in {home} there are"
            f" {_free(home) / 1024**3:.2f} GiB free",
            expected="room for them once: they are read from there",
            action="free some space, or name another folder by the environment variable XDG_CACHE_HOME",
        )


def _throw_away(folder: Path) -> bool:
    """Remove a folder that nobody uses; tell whether it is gone."""
    with contextlib.suppress(OSError), (folder / IN_USE).open("ab") as file:
        if not _locked(file.fileno(), alone=True):
            return False
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _free(home: Path) -> int:
    return shutil.disk_usage(home).free


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


def _last_used(folder: Path) -> float:
    return (folder / KEPT).stat().st_mtime
