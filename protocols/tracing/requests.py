"""Tells of which attempt a message of ours asks, by its bytes: every message that is sent passes here."""

from __future__ import annotations

import re
from typing import Final

from protocols.wire.topics import PREFIX, Channel

_REQUEST_TOPIC: Final = re.compile(f"{re.escape(PREFIX)}/[^/]+/{Channel.REQUEST.value}/")
_ATTEMPT: Final = re.compile(rb'"attempt_id":"([^"\\]+)"')


def attempt_of(topic: str, payload: bytes) -> str:
    """Return the attempt that a request asks for; empty of any other message, and of one in an envelope."""
    if _REQUEST_TOPIC.match(topic) is None:
        return ""
    found = _ATTEMPT.search(payload)
    return "" if found is None else found.group(1).decode(errors="replace")
