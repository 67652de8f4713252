"""What a settings model knows of a key: its field, its neighbours, and whether a value there may be shown.

A key is a tuple of segments (`("broker", "url")`), written with dots for people. Below a field that is a table of
the user's own (`policy_options`) every key is known; the model itself judges it.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
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
_URL_PASSWORD: Final = re.compile(r"(://[^/\s:@]*:)\S*(@)")
_UNIONS: Final = (typing.Union, types.UnionType, typing.Annotated)


def dotted(key: Key) -> str:
    """Write a key with dots, quoting a segment where TOML would."""
    return ".".join(part if _BARE_SEGMENT.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in key)


def known_length(model: type[BaseModel], key: Key) -> int:
    """How many leading segments of the key the model knows; `len(key)` when it is a setting."""
    models = [model]
    for position, segment in enumerate(key):
        if not models or any(each.model_config.get("extra") == "allow" for each in models):
            return len(key)
        fields = [each.model_fields[segment] for each in models if segment in each.model_fields]
        if not fields:
            return position
        models = [inner for found in fields for inner in _models_in(found.annotation)]
    return len(key)


def fields_at(model: type[BaseModel], key: Key) -> list[FieldInfo]:
    """The fields that the key names: several where a section is a union of models, none below a free table."""
    models, fields = [model], list[FieldInfo]()
    for segment in key:
        fields = [each.model_fields[segment] for each in models if segment in each.model_fields]
        models = [inner for found in fields for inner in _models_in(found.annotation)]
    return fields


def names_at(model: type[BaseModel], section: Key) -> list[str]:
    """Names of the settings and sections directly in a section."""
    models = [model]
    for segment in section:
        fields = [each.model_fields[segment] for each in models if segment in each.model_fields]
        models = [inner for found in fields for inner in _models_in(found.annotation)]
    return list(dict.fromkeys(name for each in models for name in each.model_fields))


def every_key(model: type[BaseModel], above: Key = ()) -> Iterator[Key]:
    """Yield every setting and every section of the model."""
    for name, found in model.model_fields.items():
        yield (*above, name)
        if len(above) + 1 < MAX_DEPTH:
            for inner in _models_in(found.annotation):
                yield from every_key(inner, (*above, name))


def holds_secret(model: type[BaseModel], key: Key) -> bool:
    """Whether the value at the key is a secret, stands in one, or is a table that has one."""
    return any(
        _mentions_secret(found.annotation, set())
        for length in range(1, len(key) + 1)
        for found in fields_at(model, key[:length])
        if length == len(key) or not _models_in(found.annotation)
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


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this type may directly be: the type itself, or the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in _UNIONS:
        return [model for member in get_args(annotation) for model in _models_in(member)]
    return []


def _mentions_secret(annotation: Any, seen: set[type]) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, (SecretStr, SecretBytes)):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        return any(_mentions_secret(found.annotation, seen) for found in annotation.model_fields.values())
    return any(_mentions_secret(member, seen) for member in get_args(annotation))
