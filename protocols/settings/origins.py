"""Where the value of a setting comes from, as a person finds it: a file and its line, a variable, a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.settings.fields import Key


@dataclass(frozen=True, slots=True)
class Origin:
    """What sets a value.

    Attributes:
        source: Name of the file, the variable or the flag.
        lines: For a file, the line of every key of it.
    """

    source: str
    lines: Mapping[Key, int] = field(default_factory=dict, repr=False)

    def of(self, key: Key) -> str:
        """Say where it sets a key: by the line of the key, or of the nearest table around it."""
        for length in range(len(key), 0, -1):
            if (line := self.lines.get(key[:length])) is not None:
                return f"{self.source}, line {line}"
        return self.source


def source_at(origins: Mapping[Key, Origin], key: Key) -> str | None:
    """The source of the value at a key: its own, that of the table around it, or those of what is inside."""
    for length in range(len(key), 0, -1):
        if (origin := origins.get(key[:length])) is not None:
            return origin.of(key)
    inside = dict.fromkeys(origin.of(key) for known, origin in origins.items() if known[: len(key)] == key)
    return "; ".join(inside) or None
