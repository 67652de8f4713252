"""What is wrong with settings, in plain words: the key, where it came from, what was found and what was expected.

One fault is told once: not where another setting takes the value from the wrong one, nor as a setting that is not set
where its name is misspelt. A secret never gets here: values that may hold one are hidden, and a validator's message
that repeats one is dropped.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
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
from protocols.settings.origins import DEFAULT_SOURCE, Origin, in_words, source_at
from protocols.settings.renamed import RenamedSettings, new_name
from protocols.settings.tree import UNSET, texts, value_at
from protocols.settings.url_secrets import holds_password, without_password
from protocols.settings.words import expected, is_of_another_kind, said, suggested

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


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, as three sentences without full stops (see `EntropilotError`).

    Attributes:
        found: What was found.
        expected: What was expected.
        action: What to do.
        meant: The setting that was meant by a key that is none.
    """

    found: str
    expected: str = ""
    action: str = ""
    meant: Key | None = None

    def __str__(self) -> str:
        """Return the problem as one line of a list."""
        return "; ".join(
            part for part in (self.found, self.expected and f"expected {self.expected}", self.action) if part
        )


@dataclass(frozen=True, slots=True)
class Given:
    """What all layers say together, filled while they are merged.

    Attributes:
        model: The settings.
        renamed: Settings that had another name once.
        merged: Values as nested tables.
        origins: What sets each value.
        follows: What no layer sets, and the setting that it follows from.
    """

    model: type[BaseModel]
    renamed: RenamedSettings = field(default_factory=dict)
    merged: dict[str, Any] = field(default_factory=dict, repr=False)
    origins: dict[Key, Origin] = field(default_factory=dict)
    follows: dict[Key, Key] = field(default_factory=dict)


def unknown_key(given: Given, key: Key, source: str) -> Problem:
    """Describe a key that is no setting: by its new name, by the nearest one that is, or by all there are."""
    found = f"There is no setting {dotted(key)} ({in_words(source)})"
    if (today := new_name(given.renamed, key)) is not None:
        return Problem(
            f"{found}: it is called {dotted(today)} now", action=f"use {_written(today, source)}", meant=today
        )
    if (nearest := _nearest(given.model, key)) is not None:
        return Problem(found, action=f"use {_written(nearest, source)}, the nearest setting", meant=nearest)
    names = _neighbours(given.model, key)
    listed = ", ".join(names[:MAX_NAMES_LISTED]) + (", …" if len(names) > MAX_NAMES_LISTED else "")
    where = f"in {dotted(key[:-1])}: " if key[:-1] else ""
    return Problem(found, expected=where + f"one of {listed}")


def wrong_values(given: Given, details: Iterable[ErrorDetails], told: Sequence[Problem] = ()) -> list[Problem]:
    """Describe what pydantic refused, one problem a key.

    Args:
        given: The settings.
        details: Of pydantic.
        told: Problems that are known already.
    """
    by_key: dict[Key, list[ErrorDetails]] = {}
    for detail in details:
        by_key.setdefault(_key_of(detail, given), []).append(detail)
    own = {key: wrong for key, wrong in by_key.items() if not _follows_another(key, given.follows, by_key)}
    causes = {key: wrong for key, wrong in own.items() if not _is_explained(key, wrong, own)}
    secrets = [text for key, text in texts(given.merged) if holds_secret(given.model, _field_key(key))]
    problems = {key: _wrong_value(given, key, wrong, secrets) for key, wrong in causes.items()}
    meant = {problem.meant for problem in (*told, *problems.values())}
    return [problem for key, problem in problems.items() if not (_is_missing(by_key[key]) and key in meant)]


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


def _written(key: Key, source: str) -> str:
    """A key as it is written where a value comes from: a variable of the environment, or a name with dots."""
    return _variable(key) if source.startswith(ENVIRONMENT_PREFIX) else dotted(key)


def _variable(key: Key) -> str:
    return ENVIRONMENT_PREFIX + "__".join(key).upper()


def _nearest(model: type[BaseModel], key: Key) -> Key | None:
    name, neighbours = key[-1].lower(), _neighbours(model, key)
    if close := difflib.get_close_matches(name, neighbours, n=1, cutoff=0.6):
        return (*key[:-1], close[0])
    elsewhere = (known for known in every_key(model) if known[-1] == name and known != key)
    return next(elsewhere, None)


def _neighbours(model: type[BaseModel], key: Key) -> list[str]:
    """What else stands in the section of a key; the name itself may be that of another kind of section."""
    return [name for name in names_at(model, _field_key(key[:-1])) if name != key[-1]]


def _wrong_value(given: Given, key: Key, details: list[ErrorDetails], secrets: list[str]) -> Problem:
    if _is_missing(details):
        return _missing(given.origins, key)
    source = source_at(given.origins, key) or DEFAULT_SOURCE
    if any(detail["type"] == "extra_forbidden" for detail in details):
        return unknown_key(given, key, source)
    fields = fields_at(given.model, _field_key(key))
    messages = [text for detail in details if (text := said(detail)) and not any(each in text for each in secrets)]
    wanted = [text for detail in details if (text := expected(detail, fields))]
    if not messages and not wanted:
        wanted = ["a value that its check accepts"]
    return Problem(
        ": ".join([_value_in_words(given, key, source), *dict.fromkeys(messages)]),
        expected=" or ".join(dict.fromkeys(wanted)),
        action=next(filter(None, map(suggested, details)), ""),
    )


def _value_in_words(given: Given, key: Key, source: str) -> str:
    value = value_at(given.merged, key)
    is_hidden = holds_secret(given.model, _field_key(key)) and not isinstance(value, Mapping)
    shown = HIDDEN if is_hidden else _shown(value)
    name = dotted(key) or "The settings together"
    return f"{name} is {shown} ({in_words(source)})" if shown else f"{name} is wrong ({in_words(source)})"


def _missing(origins: Mapping[Key, Origin], key: Key) -> Problem:
    files = {set_: origin for set_, origin in origins.items() if origin.lines}
    section = source_at(files, key[:-1]) if key[:-1] else None
    found = f"{dotted(key)} is not set" + (f" (in {section})" if section else "")
    if key != _field_key(key):
        return Problem(found, action="write it there")  # neither a variable nor a flag reaches into a list
    return Problem(found, action=f"set it in a settings file, by {_variable(key)} or by --set {dotted(key)}=…")


def _is_missing(details: list[ErrorDetails]) -> bool:
    return all(detail["type"] == "missing" for detail in details)


def _shown(value: Any) -> str:
    """A value as one short line; nothing for a table, whose parts have errors of their own, and for none."""
    if isinstance(value, Mapping) or value is UNSET:
        return ""
    plain = without_url_password(to_jsonable_python(value, inf_nan_mode="strings", fallback=str))
    if isinstance(plain, str) and holds_password(plain):
        plain = without_password(plain)
    text = json.dumps(plain, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def _key_of(detail: ErrorDetails, given: Given) -> Key:
    """The key of an error, without the names of union members that pydantic puts between."""
    key: Key = ()
    here: Any = given.merged
    for segment in detail["loc"]:
        if isinstance(here, Mapping) and segment in here:
            here = here[str(segment)]
        elif isinstance(here, list | tuple) and isinstance(segment, int) and segment < len(here):
            here = here[segment]
        elif fields_at(given.model, (*_field_key(key), str(segment))):
            here = {}  # a setting that nobody sets
        else:
            continue
        key = (*key, str(segment))
    return key


def _follows_another(key: Key, follows: Mapping[Key, Key], by_key: Iterable[Key]) -> bool:
    """Whether what is wrong at a key is wrong where its value comes from, and is told there."""
    sources = ((*follows[key[:length]], *key[length:]) for length in range(1, len(key) + 1) if key[:length] in follows)
    return any(source in by_key for source in sources)


def _is_explained(key: Key, details: list[ErrorDetails], by_key: Iterable[Key]) -> bool:
    """Whether a table is refused only for not being what else may stand there, and something inside of it says why."""
    inside = any(len(other) > len(key) and other[: len(key)] == key for other in by_key)
    return bool(key) and inside and all(map(is_of_another_kind, details))


def _field_key(key: Key) -> Key:
    """The key without positions in lists: what names a field."""
    return tuple(segment for segment in key if not segment.isdigit())
