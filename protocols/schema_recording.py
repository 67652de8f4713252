"""The JSON Schema of a recording's lines; `protocols.recording` writes them."""

from __future__ import annotations

from typing import Any, Final

from protocols.limits import MAX_PAYLOAD_BYTES
from protocols.recording import DIGEST_DIGITS, RECORDING_VERSION
from protocols.schema_messages import DIALECT, RFC3339, Schema, in_reading_order

RECORDING_ID: Final = f"urn:entropilot:recording:v{RECORDING_VERSION}"

_DESCRIPTION: Final = f"""One line of `recording.jsonl`: the first line is a header, every further one a row.

The file is ASCII, one JSON value a line, each line ended by one line feed. A process that was killed may leave a torn \
last line; it is cut off when the recording is continued.

A reader also checks, beyond this schema:

- `n` counts from 1 without gaps, and `t` never falls.
- `digest` is the first {DIGEST_DIGITS} hexadecimal digits of SHA-256 over two texts, one after the other: the digest \
of the line before, and this line as it was written but without its last member (the text `, "digest": "…"`). The \
header has no digest of its own; for the first row, the digest before is that of the header line alone. So an edited, \
a missing and an added line are found; who edits and recomputes all further digests is not.
- The payloads are what travelled, the malformed ones too: a row is valid whether or not its message is. Of one that \
is too large there is only the beginning."""

_HEADER: Final[Schema] = {
    "title": "Header",
    "description": "The first line: what was run. Further members may follow, such as `scenario`, its settings.",
    "type": "object",
    "properties": {
        "entropilot_recording": {"const": RECORDING_VERSION, "description": "Version of this format."},
        "campaign": {"type": "string", "description": "The campaign."},
        "pool_digest": {"type": "string", "description": "Digest of the pool that the decisions depend on."},
        "started_at": {
            "type": "string",
            "format": "date-time",
            "pattern": RFC3339,
            "description": "When the recording began; a label.",
        },
        "versions": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Package -> version of what decides.",
        },
    },
    "required": ["entropilot_recording", "campaign", "pool_digest", "started_at", "versions"],
    "additionalProperties": True,
}

_ROW: Final[Schema] = {
    "title": "Row",
    "description": "One message that the agent received or sent, repetitions included. It has `text` or `base64`.",
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1, "description": "Number of the row."},
        "t": {"type": "number", "minimum": 0, "description": "Time since the recording began [s], to 0.1 ms."},
        "dir": {"enum": ["in", "out"], "description": "`in`: received by the agent; `out`: sent by it."},
        "topic": {"type": "string", "description": "The topic as it was."},
        "retain": {"type": "boolean", "description": "The retain flag as it was."},
        "text": {"type": "string", "description": "The payload, where it is UTF-8."},
        "base64": {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]+={0,2}$",
            "description": "The payload, where it is not UTF-8.",
        },
        "cut_from_bytes": {
            "type": "integer",
            "minimum": MAX_PAYLOAD_BYTES + 2,
            "description": "Size of a payload that was larger than any message of ours [byte]; only its first "
            f"{MAX_PAYLOAD_BYTES + 1} bytes are kept.",
        },
        "digest": {
            "type": "string",
            "pattern": f"^[0-9a-f]{{{DIGEST_DIGITS}}}$",
            "description": "Chains this line to those before it; see above.",
        },
    },
    "required": ["n", "t", "dir", "topic", "retain", "digest"],
    "oneOf": [{"required": ["text"]}, {"required": ["base64"]}],
    "additionalProperties": False,
}


def recording_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of a recording (draft 2020-12); `#/$defs/Header` and `#/$defs/Row` for one."""
    return in_reading_order(
        {
            "$schema": DIALECT,
            "$id": RECORDING_ID,
            "title": "Recording line",
            "description": _DESCRIPTION,
            "oneOf": [{"$ref": "#/$defs/Header"}, {"$ref": "#/$defs/Row"}],
            "$defs": {"Header": in_reading_order(_HEADER), "Row": in_reading_order(_ROW)},
        }
    )
