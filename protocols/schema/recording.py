"""The JSON Schema of a recording's lines; `protocols.recording.writer` says what they mean and writes them."""

from __future__ import annotations

from typing import Any, Final

from protocols.recording.lines import (
    DIGEST_DIGITS,
    DIRECTIONS,
    EVENT,
    HEADER_MARK,
    RECORDING_VERSION,
    START,
    TRANSACTION,
)
from protocols.schema.messages import DIALECT, RFC3339, Schema, in_reading_order
from protocols.wire.limits import MAX_PAYLOAD_BYTES, QUARANTINE_PREFIX_BYTES

RECORDING_ID: Final = f"urn:entropilot:recording:v{RECORDING_VERSION}"

_DESCRIPTION: Final = f"""One line of a recording: the first line is a header, every further one a message or a note.

The file is ASCII, one JSON value a line, each line ended by one line feed; it may be compressed with gzip. A long one \
goes on in files that are named as it is with `.2`, `.3` and so on: their lines follow on each other. A process \
that was killed may leave a torn last line; it is cut off when the recording is continued.

A reader also checks, beyond this schema:

- `n` counts from 1 without gaps, and `t` never falls.
- `digest` is the first {DIGEST_DIGITS} hexadecimal digits of SHA-256 over two texts, one after the other: the digest \
of the line before (nothing, for the header), and this line as it was written but without its last member (the text \
`, "digest": "…"`). So an edited, a missing and an added line are found; who edits and recomputes all further digests \
is not.
- The payloads are what travelled, the malformed ones too: a row is valid whether or not its message is. Of one that \
changed nothing, and of one that is too large, there may be only the beginning.
- A transaction is noted before its commit. A `start` at its `before` says that it was not committed, every other \
note that it was."""

_DIGEST: Final[Schema] = {
    "type": "string",
    "pattern": f"^[0-9a-f]{{{DIGEST_DIGITS}}}$",
    "description": "Chains this line to those before it; see above.",
}

_NUMBERED: Final[dict[str, Schema]] = {
    "n": {"type": "integer", "minimum": 1, "description": "Number of the row."},
    "t": {"type": "number", "minimum": 0, "description": "Time since the recording began [s], to 0.1 ms."},
}

_SEQUENCE: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Number of a row of the journal."}

_JOURNALLED: Final[Schema] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "description": "Kind of the event, as the journal names it."},
        "event": {"type": "object", "description": "Its content, as the journal has it."},
    },
    "required": ["kind", "event"],
    "additionalProperties": False,
}

_HEADER: Final[Schema] = {
    "title": "Header",
    "description": "The first line: what was recorded. Further members may follow.",
    "type": "object",
    "properties": {
        HEADER_MARK: {"const": RECORDING_VERSION, "description": "Version of this format."},
        "campaign": {"type": "string", "description": "The campaign; empty for a recorder that heard several."},
        "pool_digest": {
            "type": "string",
            "description": "Digest of the pool that the decisions depend on; empty for a recorder that was not told.",
        },
        "scenario": {"type": "object", "description": "Settings of the scenario, where they are known."},
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
        "arithmetic": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Environment variables that pinned the arithmetic of the decisions, where any did.",
        },
        "digest": _DIGEST,
    },
    "required": [HEADER_MARK, "campaign", "pool_digest", "started_at", "versions", "digest"],
    "additionalProperties": True,
}

_MESSAGE: Final[Schema] = {
    "title": "Message",
    "description": "One message, repetitions included. It has `text` or `base64`.",
    "type": "object",
    "properties": {
        **_NUMBERED,
        "dir": {
            "enum": list(DIRECTIONS),
            "description": "`in`: received by the agent; `out`: sent by it; `heard`: by a recorder beside it.",
        },
        "topic": {"type": "string", "description": "The topic as it was."},
        "retain": {"type": "boolean", "description": "The retain flag as it was."},
        "qos": {"enum": [0, 1, 2], "description": "Quality of service, as it was."},
        "properties": {"type": "object", "description": "MQTT 5 properties that it had, where it had any."},
        "signed_by": {"type": "string", "description": "Who signed it, where somebody looked and the signature held."},
        "signature_fault": {"type": "string", "description": "Why a signature that it had did not hold."},
        "text": {"type": "string", "description": "The payload, where it is UTF-8."},
        "base64": {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]+={0,2}$",
            "description": "The payload, where it is not UTF-8.",
        },
        "cut_from_bytes": {
            "type": "integer",
            "minimum": QUARANTINE_PREFIX_BYTES + 1,
            "description": "Size of a payload of which only the beginning is kept [byte]: "
            f"{QUARANTINE_PREFIX_BYTES} bytes where there is a `verdict`, and else, of one that is larger than any "
            f"message of ours, {MAX_PAYLOAD_BYTES + 1}.",
        },
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "Digest of the whole payload, where a `verdict` says that only the beginning is kept.",
        },
        "verdict": {
            "type": "string",
            "description": "What was found of a message that changed nothing, as the counters name it.",
        },
        "waited": {
            "type": "number",
            "minimum": 0,
            "description": "How long before this row was written the message had come [s], where that is 1 ms or more.",
        },
        "digest": _DIGEST,
    },
    "required": ["n", "t", "dir", "topic", "retain", "qos", "digest"],
    "oneOf": [{"required": ["text"]}, {"required": ["base64"]}],
    "additionalProperties": False,
}


def _taken(members: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _note(
    title: str, mark: str, description: str, members: dict[str, Schema], optional: dict[str, Schema] | None = None
) -> Schema:
    properties = {**_NUMBERED, "note": {"const": mark}, **members, "digest": _DIGEST}
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


_START: Final = _note(
    "Start",
    START,
    "A process of the agent began, with the journal at `sequence`.",
    {"sequence": _SEQUENCE},
    {
        "counts": {
            "type": "object",
            "description": "How many messages of which verdict were counted by then.",
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "lost": {"const": True, "description": "The database knows later rows than the recording had."},
    },
)

_EVENT: Final = _note(
    "Event",
    EVENT,
    "Row `sequence` of the journal: the campaign's beginning, or what the recording would lack. Number 1 begins again.",
    {"sequence": _SEQUENCE, **_JOURNALLED["properties"]},
)

_TRANSACTION: Final = _note(
    "Transaction",
    TRANSACTION,
    "One transaction, from row `before` of the journal to row `sequence`.",
    {
        "took": {
            "type": "array",
            "description": "What it folded, in order.",
            "items": {
                "oneOf": [
                    _taken({"row": {"type": "integer", "description": "Row of a message."}}),
                    _taken({"condemned": {"type": "integer", "description": "Row of a message quarantined unread."}}),
                    _taken(
                        {
                            "counted": {
                                "type": "string",
                                "description": "Verdict of messages that changed nothing and were not written.",
                            },
                            "times": {"type": "integer", "minimum": 1, "description": "How many."},
                        }
                    ),
                    _taken({"expired": {"type": "string", "description": "Attempt whose deadline passed."}}),
                    _taken(
                        {
                            "away": {"type": "string", "description": "Recipient that is away; others are asked."},
                            "why": {"type": "string", "description": "How that showed."},
                        }
                    ),
                    _taken({"back": {"type": "string", "description": "Recipient that is there again."}}),
                    _taken(
                        {
                            "proposed": {"type": "integer", "description": "Decision that the policy answered."},
                            "based_on": {**_SEQUENCE, "description": "Last row of the journal that it knew."},
                        }
                    ),
                ]
            },
        },
        "made": {"type": "array", "description": "The decisions that it made, in order.", "items": _JOURNALLED},
        "before": _SEQUENCE,
        "sequence": _SEQUENCE,
    },
)


def recording_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of a recording (draft 2020-12); `#/$defs/…` for one kind of line."""
    kinds = {"Header": _HEADER, "Message": _MESSAGE, "Start": _START, "Event": _EVENT, "Transaction": _TRANSACTION}
    return in_reading_order(
        {
            "$schema": DIALECT,
            "$id": RECORDING_ID,
            "title": "Recording line",
            "description": _DESCRIPTION,
            "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
            "$defs": {name: in_reading_order(schema) for name, schema in kinds.items()},
        }
    )
