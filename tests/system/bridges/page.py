"""A page of the documents, tried as a reader would: its files are saved, and its commands typed in a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from scenarios.broker.mosquitto import MOSQUITTO_FOLDERS
from tests.support.commands import clean_environment
from tests.support.documents.markdown import ROOT, Document

HOW_TO: Final = ROOT / "docs" / "how-to"


def page(name: str) -> Document:
    """Return a page of how something is done."""
    return Document((HOW_TO / name).resolve())


def file_of(document: Document, name: str) -> str:
    """Return the content of a file that a page shows."""
    return next(each.body for each in document.blocks() if each.file_name == name)


def save_files(document: Document, folder: Path, **instead: str) -> None:
    """Save every file that a page shows.

    Args:
        document: The page.
        folder: Where to.
        instead: Words of the page, with `port_` before a number, and what a reader writes in their place.
    """
    for block in document.blocks():
        if block.file_name:
            content = block.body
            for words, other in instead.items():
                content = content.replace(words.removeprefix("port_"), other)
            (folder / block.file_name).write_text(content, encoding="utf-8")


def environment() -> dict[str, str]:
    """The environment of a reader who has installed Entropilot and Mosquitto."""
    places = (Path(sys.executable).parent, os.environ["PATH"], *MOSQUITTO_FOLDERS)
    return clean_environment() | {"PATH": os.pathsep.join(map(str, places)), "PYTHONPATH": str(ROOT)}
