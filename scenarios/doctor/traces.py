"""What the broker keeps and tells by itself: retained messages, by which clocks are compared too, and its figures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from protocols.errors import MessageError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.codes import REFUSALS_FROM
from protocols.signing.envelope import unwrap
from protocols.wire.codec import decode_payload
from protocols.wire.messages import Status
from protocols.wire.topics import PREFIX
from scenarios.doctor.checks import Check, passed, warned
from scenarios.doctor.clocks import Heard
from scenarios.doctor.needs import STAND_IN
from scenarios.doctor.probe import Came, Probe
from scenarios.doctor.rights import payload_of_ours, refusal_of

OURS: Final = f"{PREFIX}/#"
"""All that the parts of campaigns say."""

OF_BROKER: Final = {
    "$SYS/broker/version": "{said}",
    "$SYS/broker/clients/disconnected": "{said} sessions of clients that are away",
}
"""Topic on which a broker tells of itself -> in which words that is told; few brokers do."""

QUIET_S: Final = 1.0
"""What is retained comes at once; after so long without any more that was all [s]."""

LISTEN_S: Final = 10.0
"""How long is listened at most, where much is said [s]."""

KEPT_WITHIN_S: Final = 1.0
"""How long a kept message may take to come to who subscribes [s]."""

ROUND_TRIPS: Final = 5
"""How often the way to the broker and back is timed; the middle one counts."""


@dataclass(slots=True)
class Traces:
    """What was found, as far as the account may hear it.

    Attributes:
        retained: Payload of what is retained on our topics, without the envelope of signatures, by topic.
        heard: What parts said, and when.
        broker: What it tells of itself.
        round_trip_s: Time from a packet to its answer [s].
    """

    retained: dict[str, bytes] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    broker: list[str] = field(default_factory=list)
    round_trip_s: float = 0.0


async def look_at_traces(settings: BrokerSettings, version: MqttVersion, filters: Iterable[str] = ()) -> Traces:
    """Listen for a moment to all of ours.

    Args:
        settings: As whom.
        version: The MQTT that is spoken.
        filters: What may be heard where a broker refuses to let all be heard.
    """
    found = Traces()
    async with Probe.let_in(settings, version) as probe:
        trips = [(await probe.subscribe(f"{PREFIX}/{STAND_IN}/status/{STAND_IN}"))[1] for _ in range(ROUND_TRIPS)]
        found.round_trip_s = statistics.median(trips)
        for topics in (OURS, *filters, *OF_BROKER):
            await probe.subscribe(topics)
        began, began_at = time.monotonic(), datetime.now(UTC)
        await probe.quiet(QUIET_S, LISTEN_S)
        for came in probe.came:
            if came.topic in OF_BROKER:
                found.broker.append(OF_BROKER[came.topic].format(said=came.payload.decode(errors="replace")))
            else:
                _note(found, came, began_at + timedelta(seconds=came.at_s - began))
    return found


def judge_broker(told: list[str]) -> Check:
    """Return what the broker tells of itself."""
    return passed("broker", "; ".join(told) or "it tells nothing of itself")


async def look_at_kept(settings: BrokerSettings, version: MqttVersion, topic: str) -> list[Check]:
    """Look whether a broker keeps what is retained, and gives it to who subscribes later, by name and by pattern.

    Args:
        settings: Of who may say something there.
        version: The MQTT that is spoken.
        topic: Where; of no campaign that there is.
    """
    payload = payload_of_ours()
    async with Probe.let_in(settings, version) as speaker:
        if refusal_of(await speaker.publish(topic, payload, retain=True)) is not None:
            return []  # whether it may speak there is another question
        try:
            pattern = f"{topic.rsplit('/', 1)[0]}/+"
            by_name, by_pattern = [await _comes(settings, version, each, topic, payload) for each in (topic, pattern)]
        finally:
            await speaker.publish(topic, b"", retain=True)
    return [judge_kept(by_name=by_name, by_pattern=by_pattern)]


def judge_kept(*, by_name: bool, by_pattern: bool) -> Check:
    """Return what it means how a kept message came to who subscribed later."""
    if by_name and by_pattern:
        return passed("kept", "what is retained comes to who subscribes later")
    if by_name:
        return warned(
            "kept",
            "what is retained does not come to who subscribes later with a + or #, as with RabbitMQ",
            "start the agent before the instruments: it does not hear who was there before",
        )
    return warned(
        "kept",
        "what was retained did not come back: it is not kept, or this account may not hear it",
        "let the broker keep retained messages: who joins late learns from them who is there",
    )


async def _comes(settings: BrokerSettings, version: MqttVersion, topics: str, topic: str, payload: bytes) -> bool:
    async with Probe.let_in(settings, version) as probe:
        code, _ = await probe.subscribe(topics)
        came = None if code >= REFUSALS_FROM else await probe.heard(topic, payload, KEPT_WITHIN_S)
        return came is not None and came.retained


def _note(found: Traces, came: Came, heard_at: datetime) -> None:
    """Note a message on a topic of ours."""
    payload = _bare(came.payload)
    if came.retained and payload:
        found.retained[came.topic] = payload
    try:
        message = decode_payload(payload)
    except MessageError:
        return
    sender = message.client if isinstance(message, Status) else came.topic
    found.heard.append(Heard(sender, message.sent_at, heard_at, came.retained))


def _bare(payload: bytes) -> bytes:
    """Return a payload without the envelope of signatures, where it has one."""
    try:
        opened = unwrap(payload)
    except ValueError:
        return payload
    return payload if opened is None else opened[0]
