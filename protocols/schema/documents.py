"""The generated documents of the protocol, as texts: one JSON Schema a message, one of the recording, one AsyncAPI.

A pure function of `protocols.wire.messages`, `protocols.wire.topics` and `protocols.wire.limits`;
`protocols.schema.files` writes and compares. The same code gives the same bytes.
"""

from __future__ import annotations

import json
from typing import Any, Final

from protocols.schema.asyncapi import asyncapi_document
from protocols.schema.messages import message_name, message_schema
from protocols.schema.recording import recording_schema
from protocols.wire.messages import MESSAGE_TYPES

ASYNCAPI_FILE: Final = "asyncapi.json"
RECORDING_FILE: Final = "recording.schema.json"
SCHEMA_SUFFIX: Final = ".schema.json"


def documents() -> dict[str, str]:
    """Return file name -> text of every generated document, sorted by name."""
    made = {f"{message_name(model)}{SCHEMA_SUFFIX}": message_schema(model) for model in MESSAGE_TYPES}
    made |= {RECORDING_FILE: recording_schema(), ASYNCAPI_FILE: asyncapi_document()}
    return {name: _text(made[name]) for name in sorted(made)}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
