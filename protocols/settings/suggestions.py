"""Names that a person mistypes: the nearest one that there is, and a check for settings that are names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic_core import PydanticCustomError

UNKNOWN_NAME: Final = "unknown_name"
"""Type of the error that `require_name` raises; its context has what was expected, as pydantic's for literals."""

NEAR: Final = 0.5
"""Smallest likeness of a name that is suggested: short names with two letters exchanged have it."""


MAX_NAMES_SHOWN: Final = 30
"""Most names in an error: a screenful."""


def listed(names: Sequence[str]) -> str:
    """Return names as an error lists them: a screenful, and how many more there are."""
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    return ", ".join(names[:MAX_NAMES_SHOWN]) + more


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like the given one; None where none is near."""
    by_lower = {each.lower(): each for each in reversed(list(names))}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=NEAR)
    return by_lower[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a question that suggests the nearest name; nothing where none is near."""
    near = nearest_name(name, names)
    return "" if near is None else f"did you mean {near!r}?"


def require_name(name: str, names: Iterable[str], otherwise: str = "") -> None:
    """Check in a validator that a name is one of those that there are.

    Args:
        name: What was given.
        names: What there is.
        otherwise: What else would do, in words.

    Raises:
        PydanticCustomError: When it is not.
    """
    known = list(names)
    if name not in known:
        expected = ", ".join(map(repr, known)) + (f", or {otherwise}" if otherwise else "")
        raise PydanticCustomError(UNKNOWN_NAME, "one of {expected}", {"expected": expected})
