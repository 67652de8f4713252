"""Tries one message, or one request, as the agent's link would translate it; nothing is sent."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from agent.campaign.state import Attempt
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.runtime.messages import MessageBuilder
from agent.settings import CampaignSettings
from protocols.errors import SettingsError
from protocols.link.transport import Delivery
from protocols.mapping.correlation import CORRELATION_DATA
from protocols.mapping.facts import FEATURE, AskedAttempt
from protocols.mapping.incoming import Hearing
from protocols.mapping.mapping import LabMapping, Understood
from protocols.mapping.outgoing import LabMessage, OutgoingMapping
from protocols.settings.suggestions import did_you_mean
from protocols.wire.codec import decode_payload
from protocols.wire.messages import CandidateRequest, CandidateResult, Quantity
from scenarios.lab.source import SAMPLE, MappingSource

ATTEMPT: Final = "6fff4132-d000000-086e999c-a1"
"""Id of the attempt of a sample request: what a real one looks like."""

SAMPLE_NAME: Final = "sample 1"
"""What a table would call the sample."""


@dataclass(frozen=True, slots=True)
class HeardTrial:
    """What would come of a message.

    Attributes:
        rule: The setting that understood it, below `lab`.
        message: Ours; None where it is passed over, or a property by itself.
        assumed: What was taken for granted, in words.
        scalar: The property, where it is one by itself.
    """

    rule: str
    message: Understood | None
    assumed: str
    scalar: Quantity | None = None


class AssumedAttempts:
    """Attempts of a campaign in which whatever a message answers is open; implements `Attempts`.

    Args:
        instrument: Who was asked.
        campaign: Its name.
    """

    def __init__(self, instrument: str, campaign: str) -> None:
        self._instrument = instrument
        self._campaign = campaign

    def find(self, attempt_id: str) -> AskedAttempt | None:
        """Return an open attempt of this id."""
        return AskedAttempt(attempt_id, SAMPLE, self._instrument, in_flight=True)

    def of_candidate(self, candidate_id: str) -> Sequence[AskedAttempt]:
        """Return an open attempt at this candidate."""
        return [AskedAttempt(ATTEMPT, candidate_id, self._instrument, in_flight=True)]

    def of_instrument(self, instrument: str) -> Sequence[AskedAttempt]:
        """Return the one open attempt of this instrument."""
        return [AskedAttempt(ATTEMPT, SAMPLE, instrument, in_flight=True)]

    def candidate_named(self, source_id: str) -> str | None:
        """Return the candidate of this name."""
        return SAMPLE if source_id else None

    def request_of(self, attempt_id: str) -> Mapping[str, Any]:
        """Return what its request said, as far as that is known."""
        return {"attempt_id": attempt_id, "campaign": self._campaign, "candidate_id": SAMPLE}


def try_message(
    source: MappingSource, topic: str, payload: bytes, *, correlation_data: str = "", retained: bool = False
) -> HeardTrial:
    """Return what would come of a message of the lab.

    Args:
        source: The mapping.
        topic: Of the message.
        payload: Of the message.
        correlation_data: MQTT 5's, as text.
        retained: Whether the broker kept it from before.

    Raises:
        SettingsError: When nothing of the mapping listens to the topic.
        UnmappedMessage: When it does not fit, with the rule that refuses it.
    """
    mapping = source.mapping
    told = {CORRELATION_DATA: base64.b64encode(correlation_data.encode()).decode()} if correlation_data else {}
    heard = Delivery(topic, payload, retained, 1, None, told)
    if not mapping.is_of_lab(topic):
        _require_listened_to(mapping, topic)
    sender = mapping.sender_of(heard) or mapping.instruments[0]
    assumed = AssumedAttempts(sender, source.facts.campaign)
    hearing = Hearing(source.facts.campaign, datetime.now(UTC), assumed, scalars=lambda _sender: _come(mapping))
    if (scalar := mapping.scalar(heard)) is not None:
        return HeardTrial(f"lab.scalars.{scalar[1].name}", None, "that a result comes beside it", scalar[1])
    message = mapping.understand(heard, hearing)
    if message is None:
        return HeardTrial("", None, "")
    kind = {"candidate_result": "result", "candidate_failure": "failure", "status": "status"}[message.type]
    words = "" if kind == "status" else f"that the request it answers was sent to {sender}, and is open"
    if isinstance(message, CandidateResult) and mapping.scalars:
        own = tuple(each for each in message.quantities if each.name not in mapping.settings.scalars)
        message = message.model_copy(update={"quantities": own})
        words += f"; that {', '.join(mapping.settings.scalars)} came on topics of their own"
    return HeardTrial(f"lab.{kind}", message, words)


def try_request(
    source: MappingSource, pool: Pool | None, candidate: str | None
) -> tuple[CandidateRequest, str, Sequence[LabMessage]]:
    """Return a request of ours, whom it is for, and what would be sent for it.

    Args:
        source: The mapping.
        pool: The scenario's; None where the mapping stands alone: then a sample is made up.
        candidate: Id of the candidate, ours or its table's; by default the first.

    Raises:
        SettingsError: When there is no such candidate.
        UnmappedMessage: When a field of it has no value.
    """
    chosen_from = _sample_pool(source.mapping) if pool is None else pool
    chosen = _candidate(chosen_from, candidate)
    recipient = source.mapping.instruments[0]
    request = _request(source, chosen_from, chosen, recipient)
    row = chosen_from.features[chosen_from.index_of[chosen.candidate_id]]
    features = dict(zip(chosen_from.feature_names, map(float, row), strict=True))
    return request, recipient, source.mapping.messages_for(request, recipient, features)


def _come(mapping: LabMapping) -> dict[str, Quantity]:
    """Return properties on topics of their own as if they had come."""
    told = (each.quantity for each in mapping.scalars)
    return {each.name: Quantity(name=each.name, value=0.0, unit=each.unit) for each in told}


def _request(source: MappingSource, pool: Pool, candidate: Candidate, recipient: str) -> CandidateRequest:
    scenario = source.scenario
    name, unit = next(iter(source.facts.units.items()))
    settings = CampaignSettings(property=name, unit=unit, budget=1) if scenario is None else scenario.campaign
    plan = settings.plan(campaign=source.facts.campaign, uid=SAMPLE, fingerprint="", recipients=(recipient,), pool=pool)
    messages = MessageBuilder(
        plan, evaluation_deadline_s=settings.evaluation_deadline_s, clock=lambda: datetime.now(UTC)
    )
    item = messages.request(Attempt(ATTEMPT, candidate.candidate_id, 0, 1, recipient), candidate)
    request = decode_payload(item.payload)
    assert isinstance(request, CandidateRequest)  # noqa: S101 - it has just been written
    return request


def _candidate(pool: Pool, name: str | None) -> Candidate:
    if name is None:
        return pool.candidates[0]
    for each in pool.candidates:
        if name in {each.candidate_id, each.source_id}:
            return each
    names = [each.source_id or each.candidate_id for each in pool.candidates]
    raise SettingsError(
        f"The pool has no candidate {name!r}",
        expected="an id as the table writes it, or ours",
        action=did_you_mean(name, names) or f"for example {names[0]!r}",
    )


def _sample_pool(mapping: LabMapping) -> Pool:
    """Return a pool of one made-up candidate that has all features which the mapping asks for."""
    names = sorted({path[1] for each in _sent(mapping) for path in _paths(each) if path[0] == FEATURE and path[1:]})
    features = np.array([[float(number) for number in range(1, len(names) + 1)]]).reshape(1, len(names))
    return make_pool([Candidate(SAMPLE, "sample", source_id=SAMPLE_NAME)], features, names)


def _sent(mapping: LabMapping) -> Sequence[OutgoingMapping]:
    return (*mapping.setpoints, mapping.request)


def _paths(sent: OutgoingMapping) -> list[tuple[str, ...]]:
    return [path for field in sent.fields for path in field.expression.paths]


def _require_listened_to(mapping: LabMapping, topic: str) -> None:
    """Say what is listened to.

    Raises:
        SettingsError: Always.
    """
    heard = {f"lab.{'.'.join(each.key)}": each.topic for each in (*mapping.incoming, *mapping.scalars)}
    same = [f"{name} {each.text}" for name, each in heard.items() if each.filter_takes(topic)]
    action = "give a topic that the lab uses"
    if same:
        names = ", ".join(mapping.settings.instruments.values())
        action = f"name an instrument as lab.instruments does ({names})"
    raise SettingsError(
        f"Nothing in [lab] listens to the topic {topic!r}",
        expected=" or ".join(f"{each.text} ({name})" for name, each in heard.items()),
        action=action,
    )
