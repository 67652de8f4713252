"""Results of the lab: its values in the campaign's units, and where they came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from protocols.link.transport import Delivery
from protocols.mapping.correlation import message_id_of
from protocols.mapping.expressions import Expression, search
from protocols.mapping.facts import AskedAttempt
from protocols.mapping.faults import Key, UnmappedMessage
from protocols.mapping.incoming import AnswerMapping, Hearing, IncomingMapping
from protocols.mapping.payloads import PayloadError, number_of, shown
from protocols.mapping.units import Conversion
from protocols.wire.limits import MAX_DURATION_S, MAX_REMARK_LENGTH
from protocols.wire.messages import CandidateResult, Quantity

LAB_TOPIC: Final = "lab_topic"
"""Remark: the topic that the lab's message came on."""

LAB_DIGEST: Final = "lab_sha256"
"""Remark: SHA-256 of its payload."""


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
