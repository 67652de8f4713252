"""From the lab's messages to ours: a result, a failure, or that an instrument is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from protocols.link.transport import Delivery
from protocols.mapping.correlation import Correlator, message_id_of
from protocols.mapping.expressions import Expression, search
from protocols.mapping.facts import AskedAttempt, Attempts
from protocols.mapping.faults import Key, UnmappedMessage
from protocols.mapping.payloads import PayloadError, number_of, read_payload, shown
from protocols.mapping.settings import FailureSettings, IncomingSettings, StatusSettings
from protocols.mapping.topics import INSTRUMENT, TopicTemplate
from protocols.mapping.units import Conversion
from protocols.wire.limits import MAX_DURATION_S, MAX_REMARK_LENGTH
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    Health,
    Quantity,
    Status,
    cut,
)

LAB_TOPIC: Final = "lab_topic"
"""Remark: the topic that the lab's message came on."""

LAB_DIGEST: Final = "lab_sha256"
"""Remark: SHA-256 of its payload."""

Understood = CandidateResult | CandidateFailure | Status
"""What a message of the lab can be."""


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
class QuantityMapping:
    """One compiled property."""

    name: str
    unit: str
    value: Expression
    conversion: Conversion
    lab_unit: str
    unit_field: Expression | None = None
    standard_deviation: Expression | None = None

    def quantity(self, rule: Key, document: Any, decimal: str) -> Quantity:
        """Return the property that a message tells.

        Args:
            rule: The setting, below `lab`.
            document: The message.
            decimal: Decimal mark of numbers that are text.

        Raises:
            UnmappedMessage: When it tells none.
        """
        if self.unit_field is not None:
            told = search(rule, self.unit_field, document)
            if told != self.lab_unit:
                found = f"the message gives it in {shown(told)}"
                raise UnmappedMessage((*rule, "unit_field"), found, expected=self.lab_unit)
        value = _number(rule, self.value, document, decimal)
        deviation = None
        if self.standard_deviation is not None:
            rule = (*rule, "standard_deviation")
            if search(rule, self.standard_deviation, document) is not None:
                deviation = self.conversion.difference(_number(rule, self.standard_deviation, document, decimal))
        try:
            return Quantity(
                name=self.name, value=self.conversion.value(value), unit=self.unit, standard_deviation=deviation
            )
        except ValidationError as error:
            raise UnmappedMessage(rule, _first(error)) from None


@dataclass(frozen=True, slots=True)
class ScalarMapping(IncomingMapping):
    """A compiled property on a topic of its own."""

    quantity: QuantityMapping

    def understand(self, document: Any) -> Quantity:
        """Return the property.

        Raises:
            UnmappedMessage: When the message does not fit.
        """
        return self.quantity.quantity(self.key, document, self.settings.decimal)


class IncompleteResult(UnmappedMessage):
    """A result whose further properties have not come yet.

    Args:
        rule: The setting, below `lab`.
        names: The properties.
        instrument: Our id of who sent it.
    """

    def __init__(self, rule: Key, names: Sequence[str], instrument: str) -> None:
        super().__init__(rule, f"{', '.join(names)} did not come with it")
        self.names: Final = tuple(names)
        self.instrument: Final = instrument


class CountedBefore(UnmappedMessage):
    """A result that is in the journal, and that the broker brings again without all that came with it."""


@dataclass(frozen=True, slots=True)
class ResultMapping(AnswerMapping):
    """The compiled result."""

    quantities: tuple[QuantityMapping, ...]
    duration_s: Expression | None
    provenance: Mapping[str, Expression]
    scalars: tuple[str, ...]

    def understand(self, heard: Delivery, document: Any, parts: Mapping[str, str], hearing: Hearing) -> CandidateResult:
        """Return our result.

        Raises:
            UnmappedMessage: When the message does not fit.
            IncompleteResult: When properties on topics of their own have not come.
            CountedBefore: When it is counted, and not all of it comes again.
        """
        attempt = self.answered(heard, document, parts, hearing)
        beside = self._beside(heard, attempt, hearing)
        quantities = tuple(
            each.quantity((*self.key, "quantities", each.name), document, self.settings.decimal)
            for each in self.quantities
        )
        found = ((name, self._remark(name, each, document)) for name, each in self.provenance.items())
        remarks = {name: remark for name, remark in found if remark is not None}
        origin: dict[str, str | float] = {
            LAB_TOPIC: heard.topic[:MAX_REMARK_LENGTH],
            LAB_DIGEST: hashlib.sha256(heard.payload).hexdigest(),
        }
        try:
            return CandidateResult(
                campaign=hearing.campaign,
                message_id=message_id_of(heard, attempt.attempt_id),
                sent_at=hearing.now,
                attempt_id=attempt.attempt_id,
                candidate_id=attempt.candidate_id,
                simulator=attempt.instrument,
                quantities=(*quantities, *beside),
                duration_s=self._duration_s(document, attempt, hearing),
                provenance=remarks | origin,
            )
        except ValidationError as error:
            raise UnmappedMessage(self.key, _first(error)) from None

    def _beside(self, heard: Delivery, attempt: AskedAttempt, hearing: Hearing) -> list[Quantity]:
        """Return the properties that came on topics of their own."""
        if heard.redelivered and self.scalars and message_id_of(heard, attempt.attempt_id) in attempt.answered_by:
            raise CountedBefore(self.key, "it was counted before")
        come = hearing.scalars(attempt.instrument)
        missing = [name for name in self.scalars if name not in come]
        if missing:
            raise IncompleteResult(("scalars", missing[0]), missing, attempt.instrument)
        return [come[name] for name in self.scalars]

    def _remark(self, name: str, expression: Expression, document: Any) -> str | float | None:
        found = search((*self.key, "provenance", name), expression, document)
        if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
            return None if found is None else float(found)
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        return text[:MAX_REMARK_LENGTH]

    def _duration_s(self, document: Any, attempt: AskedAttempt, hearing: Hearing) -> float:
        rule = (*self.key, "duration_s")
        if self.duration_s is not None and search(rule, self.duration_s, document) is not None:
            return _number(rule, self.duration_s, document, self.settings.decimal)
        return min(hearing.elapsed_s(attempt.attempt_id) or 0.0, MAX_DURATION_S)


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


def _number(rule: Key, expression: Expression, document: Any, decimal: str) -> float:
    found = search(rule, expression, document)
    if found is None:
        raise UnmappedMessage(rule, f"`{expression.text}` finds nothing in the message")
    try:
        return number_of(found, decimal)
    except PayloadError as error:
        raise UnmappedMessage(rule, f"`{expression.text}`: {error}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(each) for each in first['loc'])}: {first['msg']}"[:300]
