"""Where the value of a setting comes from, as a person finds it: a file and its line, a variable, a flag, a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from protocols.settings.fields import Key, dotted

DEFAULT_SOURCE: Final = "default"
"""Source of a value that no layer sets."""

DERIVED: Final = "derived from "
"""How the source of a value begins that follows from another setting."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What sets a value.

    Attributes:
        source: Name of the file, the variable or the flag, or the setting that the value follows from.
        lines: For a file, the line of every key of it.
        is_derived: Whether no layer sets the value, and it follows from another setting.
    """

    source: str
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False)
    is_derived: bool = False

    def of(self, key: Key) -> str:
        """Say where it sets a key: by the line of the key, or of the nearest table around it."""
        for length in range(len(key), 0, -1):
            if (line := self.lines.get(key[:length])) is not None:
                return f"{self.source}, line {line}"
        return self.source


def derived_origin(key: Key) -> Origin:
    """Return the origin of a value that follows from the setting of a key."""
    return Origin(f"{DERIVED}{dotted(key)}", is_derived=True)


def source_at(origins: Mapping[Key, Origin], key: Key) -> str | None:
    """The source of the value at a key: its own, that of the table around it, or those of what is inside.

    Of what is inside, derived values count only where there are no others: a person changes what a person wrote.
    """
    for length in range(len(key), 0, -1):
        if (origin := origins.get(key[:length])) is not None:
            return origin.of(key)
    inside = [origin for known, origin in origins.items() if known[: len(key)] == key]
    written = [origin for origin in inside if not origin.is_derived] or inside
    return "; ".join(dict.fromkeys(origin.of(key) for origin in written)) or None


def in_words(source: str) -> str:
    """Return a source as it stands in brackets behind a value."""
    return source if source.startswith(DERIVED) else f"from {source}"
