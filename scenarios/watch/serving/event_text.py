"""What a stream of events looks like (HTML, server-sent events). Pure."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

RETRY: Final = b"retry: 1000\n\n"
"""After so long a browser connects again [ms]."""


def event_text(name: str, content: BaseModel, sequence: int | None = None) -> bytes:
    """Return one event: JSON has no line ends, so its text is one line of data.

    Args:
        name: Which event.
        content: What it tells.
        sequence: The row of the journal up to which everything is told with it: what a reader comes back with.
    """
    head = "" if sequence is None else f"id: {sequence}\n"
    return f"{head}event: {name}\ndata: {content.model_dump_json()}\n\n".encode(errors="replace")


def sequence_named(text: str) -> int | None:
    """Return the row that a reader comes back with; None where it names none."""
    text = text.strip()
    return int(text[:20]) if text.isascii() and text.isdigit() else None
