"""Values of a settings file whose type is another than the setting's: TOML says whether 4 is a number or text.

Variables and flags are text, and are read as what the setting wants; pydantic reads a file as kindly, and would take
`parallel = "4"`, and `true` for 1. A whole number stays right where any number is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from protocols.settings.fields import Key, fields_at
from protocols.settings.origins import Origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

OTHER_TYPE: Final = frozenset({"int_type", "float_type", "bool_type"})
"""Errors of pydantic for text or a truth value in place of what is wanted."""


def mistyped(
    model: type[BaseModel], merged: Mapping[str, Any], origins: Mapping[Key, Origin]
) -> Iterator[ErrorDetails]:
    """Yield pydantic's error of each value from a file that is text or a truth value where it must not be."""
    for key, origin in origins.items():
        fields = fields_at(model, key) if origin.lines else []
        value: Any = merged
        for segment in key:
            value = value[segment]
        wrong = [list(_other_types(field, value)) for field in fields]
        if wrong and all(wrong):  # of several kinds of sections, one may well want it so
            for detail in wrong[0]:
                yield {**detail, "loc": (*key, *detail["loc"])}


def _other_types(field: FieldInfo, value: Any) -> Iterator[ErrorDetails]:
    annotated: Any = Annotated[field.annotation, field]
    adapter: TypeAdapter[Any] = TypeAdapter(annotated)
    try:  # as JSON, whose lists may be tuples and whose texts paths and names of an enumeration, and nothing else
        adapter.validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] in OTHER_TYPE and isinstance(detail["input"], bool | str):
                yield detail
