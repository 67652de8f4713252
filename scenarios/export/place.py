"""Where an export goes: a new folder, a new ZIP file or a new file, there whole or not at all.

Nothing that is there is overwritten, and nothing goes into a run folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write
from scenarios.sources.run_folder import is_run_folder

ZIP: Final = ".zip"
CHUNK_BYTES: Final = 1 << 20

_FIRST_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP file can say: the same content gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an export.

    Attributes:
        path: Within it, with slashes.
        chunks: Returns its content, in pieces.
    """

    path: str
    chunks: Callable[[], Iterator[bytes]]

    @classmethod
    def of(cls, path: str, content: bytes) -> Member:
        """Return a file of some bytes."""
        return cls(path, lambda: iter((content,)))


def size_and_digest(member: Member) -> tuple[int, str]:
    """Return the size of a file [byte] and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    for chunk in member.chunks():
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def require_free_place(place: Path, run: Path) -> None:
    """Check that an export can go to a place.

    Args:
        place: Where it is to go.
        run: The run folder.

    Raises:
        StoreError: When something is there, or it is within a run folder.
    """
    if os.path.lexists(place) and not (place.is_dir() and not any(place.iterdir())):
        raise StoreError(
            f"{place} is there already",
            expected="a place where nothing is: an export overwrites nothing",
            action="name another --to, or move it",
        )
    above = place.resolve().parents
    if run.resolve() in (place.resolve(), *above) or any(is_run_folder(each) for each in (place, *above[:2])):
        raise StoreError(
            f"{place} is in a run folder, which is as its run wrote it",
            expected="a place of its own",
            action="name another --to",
        )


def write_folder(place: Path, members: Sequence[Member]) -> None:
    """Write files to a new folder; it is there when all of them are.

    Raises:
        StoreError: When it cannot be written, or something came to be there meanwhile.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
    except OSError as error:
        raise _not_written(place, error) from None
    try:
        for each in members:
            path = building / each.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.writelines(each.chunks())
                file.flush()
                os.fsync(file.fileno())
        building.chmod(0o777 & ~_umask())
        building.replace(place)
    except OSError as error:
        raise _not_written(place, error) from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def write_zip(place: Path, members: Sequence[Member]) -> None:
    """Write files into a new ZIP file; the same files give the same bytes.

    Raises:
        StoreError: When it cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in members:
            entry = zipfile.ZipInfo(each.path, _FIRST_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                file.writelines(each.chunks())


def write_file(place: Path, content: bytes) -> None:
    """Write one new file.

    Raises:
        StoreError: When it cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as file:
        file.write(content)


def _umask() -> int:
    """Return what new files may not have; a temporary folder is for its owner alone, an export for whoever may read."""
    now = os.umask(0o022)
    os.umask(now)
    return now


def _not_written(place: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{place} cannot be written ({error.strerror or type(error).__name__})",
        expected="a folder with space and the right to write, and nothing at this place",
        action="name another --to, or free some space",
    )
