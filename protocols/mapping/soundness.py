"""What does not go together in a mapping whose every setting is sound by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from protocols.mapping.facts import LAB_NAME, CampaignFacts
from protocols.mapping.faults import Key, MappingProblem
from protocols.mapping.incoming import AnswerMapping, IncomingMapping
from protocols.mapping.outgoing import OutgoingMapping
from protocols.mapping.settings import LabSettings
from protocols.mapping.topics import INSTRUMENT

MAX_HELD: Final = 9
"""Messages that wait unacknowledged for their results: one less than RabbitMQ leaves to a client, the least that is
known of any broker (Mosquitto 20, over MQTT 3.1.1)."""


def soundness_problems(
    settings: LabSettings,
    facts: CampaignFacts,
    outgoing: Sequence[OutgoingMapping],
    incoming: Sequence[IncomingMapping],
) -> Iterator[MappingProblem]:
    """Yield what does not go together.

    Args:
        settings: The section.
        facts: The campaign.
        outgoing: What is sent.
        incoming: What is understood.
    """
    yield from _meetings(outgoing, incoming)
    yield from _repeats(settings, facts)
    if (most := len(settings.scalars) * len(settings.instruments)) > MAX_HELD:
        yield MappingProblem(
            ("scalars",),
            f"{most} messages may wait for their results; some brokers leave no more than {MAX_HELD} unacknowledged",
            action="let the result carry the properties, or map fewer instruments",
        )
    for sent in outgoing:
        told = INSTRUMENT in sent.topic.parts or any(
            path[0] == LAB_NAME for field in sent.fields for path in field.expression.paths
        )
        if len(settings.instruments) > 1 and not told:
            yield MappingProblem(
                (*sent.key, "topic"),
                f"neither topic nor payload names an instrument, so each of {len(settings.instruments)} takes it",
                action="name the part {instrument} in the topic, or send `instrument` in a field",
            )
    for key in _needs_one_each(settings, incoming) if facts.parallel > len(settings.instruments) else ():
        yield MappingProblem(
            key,
            f"campaign.parallel is {facts.parallel}, so an instrument has more than one open request",
            expected=f"at most {len(settings.instruments)}: one for each instrument",
            action=f"set campaign.parallel = {len(settings.instruments)}, or let answers repeat an id",
        )


def _needs_one_each(settings: LabSettings, incoming: Sequence[IncomingMapping]) -> Iterator[Key]:
    """Yield what can be understood only while an instrument has one open request."""
    if settings.scalars:
        yield ("scalars",)
    for each in incoming:
        if isinstance(each, AnswerMapping) and each.correlator.by == "only":
            yield (*each.key, "correlate_by")


def _meetings(outgoing: Sequence[OutgoingMapping], incoming: Sequence[IncomingMapping]) -> Iterator[MappingProblem]:
    """Yield topics that are of two messages."""
    for one, other in combinations(incoming, 2):
        if one.topic.may_meet(other.topic) and one.when is None and other.when is None:
            yield MappingProblem(
                (*other.key, "topic"),
                f"lab.{'.'.join(one.key)} has the same topics, so that nobody can tell one from the other",
                action="set when in one of them, to what only its messages have",
            )
    for sent in outgoing:
        for heard in incoming:
            if sent.topic.may_meet(heard.topic):
                yield MappingProblem(
                    (*sent.key, "topic"),
                    f"it may be a topic of lab.{'.'.join(heard.key)}: we would hear ourselves",
                    action="let what is sent and what is heard have topics of their own",
                )


def _repeats(settings: LabSettings, facts: CampaignFacts) -> Iterator[MappingProblem]:
    """Yield what would let a request be carried out twice, or never be repeated."""
    repeat = settings.repeat
    if settings.request.retain and not repeat.safe:
        yield MappingProblem(
            ("request", "retain"),
            "the broker gives a kept request to the lab again whenever it connects",
            action="leave retain out, or set lab.repeat.safe where the lab carries out each attempt_id once",
        )
    if repeat.times and not repeat.safe:
        yield MappingProblem(
            ("repeat", "times"),
            "a request that comes twice may be carried out twice",
            action="set lab.repeat.safe = true where the lab carries out each attempt_id once; else times = 0",
        )
    if repeat.safe and repeat.times and repeat.after_s >= facts.request_timeout_s:
        yield MappingProblem(
            ("repeat", "after_s"),
            f"after {repeat.after_s:g} s the attempt is over (campaign.request_timeout_s is "
            f"{facts.request_timeout_s:g}), so that it is never repeated",
            action="set a shorter after_s, or a longer campaign.request_timeout_s",
        )
