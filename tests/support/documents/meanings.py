"""What the figures mean, told by the page under `?` and by `report --meanings`.

They are the first lines of each section of docs/explanation/reading-the-picture.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from tests.support.documents.markdown import ROOT

SOURCE: Final = ROOT / "docs" / "explanation" / "reading-the-picture.md"

HEAD: Final = """// What the figures mean, from docs/explanation/reading-the-picture.md.
// Made by `python -m tests.support.documents.reference`; do not edit.

export const MEANINGS = """

_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def meanings_of_figures() -> str:
    """Return the module of the page."""
    return f"{HEAD}{_as_json()};\n"


def meanings_for_terminals() -> str:
    """Return what the terminal reads."""
    return f"{_as_json()}\n"


def _as_json() -> str:
    return json.dumps(list(_meanings()), indent=1, ensure_ascii=False)


def _meanings() -> Iterator[tuple[str, str]]:
    _, *sections = re.split(r"^## ", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in sections:
        title, first = section.split("\n\n")[:2]
        first = " ".join(first.split())
        quoted = re.sub(r"`([^`]*\s[^`]*)`", r"“\1”", _LINK.sub(r"\1", first))
        yield title, re.sub(r"[*`]", "", quoted)
