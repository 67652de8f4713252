"""Finds the line of every key in TOML text: `tomllib` gives values and no places.

Pure, and only for text that `tomllib` has read without complaint: it follows the text and judges nothing. A table has
the line of the header, or of the dotted key, that first names it; an entry of an array has its position for a name,
`("operator", "0", "at")`, as the errors of pydantic do.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from protocols.errors import invariant
from protocols.settings.fields import Key

_SPACE: Final = re.compile(r"[ \t]*")
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
"""What may stand between two entries: space, ends of lines, comments."""

_BASIC: Final = r'"(?:\\.|[^"\\\n])*"'
_LITERAL: Final = r"'[^'\n]*'"
_LONG_BASIC: Final = r'"{3}(?:\\.|[^\\])*?"{3,5}'
_LONG_LITERAL: Final = r"'{3}.*?'{3,5}"
"""Text over several lines; up to two quotes of its own may stand before the three that end it."""

_OTHER: Final = r"[^\s,\]}#][^,\]}#\n]*"
"""A number, a truth, or a date, which may hold a space."""

_SEGMENT: Final = re.compile(rf"[A-Za-z0-9_-]+|{_BASIC}|{_LITERAL}")
_PLAIN_VALUE: Final = re.compile(f"{_LONG_BASIC}|{_LONG_LITERAL}|{_BASIC}|{_LITERAL}|{_OTHER}", re.DOTALL)


def toml_lines(text: str) -> dict[Key, int]:
    """Return the line, from 1, of every table, key and array entry of valid TOML text."""
    return _Text(text).followed()


@dataclass(slots=True)
class _Text:
    """The text and how far it is followed; `sizes` counts the tables of every array of tables."""

    text: str
    place: int = 0
    lines: dict[Key, int] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)

    def followed(self) -> dict[Key, int]:
        self.ends = [found.start() for found in re.finditer("\n", self.text)]
        table: Key = ()
        self._take(_BLANK)
        while self.place < len(self.text):
            if self._takes("["):
                table = self._header()
            else:
                self._assignment(table)
            self._take(_BLANK)
        return self.lines

    def _header(self) -> Key:
        one_of_many = self._takes("[")
        table: Key = ()
        segments = self._key()
        for position, segment in enumerate(segments, start=1):
            table = (*table, segment)
            self._note(table)
            if one_of_many and position == len(segments):
                self.sizes[table] = self.sizes.get(table, 0) + 1
            if table in self.sizes:  # below an array of tables, the last one is meant
                table = (*table, str(self.sizes[table] - 1))
                self._note(table)
        self.place += 2 if one_of_many else 1
        return table

    def _assignment(self, table: Key) -> None:
        for segment in self._key():
            table = (*table, segment)
            self._note(table)
        self.place += 1  # the equals sign
        self._take(_SPACE)
        self._value(table)

    def _value(self, key: Key) -> None:
        if self._takes("["):
            position = 0
            while self._has_entry("]"):
                self._note((*key, str(position)))
                self._value((*key, str(position)))
                position += 1
        elif self._takes("{"):
            while self._has_entry("}"):
                self._assignment(key)
        else:
            self._take(_PLAIN_VALUE)

    def _has_entry(self, end: str) -> bool:
        """Go on to the next entry of an array or an inline table, or past its end."""
        self._take(_BLANK)
        if self._takes(","):
            self._take(_BLANK)
        return not self._takes(end)

    def _key(self) -> Key:
        """Take a dotted key and the space around it."""
        key: Key = ()
        while True:
            self._take(_SPACE)
            segment = self._take(_SEGMENT)
            key = (*key, next(iter(tomllib.loads(f"{segment} = 0"))) if segment[0] in "\"'" else segment)
            self._take(_SPACE)
            if not self._takes("."):
                return key

    def _note(self, key: Key) -> None:
        self.lines.setdefault(key, bisect_left(self.ends, self.place) + 1)

    def _takes(self, mark: str) -> bool:
        is_there = self.text.startswith(mark, self.place)
        self.place += len(mark) if is_there else 0
        return is_there

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.place)
        invariant(found is not None, f"no TOML that tomllib accepts has this at character {self.place}")
        assert found is not None  # noqa: S101 - for the type checker
        self.place = found.end()
        return found.group()
