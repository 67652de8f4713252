"""Compiles what a lab's messages mean, and collects what is wrong with that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypedDict

from protocols.mapping.correlation import Correlator
from protocols.mapping.expressions import Expression, ExpressionError, compile_expression, require_names
from protocols.mapping.facts import CampaignFacts
from protocols.mapping.faults import Key, MappingProblem
from protocols.mapping.incoming import Echo, FailureMapping, StatusMapping, names_in
from protocols.mapping.payloads import PayloadError, number_of, read_payload
from protocols.mapping.results import QuantityMapping, ResultMapping, ScalarMapping
from protocols.mapping.settings import (
    AnswerSettings,
    FailureSettings,
    IncomingSettings,
    LabSettings,
    QuantitySettings,
    ResultSettings,
    ScalarSettings,
    StatusSettings,
    quantity_of,
)
from protocols.mapping.topics import ATTEMPT, CANDIDATE, INSTRUMENT, TopicTemplate
from protocols.mapping.units import SAME, Conversion, UnitError, conversion
from protocols.settings.suggestions import did_you_mean

_PART_OF: Final = {"attempt_id": ATTEMPT, "candidate_id": CANDIDATE}
"""Way to correlate -> the part of a topic that can hold its id."""


class _Common(TypedDict):
    key: Key
    topic: TopicTemplate
    when: Expression | None
    instrument: Expression | None
    ids: dict[str, str]


class _Answer(_Common):
    correlator: Correlator
    echoes: tuple[Echo, ...]


class IncomingCompiler:
    """Compiles the messages of one lab.

    Args:
        lab: The section.
        facts: The campaign.
        problems: Where problems are put.
        response: Where answers are asked for; None where they are not.
    """

    def __init__(
        self,
        lab: LabSettings,
        facts: CampaignFacts,
        problems: list[MappingProblem],
        response: TopicTemplate | None,
    ) -> None:
        self._lab = lab
        self._facts = facts
        self._problems = problems
        self._response = response
        self._example: Any = None
        self._has_example = False

    def status(self, settings: StatusSettings, topic: TopicTemplate | None) -> StatusMapping | None:
        """Compile presence; None where it cannot be."""
        key: Key = ("status",)
        before = len(self._problems)
        self._read_example(key, settings)
        common = self._common(key, settings, topic)
        value = self._expression((*key, "value"), settings.value, settings)
        for word in sorted({*settings.online} & {*settings.offline}):
            self._blame((*key, "offline"), f"{word!r} is a word for being there as well", action="leave it out of one")
        self._require_sender(key, settings, topic, "it cannot be told who is there")
        if common is None or value is None or len(self._problems) > before:
            return None
        return StatusMapping(settings=settings, value=value, **common)

    def failure(self, settings: FailureSettings, topic: TopicTemplate | None) -> FailureMapping | None:
        """Compile a failure; None where it cannot be."""
        key: Key = ("failure",)
        before = len(self._problems)
        self._read_example(key, settings)
        answer = self._answer(key, settings, topic)
        code = self._expression((*key, "code"), settings.code, settings)
        detail = self._expression((*key, "detail"), settings.detail, settings)
        if settings.reasons and not settings.code:
            self._blame((*key, "reasons"), "nobody says where the lab's word for it is", action="set lab.failure.code")
        if answer is None or len(self._problems) > before:
            return None
        return FailureMapping(settings=settings, code=code, detail=detail, **answer)

    def result(self, settings: ResultSettings, topic: TopicTemplate | None) -> ResultMapping | None:
        """Compile a result; None where it cannot be."""
        key: Key = ("result",)
        before = len(self._problems)
        self._read_example(key, settings)
        answer = self._answer(key, settings, topic)
        self._check_properties(settings)
        quantities = [
            self._quantity((*key, "quantities", name), name, quantity_of(each), settings)
            for name, each in settings.quantities.items()
        ]
        duration = self._expression((*key, "duration_s"), settings.duration_s, settings)
        provenance = {
            name: self._expression((*key, "provenance", name), each, settings)
            for name, each in settings.provenance.items()
        }
        if answer is None or len(self._problems) > before:
            return None
        return ResultMapping(
            settings=settings,
            quantities=tuple(each for each in quantities if each is not None),
            duration_s=duration,
            provenance={name: each for name, each in provenance.items() if each is not None},
            scalars=tuple(self._lab.scalars),
            **answer,
        )

    def scalar(self, name: str, settings: ScalarSettings, topic: TopicTemplate | None) -> ScalarMapping | None:
        """Compile a property on a topic of its own; None where it cannot be."""
        key: Key = ("scalars", name)
        before = len(self._problems)
        self._read_example(key, settings)
        common = self._common(key, settings, topic)
        given = QuantitySettings(value=settings.value, unit=settings.unit)
        quantity = self._quantity(key, name, given, settings)
        self._require_sender(key, settings, topic, "it cannot be told whose result it belongs to")
        if common is None or quantity is None or len(self._problems) > before:
            return None
        return ScalarMapping(settings=settings, quantity=quantity, **common)

    def _check_properties(self, settings: ResultSettings) -> None:
        """Check that each property that is wanted is told, and once."""
        told = (*settings.quantities, *self._lab.scalars)
        for name in self._facts.units:
            if name not in told:
                self._blame(
                    ("result", "quantities"),
                    f"the campaign wants {name!r}, which no quantity gives",
                    action=did_you_mean(name, told) or f"add lab.result.quantities.{name}",
                )
        for name in self._lab.scalars:
            if name in settings.quantities:
                self._blame(("scalars", name), "the result itself tells it as well", action="leave one out")

    def _quantity(
        self, key: Key, name: str, given: QuantitySettings, settings: IncomingSettings
    ) -> QuantityMapping | None:
        wanted = self._facts.units.get(name)
        lab_unit = given.unit if given.unit is not None else wanted or ""
        unit = lab_unit if wanted is None else wanted
        value = self._expression((*key, "value"), given.value, settings, is_number=True)
        unit_field = self._expression((*key, "unit_field"), given.unit_field, settings)
        deviation = self._expression((*key, "standard_deviation"), given.standard_deviation, settings)
        converted = self._conversion((*key, "unit"), lab_unit, unit)
        if value is None or converted is None:
            return None
        return QuantityMapping(name, unit, value, converted, lab_unit, unit_field, deviation)

    def _conversion(self, key: Key, given: str, wanted: str) -> Conversion | None:
        if given == wanted:
            return SAME
        try:
            return conversion(given, wanted)
        except UnitError as error:
            self._blame(key, error.found, action=error.action)
            return None

    def _common(self, key: Key, settings: IncomingSettings, topic: TopicTemplate | None) -> _Common | None:
        when = self._expression((*key, "when"), settings.when, settings, must_be_there=False)
        instrument = self._expression((*key, "instrument"), settings.instrument, settings)
        if settings.payload != "csv" and settings.columns:
            self._blame((*key, "columns"), f"a payload of {settings.payload} has no columns", action="leave them out")
        if topic is None:
            return None
        ids = {name: own for own, name in self._lab.instruments.items()}
        return {"key": key, "topic": topic, "when": when, "instrument": instrument, "ids": ids}

    def _answer(self, key: Key, settings: AnswerSettings, topic: TopicTemplate | None) -> _Answer | None:
        common = self._common(key, settings, topic)
        expression = self._expression((*key, "id"), settings.id, settings)
        echoes = []
        for theirs, ours in settings.echoes.items():
            rule = (*key, "echoes", theirs)
            found = self._expression(rule, theirs, settings)
            wanted = self._over_request(rule, ours)
            if found is not None and wanted is not None:
                echoes.append(Echo(found, wanted))
        self._check_correlation(key, settings, topic)
        if common is None:
            return None
        return {
            **common,
            "correlator": Correlator(key, settings.correlate_by, expression),
            "echoes": tuple(echoes),
        }

    def _check_correlation(self, key: Key, settings: AnswerSettings, topic: TopicTemplate | None) -> None:
        by = settings.correlate_by
        parts = () if topic is None else topic.parts
        if by in {"only", "correlation_data"}:
            if settings.id:
                self._blame((*key, "id"), f'correlate_by = "{by}" looks at no id', action="leave id out")
        elif not settings.id and _PART_OF.get(by) not in parts and topic is not None:
            self._blame(
                (*key, "id"),
                f'correlate_by = "{by}", and nobody says where the message has it',
                action="set id to where it is in the payload"
                + (f", or name the part {{{by}}} in the topic" if by in _PART_OF else ""),
            )
        if by == "correlation_data":
            self._check_response(key, topic)
        if by == "only":
            self._require_sender(key, settings, topic, "it cannot be told whose open request it answers")

    def _check_response(self, key: Key, topic: TopicTemplate | None) -> None:
        if self._response is None:
            if not self._lab.request.response_topic:
                self._blame(
                    (*key, "correlate_by"),
                    "no request carries correlation data",
                    action="set lab.request.response_topic to where the answer is wanted",
                )
        elif topic is not None and not self._response.may_meet(topic):
            self._blame(
                (*key, "topic"),
                f"answers are asked for on {self._response.text!r}, and {topic.text!r} is listened to",
                action="write the same topic in lab.request.response_topic",
            )

    def _require_sender(self, key: Key, settings: IncomingSettings, topic: TopicTemplate | None, why: str) -> None:
        if topic is None or len(self._lab.instruments) == 1 or settings.instrument or INSTRUMENT in topic.parts:
            return
        self._blame(
            (*key, "topic"),
            f"there are {len(self._lab.instruments)} instruments, and neither topic nor payload names one: {why}",
            action="name the part {instrument} in the topic, or set instrument to where the payload has its name",
        )

    def _over_request(self, key: Key, text: str) -> Expression | None:
        return self._tried(key, text, lambda each: require_names(each, self._facts.names_in_request))

    def _expression(
        self,
        key: Key,
        text: str,
        settings: IncomingSettings,
        *,
        is_number: bool = False,
        must_be_there: bool = True,
    ) -> Expression | None:
        """Compile an expression over a message, and look whether the example has what it looks for."""
        if not text:
            return None
        known = names_in(settings)

        def checked(each: Expression) -> None:
            if known is not None:
                require_names(each, dict.fromkeys(known))
            if self._has_example and must_be_there:
                self._require_in_example(each, settings, is_number=is_number)

        return self._tried(key, text, checked)

    def _require_in_example(self, expression: Expression, settings: IncomingSettings, *, is_number: bool) -> None:
        found = expression.search(self._example)
        if found is None:
            names = tuple(self._example) if isinstance(self._example, dict) else ()
            first = expression.paths[0][0] if expression.paths else ""
            raise ExpressionError(
                f"`{expression.text}` finds nothing in the example",
                (did_you_mean(first, names) if first not in names else "")
                or (f"the example has {', '.join(map(str, names))}" if names else "correct one of them"),
            )
        if is_number:
            try:
                number_of(found, settings.decimal)
            except PayloadError as error:
                raise ExpressionError(f"`{expression.text}` in the example: {error}") from None

    def _tried(self, key: Key, text: str, check: Callable[[Expression], None]) -> Expression | None:
        try:
            expression = compile_expression(text)
            check(expression)
        except ExpressionError as error:
            self._blame(key, error.found, action=error.action)
            return None
        return expression

    def _read_example(self, key: Key, settings: IncomingSettings) -> None:
        self._has_example = False
        if not settings.example:
            return
        try:
            self._example = read_payload(settings, settings.example.encode())
            self._has_example = True
        except PayloadError as error:
            self._blame((*key, "example"), str(error), action="write it as the lab sends it, or correct payload")

    def _blame(self, key: Key, found: str, *, action: str) -> None:
        self._problems.append(MappingProblem(key, found, action=action))
