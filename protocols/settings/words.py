"""pydantic's errors in plain words: what was expected, what a validator of ours said, which name was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pydantic.fields import FieldInfo

from protocols.settings.suggestions import UNKNOWN_NAME, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS: Final[Mapping[str, str]] = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a table of settings",
    "mapping": "a table of settings",
    "model": "a table of settings",
    "dataclass": "a table of settings",
    "path": "a path",
    "datetime": "a date and time",
    "date": "a date",
    "time_delta": "a duration in seconds",
    "url": "an address such as mqtt://host:1883",
    "none_required": "nothing here",
    "missing": "a value",
}
"""Plain words by the beginning of pydantic's error type."""

_NUMBERS: Final = frozenset({"greater_than_equal", "greater_than", "less_than_equal", "less_than"})
"""Errors of pydantic for a number beyond a bound."""

_LIMITS: Final[Mapping[str, str]] = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    UNKNOWN_NAME: "one of {expected}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "union_tag_invalid": "{discriminator} to be one of {expected_tags}",
    "union_tag_not_found": "a value for {discriminator}",
}
"""Plain words by pydantic's error type, filled with its context."""


def suggested(detail: ErrorDetails) -> str:
    """The nearest of the names that would do, where a value is a name."""
    context = detail.get("ctx", {})
    given = context.get("tag", detail["input"])
    names = re.findall("'([^']*)'", str(context.get("expected", context.get("expected_tags", ""))))
    return did_you_mean(given, names) if isinstance(given, str) else ""


def said(detail: ErrorDetails) -> str:
    """The words of a validator of ours; pydantic's own are for programmers."""
    if detail["type"] in {"value_error", "assertion_error"}:
        return detail["msg"].partition(", ")[2] or detail["msg"]
    return ""


def expected(detail: ErrorDetails, fields: list[FieldInfo]) -> str:
    """What the fields at the key would have taken."""
    kind = detail["type"]
    if kind in {"value_error", "assertion_error"}:
        return ""
    if kind in _LIMITS:
        limit = _LIMITS[kind].format_map(detail.get("ctx", {}))
        return ", ".join(_bounds(fields)) or limit if kind in _NUMBERS else limit
    for beginning in sorted(_KINDS, key=len, reverse=True):
        if kind.startswith(beginning):
            return ", ".join([_KINDS[beginning], *_bounds(fields)])
    return detail["msg"][:1].lower() + detail["msg"][1:]


def is_of_another_kind(detail: ErrorDetails) -> bool:
    """Whether a value is refused only for not being what else may stand there."""
    return detail["type"].startswith(tuple(_KINDS))


def _bounds(fields: list[FieldInfo]) -> list[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    return [
        f"{word} {getattr(rule, name)}"
        for found in fields[:1]
        for rule in found.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]
