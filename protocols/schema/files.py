"""The generated documents as files: written, and compared with those that are committed beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from protocols.errors import StoreError
from protocols.schema.documents import SCHEMA_SUFFIX, documents

SCHEMA_FOLDER: Final = Path(__file__).with_name("v1")
"""Where the documents of this version are; part of the installed package."""


def write_documents(folder: Path) -> list[Path]:
    """Write every document that is missing or differs; leave all other files alone.

    Returns:
        The files written, in the order of their names; empty when all were up to date.

    Raises:
        StoreError: When the folder cannot be written.
    """
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in documents().items():
            path = folder / name
            if _read(path) != text:
                path.write_text(text, encoding="utf-8", newline="\n")
                written.append(path)
    except OSError as error:
        raise StoreError(
            f"The protocol documents cannot be written to {folder}: {error.strerror or error}",
            expected="a folder that can be written",
            action="choose another folder, or fix this one",
        ) from None
    return written


def drift(folder: Path) -> list[str]:
    """Compare a folder with what the code generates.

    Returns:
        A sentence for every document that is missing, differs, or is no longer generated; empty when there is none.

    Raises:
        StoreError: When a file in the folder cannot be read.
    """
    expected = documents()
    try:
        found = {name: _read(folder / name) for name in expected}
        stale = sorted(path.name for path in folder.glob(f"*{SCHEMA_SUFFIX}") if path.name not in expected)
    except OSError as error:
        raise StoreError(
            f"The protocol documents in {folder} cannot be read: {error.strerror or error}",
            expected="a folder of documents",
            action="choose another folder, or fix this one",
        ) from None
    problems = [
        f"{name} is missing" if found[name] is None else f"{name}: {_first_difference(found[name] or '', text)}"
        for name, text in expected.items()
        if found[name] != text
    ]
    return problems + [f"{name} is not generated any more" for name in stale]


def _read(path: Path) -> str | None:
    """Return the text of a file, with any system's line ends, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _first_difference(found: str, expected: str) -> str:
    ours, theirs = found.split("\n"), expected.split("\n")
    same = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    return (
        f"line {same + 1} is {ours[same].strip()[:80]!r}; expected {theirs[same].strip()[:80]!r}"
        if same < min(len(ours), len(theirs))
        else f"it has {len(ours)} lines; expected {len(theirs)}"
    )
