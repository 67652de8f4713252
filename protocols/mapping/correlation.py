"""Which request a message of the lab answers: by an id that it repeats, by its candidate, or because there is one.

An id is safe: it names one attempt for ever. A candidate or the only open request is a conclusion from what is open, so
what may be old is not taken so: a message that the broker kept, or one that it brings again and that was counted then.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocols.link.transport import Delivery
from protocols.mapping.expressions import Expression, search
from protocols.mapping.facts import AskedAttempt, Attempts
from protocols.mapping.faults import Key, UnmappedMessage
from protocols.mapping.payloads import shown
from protocols.mapping.settings import Correlation
from protocols.mapping.topics import ATTEMPT, CANDIDATE

ID_DIGITS: Final = 40
"""Hexadecimal digits of a message id that is made of a message."""

CORRELATION_DATA: Final = "correlation_data"

CONCLUDED: Final = frozenset({"candidate_id", "source_id", "only"})
"""Ways in which the attempt is concluded from what is open."""


def message_id_of(heard: Delivery, attempt_id: str) -> str:
    """Return the id of our message that a message of the lab becomes: the same whenever it is heard again."""
    content = b"\0".join((heard.topic.encode(errors="replace"), heard.payload, attempt_id.encode()))
    return f"lab-{hashlib.sha256(content).hexdigest()[:ID_DIGITS]}"


@dataclass(frozen=True, slots=True)
class Correlator:
    """Finds the attempt that a message answers.

    Attributes:
        key: The setting, below `lab`.
        by: How.
        expression: Where the id is, if the message holds one.
    """

    key: Key
    by: Correlation
    expression: Expression | None

    def attempt(
        self, heard: Delivery, document: Any, parts: Mapping[str, str], instrument: str | None, attempts: Attempts
    ) -> AskedAttempt:
        """Return the attempt.

        Args:
            heard: The message.
            document: Its payload.
            parts: Of its topic.
            instrument: Our id of who sent it; None where nothing tells.
            attempts: What was asked.

        Raises:
            UnmappedMessage: When there is none, or it cannot be told.
        """
        if self.by in CONCLUDED and heard.retain:
            raise UnmappedMessage(
                (*self.key, "correlate_by"),
                "the broker kept this message from before: which request it answers cannot be told",
                expected="a message that is not retained, or one that repeats attempt_id",
            )
        if self.by == "only":
            return self._concluded(heard, attempts.of_instrument(instrument or ""), f"{instrument} has")
        if self.by in CONCLUDED:
            candidate_id = self._candidate(document, parts, attempts)
            asked = [each for each in attempts.of_candidate(candidate_id) if instrument in {None, each.instrument}]
            return self._of_candidate(heard, asked, candidate_id, instrument)
        attempt_id = self._data(heard) if self.by == CORRELATION_DATA else self._id(document, parts, ATTEMPT)
        found = attempts.find(attempt_id)
        if found is None:
            raise UnmappedMessage(self._rule, f"{shown(attempt_id)} is no attempt of this campaign")
        if instrument not in {None, found.instrument}:
            raise UnmappedMessage(self._rule, f"{instrument} answers a request that {found.instrument} was sent")
        return found

    @property
    def _rule(self) -> Key:
        return (*self.key, "correlate_by" if self.expression is None else "id")

    def _concluded(self, heard: Delivery, asked: Sequence[AskedAttempt], who: str) -> AskedAttempt:
        if heard.redelivered:
            for each in reversed(asked):
                if message_id_of(heard, each.attempt_id) in each.answered_by:
                    return each  # it was counted before its acknowledgement got lost
        awaited = [each for each in asked if each.in_flight]
        if len(awaited) != 1:
            held = f"{len(awaited)} open requests" if awaited else "no open request"
            raise UnmappedMessage(
                (*self.key, "correlate_by"), f"{who} {held}, so which one this answers cannot be told",
                expected="exactly one",
            )  # fmt: skip
        return awaited[0]

    def _of_candidate(
        self, heard: Delivery, asked: Sequence[AskedAttempt], candidate_id: str, instrument: str | None
    ) -> AskedAttempt:
        if not asked:
            whom = "nobody was" if instrument is None else f"{instrument} was not"
            raise UnmappedMessage(self._rule, f"{whom} asked for the candidate {candidate_id}")
        if any(each.in_flight for each in asked):
            return self._concluded(heard, asked, f"the candidate {candidate_id} has")
        return asked[-1]  # late, or once more: the rules of the campaign say what becomes of it

    def _candidate(self, document: Any, parts: Mapping[str, str], attempts: Attempts) -> str:
        if self.by == "candidate_id":
            return self._id(document, parts, CANDIDATE)
        named = self._id(document, parts, "")
        candidate_id = attempts.candidate_named(named)
        if candidate_id is None:
            raise UnmappedMessage(self._rule, f"the campaign's table names no candidate {shown(named)}")
        return candidate_id

    def _id(self, document: Any, parts: Mapping[str, str], part: str) -> str:
        if self.expression is None:
            return parts[part]
        found = search(self._rule, self.expression, document)
        if isinstance(found, bool) or not isinstance(found, str | int):
            told = "finds nothing in the message" if found is None else f"finds {shown(found)}, which is no id"
            raise UnmappedMessage(self._rule, f"`{self.expression.text}` {told}")
        return str(found)

    def _data(self, heard: Delivery) -> str:
        told = heard.properties.get(CORRELATION_DATA)
        if not isinstance(told, str):
            raise UnmappedMessage(
                (*self.key, "correlate_by"), "the message has no correlation data",
                expected="an answer over MQTT 5 that repeats the request's correlation data",
            )  # fmt: skip
        try:
            return base64.b64decode(told, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise UnmappedMessage((*self.key, "correlate_by"), "the correlation data is none of ours") from None
