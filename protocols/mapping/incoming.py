"""From the lab's messages to ours: what all have in common, failures, and that an instrument is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocols.link.transport import Delivery
from protocols.mapping.correlation import Correlator, message_id_of
from protocols.mapping.expressions import Expression, search
from protocols.mapping.facts import AskedAttempt, Attempts
from protocols.mapping.faults import Key, UnmappedMessage
from protocols.mapping.payloads import PayloadError, read_payload, shown
from protocols.mapping.settings import FailureSettings, IncomingSettings, StatusSettings
from protocols.mapping.topics import INSTRUMENT, TopicTemplate
from protocols.wire.messages import (
    CandidateFailure,
    Health,
    Quantity,
    Status,
    cut,
)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a translation needs beside the message.

    Attributes:
        campaign: Its name.
        now: The time, a label.
        attempts: What was asked.
        elapsed_s: Time since an attempt's request was sent [s]; None where nobody knows.
        scalars: Instrument -> the properties that it told on topics of their own since its request.
    """

    campaign: str
    now: datetime
    attempts: Attempts
    elapsed_s: Callable[[str], float | None] = lambda _attempt_id: None
    scalars: Callable[[str], Mapping[str, Quantity]] = lambda _instrument: {}


@dataclass(frozen=True, slots=True)
class IncomingMapping:
    """One compiled message of the lab.

    Attributes:
        key: Its setting, below `lab`.
        settings: As they were written.
        topic: Its template.
        when: Whether it is of this kind; None: always.
        instrument: Where the instrument's name is; None where the topic tells it, or there is one.
        ids: Name in the lab -> our id of the instrument.
    """

    key: Key
    settings: IncomingSettings
    topic: TopicTemplate
    when: Expression | None
    instrument: Expression | None
    ids: Mapping[str, str]

    def document(self, payload: bytes) -> Any:
        """Return what expressions look into.

        Raises:
            UnmappedMessage: When the payload cannot be read.
        """
        try:
            return read_payload(self.settings, payload)
        except PayloadError as error:
            raise UnmappedMessage((*self.key, "payload"), str(error)) from None

    def concerns(self, document: Any) -> bool:
        """Tell whether a message is of this kind."""
        if self.when is None:
            return True
        found = search((*self.key, "when"), self.when, document)
        return found is not None and found is not False and found not in ("", [], {})

    def sender(self, document: Any, parts: Mapping[str, str]) -> str | None:
        """Return our id of who sent it; None where nothing tells, and there are several."""
        if self.instrument is not None:
            name = search((*self.key, "instrument"), self.instrument, document)
            if not isinstance(name, str) or name not in self.ids:
                raise UnmappedMessage((*self.key, "instrument"), f"{shown(name)} is no instrument of lab.instruments")
            return self.ids[name]
        if INSTRUMENT in parts:
            return self.ids[parts[INSTRUMENT]]
        return next(iter(self.ids.values())) if len(self.ids) == 1 else None


@dataclass(frozen=True, slots=True)
class Echo:
    """Something that an answer must repeat."""

    theirs: Expression
    ours: Expression


@dataclass(frozen=True, slots=True)
class AnswerMapping(IncomingMapping):
    """One that answers a request."""

    correlator: Correlator
    echoes: tuple[Echo, ...]

    def answered(self, heard: Delivery, document: Any, parts: Mapping[str, str], hearing: Hearing) -> AskedAttempt:
        """Return the attempt that a message answers.

        Raises:
            UnmappedMessage: When that cannot be told, or an echo is wrong.
        """
        instrument = self.sender(document, parts)
        attempt = self.correlator.attempt(heard, document, parts, instrument, hearing.attempts)
        for echo in self.echoes:
            rule = (*self.key, "echoes", echo.theirs.text)
            theirs = search(rule, echo.theirs, document)
            ours = search(rule, echo.ours, hearing.attempts.request_of(attempt.attempt_id))
            if theirs is None or str(theirs) != str(ours):
                raise UnmappedMessage(rule, f"the message has {shown(theirs)} there", expected=shown(ours))
        return attempt


@dataclass(frozen=True, slots=True)
class FailureMapping(AnswerMapping):
    """The compiled failure."""

    code: Expression | None
    detail: Expression | None

    def understand(
        self, heard: Delivery, document: Any, parts: Mapping[str, str], hearing: Hearing
    ) -> CandidateFailure:
        """Return our failure.

        Raises:
            UnmappedMessage: When the message does not fit.
        """
        settings = self.settings
        assert isinstance(settings, FailureSettings)  # noqa: S101 - for the type checker
        attempt = self.answered(heard, document, parts, hearing)
        code = None if self.code is None else search((*self.key, "code"), self.code, document)
        detail = None if self.detail is None else search((*self.key, "detail"), self.detail, document)
        words = [text_of(each) for each in (code, detail) if each is not None]
        return CandidateFailure(
            campaign=hearing.campaign,
            message_id=message_id_of(heard, attempt.attempt_id),
            sent_at=hearing.now,
            attempt_id=attempt.attempt_id,
            candidate_id=attempt.candidate_id,
            simulator=attempt.instrument,
            reason=settings.reasons.get(text_of(code), settings.reason),
            detail=cut(": ".join(words) or f"the lab said so on {heard.topic}"),
        )


@dataclass(frozen=True, slots=True)
class StatusMapping(IncomingMapping):
    """The compiled presence."""

    value: Expression

    def understand(self, heard: Delivery, document: Any, parts: Mapping[str, str], hearing: Hearing) -> Status:
        """Return our status.

        Raises:
            UnmappedMessage: When the message does not fit.
        """
        settings = self.settings
        assert isinstance(settings, StatusSettings)  # noqa: S101 - for the type checker
        instrument = self.sender(document, parts) or ""
        word = text_of(search((*self.key, "value"), self.value, document))
        if word not in {*settings.online, *settings.offline}:
            expected = f"one of {', '.join((*settings.online, *settings.offline))}"
            raise UnmappedMessage((*self.key, "value"), f"the message says {shown(word)}", expected=expected)
        return status_of(
            instrument,
            Health.ONLINE if word in settings.online else Health.OFFLINE,
            hearing,
            message_id_of(heard, instrument),
            f"as the lab says on {heard.topic}",
        )


def status_of(instrument: str, health: Health, hearing: Hearing, message_id: str, detail: str) -> Status:
    """Return the status of an instrument.

    Args:
        instrument: Our id of it.
        health: How it is.
        hearing: Campaign and time.
        message_id: Of the status.
        detail: How it is known, for people.
    """
    return Status(
        campaign=hearing.campaign,
        message_id=message_id,
        sent_at=hearing.now,
        client=instrument,
        role="simulator",
        health=health,
        detail=cut(detail),
    )


def text_of(value: Any) -> str:
    """Return a value of a message as a word: 1, true and null as JSON writes them; a whole number without a point."""
    whole = isinstance(value, float) and value.is_integer()
    return value if isinstance(value, str) else json.dumps(int(value) if whole else value, ensure_ascii=False)


def names_in(settings: IncomingSettings) -> Sequence[str] | None:
    """Return the fields that a payload of this kind has; None where only the message tells."""
    if settings.payload in {"number", "text"}:
        return ("value",)
    return settings.columns if settings.payload == "csv" and settings.columns else None
