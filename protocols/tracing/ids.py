"""Ids of traces and spans: digests of an attempt's id, so that nobody has to tell anybody.

The agent that asks, the instrument that answers, and whoever replays the campaign later, each compute the same ids of
the same attempt. `traceparent` writes them for those who cannot: a lab's own program that knows the W3C's format.

Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import hashlib
from typing import Final

TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8

TRACEPARENT: Final = "traceparent"
"""Name of the user property beside a request, as the draft of the W3C for MQTT has it."""


def trace_id_of(attempt_id: str) -> int:
    """Return the id of an attempt's trace; never 0, which the format forbids."""
    return _number(attempt_id, TRACE_BYTES)


def span_id_of(attempt_id: str, name: str) -> int:
    """Return the id of a span in it, by the span's name, which is there once."""
    return _number(f"{attempt_id} {name}", SPAN_BYTES)


def traceparent_of(attempt_id: str, name: str) -> str:
    """Return what names a span to somebody else: version 00, trace, span, and that it is sampled."""
    return f"00-{trace_id_of(attempt_id):032x}-{span_id_of(attempt_id, name):016x}-01"


def _number(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(f"entropilot {text}".encode()).digest()[:size]) or 1
