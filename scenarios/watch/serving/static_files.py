"""The files of the page: read once when the server starts, so that no path of a browser ever reaches a disk."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

INDEX: Final = "index.html"
"""The document."""

PREFIX: Final = "/page/"
"""Below which its files are."""

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""Ending -> type, where a system's own table must not decide it: a script of another type is not run."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page.

    Attributes:
        content: Of it.
        media: Its type.
        tag: Names the content: a browser asks whether it has it already.
    """

    content: bytes
    media: str
    tag: str


def page_files() -> dict[str, StaticFile]:
    """Return all files of the page by the path that a browser asks for."""
    root = files("scenarios.watch") / "page"
    if not root.is_dir():
        return {}
    found = {f"{PREFIX}{path}": _read(path, each) for path, each in _below(root, "")}
    index = found.pop(f"{PREFIX}{INDEX}", None)
    return found if index is None else {"/": index, **found}


def _below(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _below(each, f"{prefix}{each.name}/") if not each.name.startswith("__") else []
        elif not each.name.endswith((".py", ".pyc")):
            found.append((f"{prefix}{each.name}", each))
    return found


def _read(path: str, each: Traversable) -> StaticFile:
    content = each.read_bytes()
    ending = path[path.rfind(".") :] if "." in path else ""
    media = TYPES.get(ending) or mimetypes.guess_type(path)[0] or "text/plain; charset=utf-8"
    return StaticFile(content, media, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
