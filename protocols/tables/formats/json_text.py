"""JSON, one value after another, so that a long list is never whole in memory but as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; of a key that is there twice, nobody can tell which is meant."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return made


DECODER: Final = json.JSONDecoder(object_pairs_hook=_distinct)
"""Reads JSON as Python does (NaN and Infinity are numbers, whole numbers are whole), and refuses a key that is there
twice."""


def start_of(text: str, at: int = 0) -> int:
    """Return where the value begins that comes next."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


class Elements:
    """The values of a list in a text, one after another.

    Attributes:
        end: Where the list ends, once all values have been taken.
    """

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._start = at
        self.end = at

    def __iter__(self) -> Iterator[Any]:
        """Yield each value.

        Raises:
            ValueError: Where it is no list of JSON.
        """
        text, at = self._text, start_of(self._text, self._start + 1)
        is_empty = text[at : at + 1] == "]"
        while not is_empty:
            value, at = DECODER.raw_decode(text, at)
            yield value
            at = start_of(text, at)
            if text[at : at + 1] == "]":
                break
            if text[at : at + 1] != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at = start_of(text, at + 1)
        self.end = at + 1


def members_of(text: str, at: int) -> dict[str, int]:
    """Return where the value of each member begins, of the object that begins at `at`.

    Raises:
        ValueError: When it is no object of JSON, a key stands twice, or something follows it.
    """
    found: dict[str, int] = {}
    at = start_of(text, at + 1)
    if text[at : at + 1] == "}":
        return found
    while True:
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("Expecting a key in double quotes", text, at)
        key, at = DECODER.raw_decode(text, at)
        at = start_of(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object")
        found[key] = at = start_of(text, at + 1)
        at = start_of(text, _end_of(text, at))
        if text[at : at + 1] == "}":
            require_end(text, at + 1)
            return found
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = start_of(text, at + 1)


def require_end(text: str, at: int) -> None:
    """Refuse what follows a value that should be the last.

    Raises:
        ValueError: When something does.
    """
    if (rest := start_of(text, at)) < len(text):
        raise json.JSONDecodeError("Extra data", text, rest)


def _end_of(text: str, at: int) -> int:
    if text[at : at + 1] == "[":
        values = Elements(text, at)
        for _ in values:
            pass
        return values.end
    return DECODER.raw_decode(text, at)[1]
