"""From our messages to the lab's: which fields, in which units, on which topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.mapping.expressions import Expression, ExpressionError, compile_expression, require_names
from protocols.mapping.facts import PARAMETER, CampaignFacts
from protocols.mapping.faults import Key, MappingProblem, UnmappedMessage
from protocols.mapping.payloads import VALUE, PayloadError, number_of, write_payload
from protocols.mapping.settings import FieldSettings, OutgoingSettings, field_of
from protocols.mapping.topics import TopicTemplate
from protocols.mapping.units import SAME, Conversion, UnitError, conversion


@dataclass(frozen=True, slots=True)
class LabMessage:
    """A message as the lab gets it.

    Attributes:
        topic: Where it goes.
        payload: What it says.
        qos: Quality of service.
        retain: Whether the broker keeps it.
        response_topic: MQTT 5: where the answer is wanted; empty: nothing is said of it.
        correlation_data: MQTT 5: what the answer repeats.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    response_topic: str = ""
    correlation_data: bytes = b""


@dataclass(frozen=True, slots=True)
class OutgoingField:
    """One compiled field."""

    name: str
    expression: Expression
    conversion: Conversion
    optional: bool


@dataclass(frozen=True, slots=True)
class OutgoingMapping:
    """One compiled message to the lab.

    Attributes:
        key: Its setting, below `lab`.
        settings: As they were written.
        topic: Its template.
        fields: In order.
    """

    key: Key
    settings: OutgoingSettings
    topic: TopicTemplate
    fields: tuple[OutgoingField, ...]

    def write(self, document: Mapping[str, Any], parts: Mapping[str, str], *, lenient: bool = False) -> LabMessage:
        """Return the message.

        Args:
            document: What the expressions look into.
            parts: Values of the topic's parts.
            lenient: Whether every field is optional.

        Raises:
            UnmappedMessage: When a field has no value, or one that is none of its unit.
        """
        found = {
            each.name: value for each in self.fields if (value := self._value(each, document, lenient)) is not None
        }
        if self.settings.payload == "csv":
            found = {each.name: found.get(each.name, "") for each in self.fields}  # what is left out has an empty cell
        try:
            payload = write_payload(self.settings, found | self.settings.constants)
        except PayloadError as error:
            raise UnmappedMessage(self.key, str(error)) from None
        return LabMessage(self.topic.fill(parts), payload, self.settings.qos, self.settings.retain)

    def _value(self, field: OutgoingField, document: Mapping[str, Any], lenient: bool) -> Any:  # noqa: FBT001
        rule = (*self.key, "fields", field.name)
        try:
            value = field.expression.search(document)
            if value is None and not (field.optional or lenient):
                raise UnmappedMessage(rule, f"`{field.expression.text}` finds nothing in our message")
            if value is None or field.conversion == SAME:
                return value
            return field.conversion.value(number_of(value, self.settings.decimal))
        except (ExpressionError, PayloadError) as error:
            raise UnmappedMessage(rule, str(error)) from None


class OutgoingCompiler:
    """Compiles messages to the lab, and collects what is wrong.

    Args:
        facts: The campaign.
        problems: Where problems are put.
    """

    def __init__(self, facts: CampaignFacts, problems: list[MappingProblem]) -> None:
        self._facts = facts
        self._problems = problems

    def message(
        self,
        key: Key,
        settings: OutgoingSettings,
        topic: TopicTemplate | None,
        known: Mapping[str, Sequence[str] | None],
    ) -> OutgoingMapping | None:
        """Compile a message; None where it cannot be.

        Args:
            key: Its setting, below `lab`.
            settings: As they were written.
            topic: Its template; None where that is wrong already.
            known: Names that its expressions may look for.
        """
        before = len(self._problems)
        self._problems.extend(_shape_problems(key, settings))
        fields = [
            compiled
            for name, given in settings.fields.items()
            if (compiled := self._field((*key, "fields", name), name, field_of(given), known)) is not None
        ]
        if topic is None or len(self._problems) > before:
            return None
        return OutgoingMapping(key, settings, topic, tuple(fields))

    def _field(
        self, key: Key, name: str, settings: FieldSettings, known: Mapping[str, Sequence[str] | None]
    ) -> OutgoingField | None:
        try:
            expression = compile_expression(settings.value)
            require_names(expression, known)
            return OutgoingField(name, expression, self._conversion(expression, settings), settings.optional)
        except (ExpressionError, UnitError) as error:
            self._problems.append(MappingProblem(key, error.found, action=error.action))
            return None

    def _conversion(self, expression: Expression, settings: FieldSettings) -> Conversion:
        """Return how a field's number becomes the lab's."""
        if not settings.unit:
            return SAME
        ours = settings.from_unit
        if not ours and len(expression.paths) == 1 and expression.paths[0][0] == PARAMETER:
            ours = self._facts.parameters.get("".join(expression.paths[0][1:2]), "")
        if not ours:
            raise UnitError(
                f"`{settings.value}` is to be sent in {settings.unit}, and nobody says which unit it has",
                "set from_unit beside unit",
            )
        return conversion(ours, settings.unit)


def _shape_problems(key: Key, settings: OutgoingSettings) -> Iterator[MappingProblem]:
    """Yield what does not go together in a payload."""
    names = [*settings.fields, *settings.constants]
    if settings.payload in {"number", "text"} and names != [VALUE]:
        yield MappingProblem(
            (*key, "fields"),
            f"a payload of {settings.payload} has the one field {VALUE!r}, and this has {', '.join(names) or 'none'}",
            action=f'write fields = {{ {VALUE} = "…" }}, or choose payload = "json"',
        )
    for name in settings.fields:
        if name in settings.constants:
            yield MappingProblem((*key, "constants", name), f"{name!r} is a field as well", action="leave one out")
    for name in names:
        inside = [other for other in names if other.startswith(f"{name}.")]
        if settings.payload == "json" and inside:
            yield MappingProblem(
                (*key, "fields", name), f"{name!r} cannot be a value and hold {inside[0]!r}", action="rename one"
            )
