"""How many backups of a campaign are kept where one is made again and again: the latest; nothing else is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

from protocols.errors import StoreError
from scenarios.backup.manifest import Manifest
from scenarios.backup.sealed import read_manifest


def remove_older(path: Path, manifest: Manifest, keep: int) -> tuple[Path, ...]:
    """Remove all but the latest backups of a campaign from the folder of its newest one; return which.

    Only a folder with a whole manifest of the same campaign (by uid) is ever removed.

    Args:
        path: The newest backup, which stays.
        manifest: What it says.
        keep: How many stay, with it; at least 1.
    """
    others: list[tuple[Manifest, Path]] = []
    for folder in path.parent.iterdir():
        if folder == path or folder.is_symlink() or not folder.is_dir():
            continue
        try:
            found = read_manifest(folder)
        except StoreError:
            continue  # none of ours, or one that a person must look at
        if found.uid == manifest.uid:
            others.append((found, folder))
    others.sort(key=lambda each: (each[0].made_at, each[0].row), reverse=True)
    removed = tuple(folder for _, folder in others[max(1, keep) - 1 :])
    for folder in removed:
        shutil.rmtree(folder)
    return removed
