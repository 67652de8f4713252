"""A whole `[lab]` section, compiled and checked: what is wrong with it is found here, before a message travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.link.transport import Delivery
from protocols.mapping.facts import CampaignFacts, receipt_document, request_document
from protocols.mapping.faults import MappingError, MappingProblem, UnmappedMessage
from protocols.mapping.incoming import AnswerMapping, FailureMapping, Hearing, StatusMapping
from protocols.mapping.incoming_compiler import IncomingCompiler
from protocols.mapping.outgoing import LabMessage, OutgoingCompiler, OutgoingMapping
from protocols.mapping.results import ResultMapping, ScalarMapping
from protocols.mapping.settings import LabSettings, OutgoingSettings, WrittenSettings
from protocols.mapping.soundness import soundness_problems
from protocols.mapping.topics import (
    ATTEMPT,
    CAMPAIGN,
    CANDIDATE,
    INSTRUMENT,
    KNOWN_PARTS,
    TemplateError,
    TopicTemplate,
    parse_template,
)
from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult, Quantity, ResultReceipt, Status

Understood = CandidateResult | CandidateFailure | Status
"""What a message of the lab can be."""

IncomingKind = StatusMapping | FailureMapping | ResultMapping


@dataclass(frozen=True, slots=True)
class LabMapping:
    """A compiled `[lab]` section.

    Attributes:
        settings: As they were written.
        setpoints: What is written before each request.
        request: What is sent for one.
        response_topic: Where the answer is wanted; None: nothing is said of it.
        receipt: What is sent for a receipt; None: nothing.
        incoming: What is understood, in the order in which it is tried.
        scalars: Properties on topics of their own.
    """

    settings: LabSettings
    setpoints: tuple[OutgoingMapping, ...]
    request: OutgoingMapping
    response_topic: TopicTemplate | None
    receipt: OutgoingMapping | None
    incoming: tuple[IncomingKind, ...]
    scalars: tuple[ScalarMapping, ...] = ()

    @property
    def instruments(self) -> tuple[str, ...]:
        """Our ids of those that the mapping is for."""
        return tuple(self.settings.instruments)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Filters of all that is understood."""
        return tuple(dict.fromkeys(each.topic.filter for each in (*self.incoming, *self.scalars)))

    @property
    def tells_presence(self) -> bool:
        """Whether the lab says that its instruments are there."""
        return self.settings.status is not None

    @property
    def needs_one_each(self) -> bool:
        """Whether an instrument must have one request at a time, for its answers or set points name none."""
        by_order = (isinstance(each, AnswerMapping) and each.correlator.by == "only" for each in self.incoming)
        return bool(self.scalars or self.setpoints) or any(by_order)

    def is_of_lab(self, topic: str) -> bool:
        """Tell whether a topic is one of those that are understood."""
        return any(each.topic.parse(topic) is not None for each in (*self.incoming, *self.scalars))

    def scalar(self, heard: Delivery) -> tuple[str, Quantity] | None:
        """Return the instrument and the property that a message tells by itself; None where it is no such message.

        Raises:
            UnmappedMessage: When it should be one and does not fit.
        """
        for each in self.scalars:
            parts = each.topic.parse(heard.topic)
            if parts is None:
                continue
            document = each.document(heard.payload)
            sender = each.sender(document, parts)
            if sender is not None and each.concerns(document):
                return sender, each.understand(document)
        return None

    def messages_for(
        self, request: CandidateRequest, recipient: str, features: Mapping[str, float]
    ) -> tuple[LabMessage, ...]:
        """Return what is sent for a request, in order.

        Args:
            request: Ours.
            recipient: Our id of the instrument.
            features: The candidate's, by name.

        Raises:
            UnmappedMessage: When a field of it has no value.
        """
        name = self.settings.instruments[recipient]
        document = request_document(request, name, features)
        parts = {INSTRUMENT: name, ATTEMPT: request.attempt_id, CANDIDATE: request.candidate_id}
        last = self.request.write(document, parts)
        if self.response_topic is not None:
            last = LabMessage(
                last.topic, last.payload, last.qos, last.retain,
                self.response_topic.fill(parts), request.attempt_id.encode(),
            )  # fmt: skip
        return (*(each.write(document, parts) for each in self.setpoints), last)

    def message_for_receipt(self, receipt: ResultReceipt, candidate_id: str | None) -> LabMessage | None:
        """Return what is sent for a receipt; None where the lab wants none, or its topic cannot be told."""
        if self.receipt is None or (CANDIDATE in self.receipt.topic.parts and candidate_id is None):
            return None
        name = self.settings.instruments[receipt.simulator]
        parts = {INSTRUMENT: name, ATTEMPT: receipt.attempt_id, CANDIDATE: candidate_id or ""}
        return self.receipt.write(receipt_document(receipt, name), parts, lenient=True)

    def refusal(self, heard: Delivery, fault: UnmappedMessage) -> LabMessage | None:
        """Return what is told to the sender of a message that does not fit; None where nobody can be told."""
        if self.receipt is None or not set(self.receipt.topic.parts) <= {INSTRUMENT}:
            return None
        sender = self.sender_of(heard)
        if sender is None:
            return None
        name = self.settings.instruments[sender]
        document = {"type": "result_receipt", "status": "refused", "detail": str(fault), "instrument": name}
        return self.receipt.write(document, {INSTRUMENT: name}, lenient=True)

    def understand(self, heard: Delivery, hearing: Hearing) -> Understood | None:
        """Return the message of ours that one of the lab is; None where it is none that concerns us.

        Args:
            heard: The message.
            hearing: What is known beside it.

        Raises:
            UnmappedMessage: When it should be one and does not fit, with the rule that refused it.
        """
        fault: UnmappedMessage | None = None
        for each in self.incoming:
            parts = each.topic.parse(heard.topic)
            if parts is None:
                continue
            try:
                document = each.document(heard.payload)
                if each.concerns(document):
                    return each.understand(heard, document, parts, hearing)
            except UnmappedMessage as error:
                if each.when is None:
                    raise
                fault = error  # whether it is of this kind cannot be told, and it is of no other
        if fault is not None:
            raise fault
        return None

    def sender_of(self, heard: Delivery) -> str | None:
        """Return our id of who sent a message, as far as topic or payload tell."""
        for each in (*self.incoming, *self.scalars):
            parts = each.topic.parse(heard.topic)
            if parts is None:
                continue
            try:
                document = None if each.instrument is None else each.document(heard.payload)
                sender = each.sender(document, parts)
            except UnmappedMessage:
                continue
            if sender is not None:
                return sender
        return None


def compile_mapping(settings: LabSettings, facts: CampaignFacts) -> LabMapping:
    """Return the mapping of a section.

    Args:
        settings: The section.
        facts: The campaign that it is for.

    Raises:
        MappingError: With everything that is wrong.
    """
    return _Compiler(settings, facts).compiled()


class _Compiler:
    """Goes through a section once, and collects what is wrong."""

    def __init__(self, settings: LabSettings, facts: CampaignFacts) -> None:
        self._settings = settings
        self._facts = facts
        self._problems: list[MappingProblem] = []
        self._constants = {**settings.parts, CAMPAIGN: facts.campaign}
        self._names = dict(settings.instruments)

    def compiled(self) -> LabMapping:
        settings, facts, problems = self._settings, self._facts, self._problems
        self._check_names()
        out = OutgoingCompiler(facts, problems)
        known = facts.names_in_request

        def sent(
            key: tuple[str, ...], each: OutgoingSettings, names: Mapping[str, Sequence[str] | None] = known
        ) -> Any:
            return out.message(key, each, self._template((*key, "topic"), each.topic), names)

        setpoints = [sent(("setpoints", name), each) for name, each in settings.setpoints.items()]
        request = sent(("request",), settings.request)
        receipt = None if settings.receipt is None else sent(("receipt",), settings.receipt, facts.names_in_receipt)
        response = None
        if settings.request.response_topic:
            response = self._template(("request", "response_topic"), settings.request.response_topic)
        incoming = self._incoming(response)
        scalars = self._scalars(response)
        if not problems:
            outgoing = [each for each in (*setpoints, request, receipt) if each is not None]
            problems.extend(soundness_problems(settings, facts, outgoing, (*incoming, *scalars)))
        if problems or request is None:
            raise MappingError(problems)
        in_order = sorted(incoming, key=lambda each: each.when is None)
        return LabMapping(settings, tuple(setpoints), request, response, receipt, tuple(in_order), tuple(scalars))

    def _incoming(self, response: TopicTemplate | None) -> list[IncomingKind]:
        settings = self._settings
        into = IncomingCompiler(settings, self._facts, self._problems, response)
        found: list[IncomingKind | None] = []
        if settings.status is not None:
            found.append(into.status(settings.status, self._heard(("status",), settings.status)))
        if settings.failure is not None:
            found.append(into.failure(settings.failure, self._heard(("failure",), settings.failure)))
        found.append(into.result(settings.result, self._heard(("result",), settings.result)))
        return [each for each in found if each is not None]

    def _scalars(self, response: TopicTemplate | None) -> list[ScalarMapping]:
        into = IncomingCompiler(self._settings, self._facts, self._problems, response)
        found = [
            into.scalar(name, each, self._heard(("scalars", name), each))
            for name, each in self._settings.scalars.items()
        ]
        return [each for each in found if each is not None]

    def _heard(self, key: tuple[str, ...], settings: WrittenSettings) -> TopicTemplate | None:
        return self._template((*key, "topic"), settings.topic)

    def _template(self, key: tuple[str, ...], text: str) -> TopicTemplate | None:
        try:
            return parse_template(text, self._constants, self._names)
        except TemplateError as error:
            self._problems.append(MappingProblem(key, error.found, action=error.action))
            return None

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for own, name in self._names.items():
            if any(mark in name for mark in "/+#{}\0"):
                self._problems.append(
                    MappingProblem(
                        ("instruments", own), f"{name!r} is no one level of a topic", action="leave out / + # { }"
                    )
                )
            elif name in seen:
                self._problems.append(
                    MappingProblem(
                        ("instruments", own),
                        f"{name!r} is the name of {seen[name]} as well",
                        action="name each its own",
                    )
                )
            seen[name] = own
        for name in self._settings.parts:
            if name in KNOWN_PARTS:
                self._problems.append(
                    MappingProblem(("parts", name), f"{{{name}}} is filled by us", action="choose another name")
                )
