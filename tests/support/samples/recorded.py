"""Rows of a recording, written manually: what passed, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.recording.lines import HEARD, MessageRow
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage
from tests.support import sample_messages as messages


class Rows:
    """Collects messages as a recorder does."""

    def __init__(self) -> None:
        self._rows: list[MessageRow] = []

    def __iter__(self) -> Iterator[MessageRow]:
        return iter(self._rows)

    def say(self, time_s: float, topic: str, payload: bytes) -> None:
        """Add any message."""
        self._rows.append(MessageRow(len(self._rows) + 1, time_s, HEARD, topic, payload, retain=False))

    def add(self, time_s: float, message: AnyMessage, recipient: str = messages.SIMULATOR) -> None:
        """Add a message of ours."""
        self.say(time_s, topic_of(message, recipient=recipient), encode(message))

    def asked(self, time_s: float, candidate: str, attempt: int = 1, uid: str = "then", **more: Any) -> None:
        """Add a request."""
        recipient = more.pop("recipient", messages.SIMULATOR)
        self.add(time_s, asking(candidate, attempt, uid, **more), recipient)

    def answered(self, time_s: float, candidate: str, attempt: int = 1, uid: str = "then", **more: Any) -> None:
        """Add a result."""
        self.add(time_s, messages.result(attempt_id(candidate, attempt, uid), candidate_id=candidate, **more))

    def failed(self, time_s: float, candidate: str, attempt: int = 1, uid: str = "then", **more: Any) -> None:
        """Add a failure."""
        self.add(time_s, messages.failure(attempt_id(candidate, attempt, uid), candidate_id=candidate, **more))


def attempt_id(candidate: str, attempt: int, uid: str) -> str:
    """The id of an attempt, as an agent makes it."""
    return f"{uid}-d000001-{candidate}-a{attempt}"


def asking(candidate: str, attempt: int = 1, uid: str = "now", **more: Any) -> Any:
    """A request of an agent that is alive now."""
    return messages.request(attempt_id(candidate, attempt, uid), candidate_id=candidate, attempt=attempt, **more)
