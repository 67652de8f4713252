"""The JSON Schema of every message, made from its pydantic model, whose fields say in docstrings what they mean.

pydantic writes the shapes and bounds. Changed here, so that a schema accepts what `protocols.wire.codec` accepts and
says where it cannot:

- `protocol` and `type` are required: the codec reads them before anything else.
- `sent_at` gets a pattern: `format` alone is a comment to most validators.
- A number without an upper bound gets the largest double: beyond it the codec reads infinity, and refuses it.
- Equal entries of a fixed array become one `items`: the same meaning in draft 2020-12 and in the older draft on which
  AsyncAPI tools stand.

Keywords are sorted, so that another version of pydantic writes the same text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from protocols.errors import invariant
from protocols.schema.descriptions import (
    BEYOND_THE_SCHEMA,
    EVERY_MESSAGE_BEYOND,
    LENIENCE,
    VALUE_MEANINGS,
)
from protocols.schema.examples import examples_of
from protocols.wire.limits import MAX_PAYLOAD_BYTES, PROTOCOL_VERSION
from protocols.wire.messages import MESSAGE_TYPES, Message
from protocols.wire.molecule import MIN_DISTANCE
from protocols.wire.structure import MIN_CELL_VOLUME

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

RFC3339: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
"""The shape of a date and time with an offset; whether the day exists is for the reader."""

LARGEST_NUMBER: Final = sys.float_info.max
"""A larger one overflows a double, which is the same everywhere (IEEE 754)."""

FIRST_KEYWORDS: Final = ("$schema", "$id", "$ref", "title", "description")
"""What a person reads first; all other keywords are in alphabetical order."""

ALWAYS_REQUIRED: Final = ("protocol", "type")

DEFINITIONS: Final = "#/$defs/"


def message_name(model: type[Message]) -> str:
    """Return a message's type as it stands on the wire, which also names its file."""
    name = model.model_fields["type"].default
    invariant(isinstance(name, str), f"{model.__name__} has no type of its own")
    return str(name)


def schema_id(name: str) -> str:
    """Return the `$id` of a document: a name, not an address to fetch."""
    return f"urn:entropilot:v{PROTOCOL_VERSION}:{name}"


def message_schema(model: type[Message]) -> Schema:
    """Return the JSON Schema of one message as a document of its own (draft 2020-12)."""
    schemas = _all_schemas(DEFINITIONS)
    schema = schemas[model.__name__]
    definitions = {name: schemas[name] for name in _reached(schema, schemas, DEFINITIONS)}
    examples = [example.model_dump(mode="json", exclude_none=True) for example in examples_of(model)]
    document = {"$schema": DIALECT, "$id": schema_id(message_name(model)), "examples": examples} | schema
    return in_reading_order(document | ({"$defs": definitions} if definitions else {}))


def shared_schemas(prefix: str) -> dict[str, Schema]:
    """Return the schemas of all messages and of their parts, by model name, for a document that holds them all.

    Args:
        prefix: Where the document holds them, such as `#/components/schemas/`.
    """
    return _all_schemas(prefix)


def in_reading_order(schema: Schema) -> Schema:
    """Sort the keywords of one schema object; the order of what they hold stays."""

    def rank(keyword: str) -> tuple[int, str]:
        first = FIRST_KEYWORDS.index(keyword) if keyword in FIRST_KEYWORDS else len(FIRST_KEYWORDS)
        return (first, keyword)

    return {keyword: schema[keyword] for keyword in sorted(schema, key=rank)}


def _all_schemas(prefix: str) -> dict[str, Schema]:
    """Return every message and part by model name, references starting with `prefix`."""
    _, made = models_json_schema([(model, "validation") for model in MESSAGE_TYPES], ref_template=prefix + "{model}")
    schemas = {name: _clean(schema) for name, schema in sorted(made["$defs"].items())}
    for name, schema in schemas.items():
        schemas[name] = _worded(name, schema)
    for model in MESSAGE_TYPES:
        schemas[model.__name__] = _as_on_the_wire(schemas[model.__name__], model)
    return schemas


def _clean(schema: Schema) -> Schema:
    """Drop the titles that pydantic makes of names; say in a second way what tools read in one way only."""
    cleaned: Schema = {}
    for keyword, value in schema.items():
        match keyword:
            case "title":
                continue
            case "properties":
                cleaned[keyword] = {name: _clean(part) for name, part in value.items()}
            case "anyOf":
                cleaned[keyword] = [_clean(part) for part in value]
            case "items" | "additionalProperties" if isinstance(value, dict):
                cleaned[keyword] = _clean(value)
            case "prefixItems":
                cleaned["items"] = _clean(value[0])
                same = all(part == value[0] for part in value)
                bounds = (schema["minItems"], schema["maxItems"])
                invariant(same and bounds == (len(value), len(value)), f"a tuple of unequal parts: {schema}")
            case _:
                cleaned[keyword] = value
    if cleaned.get("type") == "number" and "maximum" not in cleaned:
        cleaned["maximum"] = LARGEST_NUMBER
    if cleaned.get("format") == "date-time":
        cleaned["pattern"] = RFC3339
    return in_reading_order(cleaned)


def _worded(name: str, schema: Schema) -> Schema:
    """Give a model or an enumeration its title, its first paragraph, and the meaning of each field or value."""
    summary = " ".join(schema["description"].split("\n\n")[0].split())
    if name in VALUE_MEANINGS:
        meanings = VALUE_MEANINGS[name]
        summary += "\n\n" + _bullets(f"`{value}`: {meanings[value]}" for value in schema["enum"])
        return in_reading_order(schema | {"title": name, "description": summary})
    fields = {
        field: in_reading_order(part | {"description": " ".join(part["description"].split())})
        for field, part in schema["properties"].items()
    }
    return in_reading_order(schema | {"title": name, "description": summary, "properties": fields})


def _as_on_the_wire(schema: Schema, model: type[Message]) -> Schema:
    """Require what the codec requires, and say what else a receiver checks."""
    fields = {
        name: {keyword: value for keyword, value in part.items() if keyword != "default"}
        if name in ALWAYS_REQUIRED
        else part
        for name, part in schema["properties"].items()
    }
    required = [name for name in fields if name in ALWAYS_REQUIRED or name in schema["required"]]
    checks = (*EVERY_MESSAGE_BEYOND, *BEYOND_THE_SCHEMA[model.__name__])
    values = {
        "max_payload_bytes": MAX_PAYLOAD_BYTES,
        "min_cell_volume": MIN_CELL_VOLUME,
        "min_distance": MIN_DISTANCE,
    }
    description = "\n\n".join(
        (
            schema["description"],
            "A field that is absent and may be null means the same as null; Entropilot leaves it out.",
            "A receiver also checks, beyond this schema:",
            _bullets(check.format_map(values) for check in checks),
            LENIENCE,
        )
    )
    return schema | {"description": description, "properties": fields, "required": required}


def _reached(schema: Any, schemas: dict[str, Schema], prefix: str) -> list[str]:
    """Return the names of all schemas that one refers to, directly or through others, sorted."""
    found: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            reference = node.get("$ref")
            if isinstance(reference, str):
                name = reference.removeprefix(prefix)
                if name not in found:
                    found.add(name)
                    waiting.append(schemas[name])
    return sorted(found)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
