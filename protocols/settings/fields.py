"""What a settings model knows of a key: its field, its neighbours, and whether a value there may be shown.

A key is a tuple of segments (`("broker", "url")`), written with dots for people. A field may be a table of sections
that the user names (`simulators.furnace`): any name is known there, and the keys below it are those of the section.
Below a field that is a table of the user's own (`policy_options`) every key is known; the model itself judges it.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

Key = tuple[str, ...]

MAX_DEPTH: Final = 12
"""Deepest nesting of tables; ours need three."""

HIDDEN: Final = "**********"
"""What stands for a secret, as in pydantic."""

_BARE_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
_URL_PASSWORD: Final = re.compile(r"(//[^/\s:@]*:)\S*(@)")
_UNIONS: Final = (typing.Union, types.UnionType, typing.Annotated)


def dotted(key: Key) -> str:
    """Write a key with dots, quoting a segment where TOML would."""
    return ".".join(part if _BARE_SEGMENT.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in key)


def known_length(model: type[BaseModel], key: Key) -> int:
    """How many leading segments of the key the model knows; `len(key)` when it is a setting."""
    sections: list[Any] = [model]
    for position, segment in enumerate(key):
        if not sections or any(_is_model(each) and each.model_config.get("extra") == "allow" for each in sections):
            return len(key)
        fields = _fields_of(sections, segment)
        if not fields:
            return position
        sections = sections_in(fields)
    return len(key)


def fields_at(model: type[BaseModel], key: Key) -> list[FieldInfo]:
    """The fields that the key names: several where a section is a union of models, none below a free table."""
    sections, fields = list[Any]([model]), list[FieldInfo]()
    for segment in key:
        fields = _fields_of(sections, segment)
        sections = sections_in(fields)
    return fields


def names_at(model: type[BaseModel], section: Key) -> list[str]:
    """Names of the settings and sections directly in a section."""
    sections = sections_in(fields_at(model, section)) if section else [model]
    return list(dict.fromkeys(name for each in sections if _is_model(each) for name in each.model_fields))


def sections_in(fields: Iterable[FieldInfo]) -> list[Any]:
    """The models and the tables of models that values of these fields, or entries of their lists, may directly be."""
    return [section for found in fields for section in _sections_of(found.annotation)]


def every_key(model: type[BaseModel], above: Key = ()) -> Iterator[Key]:
    """Yield every setting and every section of the model."""
    for name, found in model.model_fields.items():
        yield (*above, name)
        if len(above) + 1 < MAX_DEPTH:
            for inner in sections_in([found]):
                if _is_model(inner):
                    yield from every_key(inner, (*above, name))


def holds_secret(model: type[BaseModel], key: Key) -> bool:
    """Whether the value at the key is a secret, stands in one, or is a table that has one."""
    return any(
        _mentions_secret(found.annotation, set())
        for length in range(1, len(key) + 1)
        for found in fields_at(model, key[:length])
        if length == len(key) or not sections_in([found])
    )


def values_of(settings: BaseModel) -> Iterator[tuple[Key, Any]]:
    """Yield every setting with its value as JSON has it, secrets and passwords in URLs hidden."""
    for name in type(settings).model_fields:
        yield from _values_below((name,), getattr(settings, name))


def without_url_password(value: Any) -> Any:
    """Hide the password of every URL in a JSON value."""
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\g<1>{HIDDEN}\g<2>", value)
    if isinstance(value, list):
        return [without_url_password(each) for each in value]
    if isinstance(value, dict):
        return {key: without_url_password(each) for key, each in value.items()}
    return value


def _values_below(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _values_below((*key, name), getattr(value, name))
    elif isinstance(value, Mapping) and value and all(isinstance(name, str) for name in value):
        for name, inner in value.items():
            yield from _values_below((*key, name), inner)
    else:
        yield key, without_url_password(to_jsonable_python(value, inf_nan_mode="strings", fallback=str))


def _fields_of(sections: Iterable[Any], name: str) -> list[FieldInfo]:
    """The fields of a name in sections; where the user gives the names, it stands for any section of the table."""
    fields = []
    for each in sections:
        if not _is_model(each):
            fields.append(FieldInfo.from_annotation(get_args(each)[1]))
        elif name in each.model_fields:
            fields.append(each.model_fields[name])
    return fields


def _sections_of(annotation: Any) -> list[Any]:
    if _is_model(annotation):
        return [annotation]
    if get_origin(annotation) in _UNIONS:
        return [section for member in get_args(annotation) for section in _sections_of(member)]
    if get_origin(annotation) in {list, tuple}:
        return _sections_of(get_args(annotation)[0]) if get_args(annotation) else []
    if get_origin(annotation) is dict and _sections_of(get_args(annotation)[1]):
        return [annotation]
    return []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _mentions_secret(annotation: Any, seen: set[type]) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, (SecretStr, SecretBytes)):
        return True
    if _is_model(annotation) and annotation not in seen:
        seen.add(annotation)
        return any(_mentions_secret(found.annotation, seen) for found in annotation.model_fields.values())
    return any(_mentions_secret(member, seen) for member in get_args(annotation))
