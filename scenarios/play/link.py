"""The link of a recording that is played: says messages in their order, whatever the link does, and takes its leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from protocols.errors import BrokerError, MessageError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkLost, NobodyListens, PublishRefused, Transport
from protocols.signing.transport import UNSIGNED, SignedTransport
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.limits import MAX_SLOTS
from protocols.wire.messages import Capabilities, Health, Status
from protocols.wire.topics import is_publishable
from scenarios.play.messages import OutgoingMessage

AGAIN_S: Final = 0.2
"""Pause before a message is said again whose outcome is unknown: a link fixes itself within seconds."""

SHUTDOWN_GRACE_S: Final = 2.0
"""How long the last statuses may take; SIGTERM has five seconds in all."""

SAID: Final = "said"
UNHEARD: Final = "unheard"
REFUSED: Final = "refused"


class LiveLink:
    """Says messages, one after the other.

    Args:
        transport: The link.

    Attributes:
        counts: Messages by what became of them: `SAID`, `UNHEARD` (nobody listened, says the broker), `REFUSED`.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.counts: Counter[str] = Counter()
        self._online: dict[str, Status] = {}
        self._announced: dict[str, OutgoingMessage] = {}
        """Topic -> what was said there of what an instrument can do."""

    async def say(self, outgoing: OutgoingMessage) -> None:
        """Say a message, again until the broker has taken it.

        Raises:
            BrokerError: When the broker refuses an answer; anything else may be too large for it, and is counted. So
                is what has no topic that MQTT takes: a recording may hold any.
        """
        if not is_publishable(outgoing.topic):
            self.counts[REFUSED] += 1
            return
        became = SAID
        while True:
            try:
                await self.transport.publish(outgoing.topic, outgoing.payload, retain=outgoing.retain)
            except NobodyListens:
                became = UNHEARD  # an answer comes again until its receipt
            except LinkLost:
                await asyncio.sleep(AGAIN_S)
                continue
            except PublishRefused as error:
                if outgoing.is_answer:
                    raise BrokerError(
                        f"The broker refuses an answer on {error.topic}: {error.reason}",
                        expected=error.expected,
                        action=error.action,
                    ) from None
                became = REFUSED
            self.counts[became] += 1
            self._note(outgoing)
            return

    async def say_online(self) -> None:
        """Say again who is online, and what they can do: a broker may have lost what it kept."""
        for status in list(self._online.values()):
            await self.say(status_message(status))
        await self.announce()

    async def announce(self) -> None:
        """Say again what instruments can do."""
        for announcement in list(self._announced.values()):
            await self.say(announcement)

    async def leave(self) -> None:
        """Say that those have gone who were last said to be online, take back what they can do, and close the link."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_GRACE_S):
                for status in list(self._online.values()):
                    await self.say(status_message(status.model_copy(update=_now(Health.OFFLINE))))
                for topic in list(self._announced):
                    await self.say(OutgoingMessage(topic, b"", retain=True))
        await self.transport.close()

    def _note(self, outgoing: OutgoingMessage) -> None:
        try:
            message = decode(outgoing.topic, outgoing.payload)
        except MessageError:
            return
        if isinstance(message, Status):
            self._online.pop(outgoing.topic, None)
            if message.health is Health.ONLINE:
                self._online[outgoing.topic] = message
        elif isinstance(message, Capabilities):
            self._announced[outgoing.topic] = outgoing


def live_session(broker: BrokerSettings, client_id: str, subscriptions: tuple[str, ...] = ()) -> Transport:
    """Return a session of one who is no part of a campaign: the broker forgets it soon, and it has no keys."""
    session = MqttSession(broker, client_id=client_id, subscriptions=subscriptions, listens_only=True)
    return SignedTransport(session, UNSIGNED)


def status_message(status: Status) -> OutgoingMessage:
    """Return a status as a message that the broker keeps."""
    return OutgoingMessage(topic_of(status), encode(status), retain=True)


def online(campaign: str, simulator: str) -> OutgoingMessage:
    """Return the word of a simulator that it is there."""
    status = Status(campaign=campaign, client=simulator, role="simulator", **_now(Health.ONLINE))  # type: ignore[arg-type]
    return status_message(status)


def announcement(campaign: str, simulator: str, recorded: Capabilities | None) -> OutgoingMessage:
    """Return the word of a simulator what it can do: as it was recorded, but for that a recording moves nothing.

    Args:
        campaign: The campaign that it is played to.
        simulator: Who.
        recorded: What it said; None where nothing is recorded: then it takes whatever it is asked for.
    """
    said = {"campaign": campaign, "message_id": fresh_id(), "sent_at": datetime.now(UTC), "simulated": True}
    if recorded is None:
        message = Capabilities(simulator=simulator, slots=MAX_SLOTS, **said)  # type: ignore[arg-type]
    else:
        message = recorded.model_copy(update=said)
    return OutgoingMessage(topic_of(message), encode(message), retain=True)


def _now(health: Health) -> dict[str, object]:
    return {"health": health, "message_id": fresh_id(), "sent_at": datetime.now(UTC)}
