"""Fresh identifiers: of messages, which nobody else may have used."""

from __future__ import annotations

from uuid import uuid4


def fresh_id() -> str:
    """Return an identifier that nobody has used: 32 hexadecimal digits, 122 of their bits random."""
    return uuid4().hex
