"""How a pack is known: by its name, or by how the file begins. Light, for a name is looked at by every command."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from protocols.storage.regular_file import begins_with

SUFFIX: Final = ".pack"

ZIP_MAGIC: Final = b"PK\x03\x04"
"""First bytes of a ZIP file."""


def is_pack(path: Path) -> bool:
    """Tell whether a person means a pack: by the name, or by how the file begins."""
    try:
        if path.suffix == SUFFIX:
            return path.exists()
        return begins_with(path, ZIP_MAGIC)
    except OSError:
        return False  # such as a name that is too long to be one
