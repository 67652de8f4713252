"""Reads a backup that may come from anywhere: its manifest, and whether every file is the one that was sealed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from protocols.errors import StoreError
from scenarios.backup.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, SavedFile
from scenarios.display.progress import ProgressCall

CHUNK_BYTES: Final = 1 << 20


def read_manifest(backup: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        StoreError: When it is none, or its seal does not hold.
    """
    path = backup / MANIFEST
    try:
        with path.open("rb") as file:
            manifest = Manifest.model_validate_json(file.read(MAX_MANIFEST_BYTES))
    except OSError as error:
        raise StoreError(
            f"{backup} is no backup: {MANIFEST} cannot be read ({error.strerror})",
            expected="the folder that `entropilot backup` made",
            action="name the folder itself, which ends with the journal's row",
        ) from None
    except ValidationError as error:
        raise _changed(path, f"{error.error_count()} of its entries are none") from None
    if manifest.seal != manifest.right_seal:
        raise _changed(path, "its seal does not hold")
    return manifest


def copy_sealed(backup: Path, manifest: Manifest, target: Path, progress: ProgressCall) -> None:
    """Copy the files of a backup, each held against its digest while it is copied.

    Args:
        backup: Its folder.
        manifest: What it says.
        target: A new folder.
        progress: Called with every file.

    Raises:
        StoreError: When one is missing or was changed, or cannot be copied.
    """
    for number, file in enumerate(manifest.files, 1):
        _copy(backup / file.name, target / file.name, file)
        progress("copying", number, len(manifest.files))


def _copy(source: Path, target: Path, told: SavedFile) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        if source.is_symlink() or not source.is_file():
            raise _changed(source, "it is missing, or no file")
        with source.open("rb") as original, target.open("wb") as copy:
            while chunk := original.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                if size > told.size:
                    break
                copy.write(chunk)
    except OSError as error:
        raise StoreError(
            f"{source} cannot be copied to {target} ({error.strerror or error})",
            expected="a backup that can be read, and a folder with room for it",
            action="free space, or choose another --runs",
        ) from None
    if (size, digest.hexdigest()) != (told.size, told.sha256):
        raise _changed(source, "it is not the file that was sealed")
    shutil.copymode(source, target)


def _changed(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path} was changed since the backup was made: {why}",
        expected="a backup as `entropilot backup` made it",
        action="take another backup of the campaign, or another copy of this one",
    )
