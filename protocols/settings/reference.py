"""Every setting that there is, from the models: its name, type, default, unit and meaning.

The meaning is the docstring beside the field; a unit stands in it in brackets, as in "Longest pause [s]".
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from protocols.settings.fields import MAX_DEPTH, Key, dotted, fields_at, sections_in

NAMED_BY_USER: Final = "NAME"
"""Stands in a key for a name that the user gives to a section, and for the entries of a list."""

_UNIT: Final = re.compile(r"(?<!`)\[([^\]]+)\](?!`)")

_WORDS: Final[dict[Any, str]] = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    type(None): "none",
    Any: "any",
}
"""Plain words for the types that settings have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: Its key with dots; `NAME` stands for a name that the user gives.
        type: What it takes, in words.
        default: Its default as JSON has it; None where it must be set.
        unit: Its unit; empty where it has none.
        meaning: What it means.
    """

    name: str
    type: str
    default: str | None
    unit: str
    meaning: str


def every_setting(model: type[BaseModel]) -> Iterator[Setting]:
    """Yield every setting of a model and of its sections, in the order of the models."""
    yield from _settings_below(model, ())


def meaning_of(model: type[BaseModel], key: Key) -> str:
    """Return what the setting of a key means; nothing below a table of the user's own."""
    return next((meaning for found in fields_at(model, key) if (meaning := _meaning(found))), "")


def _settings_below(model: type[BaseModel], above: Key) -> Iterator[Setting]:
    for name, found in model.model_fields.items():
        key = (*above, name)
        inner = dict.fromkeys(sections_in([found]) if len(key) < MAX_DEPTH else ())
        if not inner or _is_also_a_value(found.annotation):
            yield _setting(key, found)
        for section in inner:
            if isinstance(section, type):
                below = (*key, NAMED_BY_USER) if _holds_several(found.annotation) else key
                yield from _settings_below(section, below)
            else:
                for named in sections_in([FieldInfo.from_annotation(get_args(section)[1])]):
                    yield from _settings_below(named, (*key, NAMED_BY_USER))


def _setting(key: Key, found: FieldInfo) -> Setting:
    meaning = _meaning(found)
    unit = _UNIT.search(meaning)
    return Setting(dotted(key), _in_words(found.annotation), _default(found), unit.group(1) if unit else "", meaning)


def _meaning(found: FieldInfo) -> str:
    return " ".join((found.description or "").split())


def _default(found: FieldInfo) -> str | None:
    value = found.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    return json.dumps(to_jsonable_python(value, inf_nan_mode="strings", fallback=str), ensure_ascii=False)


def _is_also_a_value(annotation: Any) -> bool:
    """Whether a field takes plain values too, beside sections: `float | Section`, `dict[str, str | Section]`."""
    if get_origin(annotation) is dict:
        return _is_also_a_value(get_args(annotation)[1])
    if get_origin(annotation) not in {typing.Union, types.UnionType}:
        return False
    others = [member for member in get_args(annotation) if member is not type(None)]
    return any(not sections_in([FieldInfo.from_annotation(member)]) for member in others)


def _holds_several(annotation: Any) -> bool:
    members = get_args(annotation) if get_origin(annotation) in {typing.Union, types.UnionType} else (annotation,)
    return any(get_origin(member) in {list, tuple} for member in members)


def _in_words(annotation: Any) -> str:
    """Say what a type takes."""
    origin, inner = get_origin(annotation), get_args(annotation)
    match origin:
        case typing.Annotated:
            words = _in_words(inner[0])
        case typing.Literal:
            words = _listed(inner)
        case typing.Union | types.UnionType:
            words = " or ".join(dict.fromkeys(map(_in_words, inner)))
        case _ if origin in {list, tuple}:
            words = f"list of {_in_words(inner[0])}"
        case _ if origin is dict:
            words = f"table of {_in_words(inner[1])}"
        case _:
            words = _plain_type_in_words(annotation)
    return words


def _plain_type_in_words(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _listed(each.value for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return _WORDS.get(annotation, "text")


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(json.dumps, values))
