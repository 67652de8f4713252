"""Why a structure cannot be read, as it travels inside of this folder; `parse.py` alone turns it into an outcome."""

from __future__ import annotations

from protocols.structures.reading import UnreadStructure


class StructureFault(Exception):
    """A structure cannot be used; the words are those of `UnreadStructure`."""

    def __init__(self, reason: str, found: str, expected: str = "", line: int = 0) -> None:
        super().__init__(found)
        self.unread = UnreadStructure(reason=reason, found=found, expected=expected, line=line)
