"""What is wrong with settings, in plain words: the key, where it came from, what was found and what was expected.

A secret never gets here: values that may hold one are hidden, and a validator's message that repeats one is dropped.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from protocols.errors import SettingsError
from protocols.settings.fields import (
    HIDDEN,
    Key,
    dotted,
    every_key,
    fields_at,
    holds_secret,
    names_at,
    without_url_password,
)
from protocols.settings.origins import Origin, source_at
from protocols.settings.suggestions import UNKNOWN_NAME, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ENVIRONMENT_PREFIX: Final = "ENTROPILOT_"
"""Every environment variable of ours begins so; `__` separates the levels (`ENTROPILOT_BROKER__URL`)."""

MAX_PROBLEMS_LISTED: Final = 10
"""Most problems in one error: more do not fit a screen, and the first ones usually explain the rest."""

MAX_SHOWN_CHARACTERS: Final = 60
"""Longest value shown in an error [character]."""

MAX_NAMES_LISTED: Final = 12
"""Most valid names shown beside an unknown key."""

_LOOK_AT_ALL: Final = "`entropilot run SCENARIO --show-settings` lists every value with its source"

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


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, as three sentences without full stops (see `EntropilotError`)."""

    found: str
    expected: str = ""
    action: str = ""

    def __str__(self) -> str:
        """Return the problem as one line of a list."""
        return "; ".join(
            part for part in (self.found, self.expected and f"expected {self.expected}", self.action) if part
        )


def unknown_key(model: type[BaseModel], key: Key, source: str) -> Problem:
    """Describe a key that is no setting, with the nearest one that is."""
    nearest = _nearest(model, key)
    if nearest is not None:
        named = dotted(nearest)
        if source.startswith(ENVIRONMENT_PREFIX):
            named = ENVIRONMENT_PREFIX + "__".join(nearest).upper()
        return Problem(f"There is no setting {dotted(key)} (from {source})", action=f"use {named}, the nearest setting")
    names = _neighbours(model, key)
    listed = ", ".join(names[:MAX_NAMES_LISTED]) + (", …" if len(names) > MAX_NAMES_LISTED else "")
    where = f"in {dotted(key[:-1])}: " if key[:-1] else ""
    return Problem(f"There is no setting {dotted(key)} (from {source})", expected=where + f"one of {listed}")


def wrong_values(
    model: type[BaseModel], merged: Mapping[str, Any], origins: Mapping[Key, Origin], details: Iterable[ErrorDetails]
) -> list[Problem]:
    """Describe what pydantic refused, one problem a key."""
    found = list(details)
    by_key: dict[Key, list[ErrorDetails]] = {}
    # What a validator filled in from elsewhere is wrong there too, and is mended there.
    for detail in [detail for detail in found if _is_given(detail, merged)] or found:
        by_key.setdefault(_key_of(detail, merged), []).append(detail)
    by_key = {key: wrong for key, wrong in by_key.items() if not _is_explained(key, wrong, by_key)}
    secrets = [text for key, text in _texts(merged) if holds_secret(model, _field_key(key))]
    known = _Known(model, merged, origins, secrets)
    return [_wrong_value(known, key, wrong) for key, wrong in by_key.items()]


def settings_error(problems: Sequence[Problem]) -> SettingsError:
    """Make one error of all that is wrong."""
    if len(problems) == 1:
        (problem,) = problems
        return SettingsError(
            problem.found,
            expected=problem.expected,
            action=problem.action or f"change it; {_LOOK_AT_ALL}",
        )
    lines = [f"  - {problem}" for problem in problems[:MAX_PROBLEMS_LISTED]]
    if len(problems) > MAX_PROBLEMS_LISTED:
        lines.append(f"  - and {len(problems) - MAX_PROBLEMS_LISTED} more")
    return SettingsError(
        f"{len(problems)} settings are wrong:\n" + "\n".join(lines), action=f"change these; {_LOOK_AT_ALL}"
    )


def _nearest(model: type[BaseModel], key: Key) -> Key | None:
    name, neighbours = key[-1].lower(), _neighbours(model, key)
    if close := difflib.get_close_matches(name, neighbours, n=1, cutoff=0.6):
        return (*key[:-1], close[0])
    elsewhere = (known for known in every_key(model) if known[-1] == name and known != key)
    return next(elsewhere, None)


def _neighbours(model: type[BaseModel], key: Key) -> list[str]:
    """What else stands in the section of a key; the name itself may be that of another kind of section."""
    return [name for name in names_at(model, _field_key(key[:-1])) if name != key[-1]]


@dataclass(frozen=True, slots=True)
class _Known:
    model: type[BaseModel]
    merged: Mapping[str, Any]
    origins: Mapping[Key, Origin]
    secrets: list[str]


def _wrong_value(known: _Known, key: Key, details: list[ErrorDetails]) -> Problem:
    field_key = _field_key(key)
    fields = fields_at(known.model, field_key)
    name = dotted(key) or "The settings together"
    if all(detail["type"] == "missing" for detail in details):
        return _missing(known, key)
    source = source_at(known.origins, key) or "default"
    if any(detail["type"] == "extra_forbidden" for detail in details):
        return unknown_key(known.model, key, source)
    value = _value_at(known.merged, key)
    shown = HIDDEN if holds_secret(known.model, field_key) and not isinstance(value, Mapping) else _shown(value)
    said = [
        text for detail in details if (text := _said(detail)) and not any(secret in text for secret in known.secrets)
    ]
    expected = [text for detail in details if (text := _expected(detail, fields))]
    if not said and not expected:
        expected = ["a value that its check accepts"]
    is_ = f"{name} is {shown} (from {source})" if shown else f"{name} is wrong (from {source})"
    return Problem(
        ": ".join([is_, *dict.fromkeys(said)]),
        expected=" or ".join(dict.fromkeys(expected)),
        action=next(filter(None, map(_suggested, details)), ""),
    )


def _missing(known: _Known, key: Key) -> Problem:
    files = {set_: origin for set_, origin in known.origins.items() if origin.lines}
    section = source_at(files, key[:-1]) if key[:-1] else None
    found = f"{dotted(key)} is not set" + (f" (in {section})" if section else "")
    if key != _field_key(key):
        return Problem(found, action="write it there")  # neither a variable nor a flag reaches into a list
    variable = ENVIRONMENT_PREFIX + "__".join(key).upper()
    return Problem(found, action=f"set it in a settings file, by {variable} or by --set {dotted(key)}=…")


def _suggested(detail: ErrorDetails) -> str:
    """The nearest of the names that would do, where a value is a name."""
    context = detail.get("ctx", {})
    given = context.get("tag", detail["input"])
    names = re.findall("'([^']*)'", str(context.get("expected", context.get("expected_tags", ""))))
    return did_you_mean(given, names) if isinstance(given, str) else ""


def _said(detail: ErrorDetails) -> str:
    """The words of a validator of ours; pydantic's own are for programmers."""
    if detail["type"] in {"value_error", "assertion_error"}:
        return detail["msg"].partition(", ")[2] or detail["msg"]
    return ""


def _expected(detail: ErrorDetails, fields: list[FieldInfo]) -> str:
    kind = detail["type"]
    if kind in {"value_error", "assertion_error"}:
        return ""
    if kind in _LIMITS:
        limit = _LIMITS[kind].format_map(detail.get("ctx", {}))
        numbers = {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}
        return ", ".join(_bounds(fields)) or limit if kind in numbers else limit
    for beginning in sorted(_KINDS, key=len, reverse=True):
        if kind.startswith(beginning):
            return ", ".join([_KINDS[beginning], *_bounds(fields)])
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _bounds(fields: list[FieldInfo]) -> list[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    return [
        f"{word} {getattr(rule, name)}"
        for found in fields[:1]
        for rule in found.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]


def _shown(value: Any) -> str:
    """A value as one short line; nothing for a table, whose parts have errors of their own."""
    if isinstance(value, Mapping):
        return ""
    plain = without_url_password(to_jsonable_python(value, inf_nan_mode="strings", fallback=str))
    text = json.dumps(plain, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def _key_of(detail: ErrorDetails, merged: Mapping[str, Any]) -> Key:
    """The key of an error, without the names of union members that pydantic puts between."""
    key: Key = ()
    here: Any = merged
    location = detail["loc"]
    for position, segment in enumerate(location):
        if isinstance(here, Mapping) and segment in here:
            here = here[str(segment)]
        elif isinstance(here, list | tuple) and isinstance(segment, int) and segment < len(here):
            here = here[segment]
        elif not (detail["type"] in {"missing", "extra_forbidden"} and position == len(location) - 1):
            continue
        key = (*key, str(segment))
    return key


def _is_given(detail: ErrorDetails, merged: Mapping[str, Any]) -> bool:
    """Whether the settings say what is wrong, or leave out what they must say in a section that they have."""
    here: Any = merged
    location = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
    for segment in location:
        if not isinstance(here, Mapping):
            return True
        if segment not in here:
            return False
        here = here[str(segment)]
    return True


def _is_explained(key: Key, details: list[ErrorDetails], by_key: Iterable[Key]) -> bool:
    """Whether a table is refused only for not being what else may stand there, and something inside of it says why."""
    inside = any(len(other) > len(key) and other[: len(key)] == key for other in by_key)
    return bool(key) and inside and all(detail["type"].startswith(tuple(_KINDS)) for detail in details)


def _value_at(merged: Mapping[str, Any], key: Key) -> Any:
    here: Any = merged
    for segment in key:
        here = here[int(segment)] if isinstance(here, list | tuple) else here[segment]
    return here


def _field_key(key: Key) -> Key:
    """The key without positions in lists: what names a field."""
    return tuple(segment for segment in key if not segment.isdigit())


def _texts(tree: Any, above: Key = ()) -> list[tuple[Key, str]]:
    if isinstance(tree, Mapping):
        return [pair for name, inner in tree.items() for pair in _texts(inner, (*above, str(name)))]
    if isinstance(tree, list | tuple):
        return [pair for inner in tree for pair in _texts(inner, above)]
    return [(above, str(tree))] if tree not in ("", None) else []
