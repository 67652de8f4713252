"""The port between the loops and a broker: small enough to hold in the head.

Two implementations keep one contract suite: `protocols.link.mqtt.MqttSession`, and
`protocols.link.memory.transport.MemoryTransport` for agent and simulators in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

UserProperties = tuple[tuple[str, str], ...]
"""MQTT 5 properties of a sender's own, as name and value."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message from the broker. Until it is acknowledged the broker keeps it (as far as that broker can)."""

    topic: str
    payload: bytes
    retain: bool
    qos: int
    ack_token: object
    """What the transport needs to acknowledge it; opaque to everybody else."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    """MQTT 5 properties of the publisher's, for those who ask for them; as JSON has them, bytes in base64."""
    signed_by: str = ""
    """Id of who signed it, where the signature holds; empty where nobody signed, or nobody looked."""
    signature_fault: str = ""
    """Why a signature that it carries does not hold; empty where it holds or there is none."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Connected and subscribed. `session_present` is the broker's word that it kept our queue."""

    session_present: bool


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Not connected; the transport is trying again."""

    reason: str
    advice: str = ""
    """What to do about it when it lasts, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone."""

    topic: str
    payload: bytes
    user_properties: UserProperties = ()
    """What stands beside it over MQTT 5."""
    enveloped: bytes = b""
    """What is said in place of the payload where no properties travel; nothing: the payload."""

    @property
    def without_properties(self) -> bytes:
        """The payload where no properties travel."""
        return self.enveloped or self.payload


LastWill = Will | Callable[[], Will]
"""A last will, or what makes one for each connection."""


def will_of(will: LastWill | None) -> Will | None:
    """Return the last will of a connection that is about to begin."""
    return will() if callable(will) else will


Incoming = Delivery | LinkUp | LinkDown


class LinkLost(Exception):
    """A publish has an unknown outcome: it may arrive or not. The sender repeats it under the same id."""


class NobodyListens(LinkLost):
    """The broker took a message that it does not keep, and says that it gave it to nobody."""


class PublishRefused(Exception):
    """The broker refuses a message for good (not authorised, too large, …), or said that it would.

    Args:
        topic: Of the message.
        reason: Why.
        expected: What was expected.
        action: What to do about it.
    """

    def __init__(
        self,
        topic: str,
        reason: str,
        *,
        expected: str = "the right to publish there",
        action: str = "let the broker's access list grant it",
    ) -> None:
        self.topic = topic
        self.reason = reason
        self.expected = expected
        self.action = action
        super().__init__(f"the broker refused a message on {topic}: {reason}")


class Transport(Protocol):
    """A link that fixes itself."""

    async def run(self) -> None:
        """Keep connected until cancelled.

        Raises:
            BrokerError: When trying again cannot help (wrong password, client id in use, nobody ever answered).
        """
        ...

    async def receive(self) -> Incoming:
        """Return the next message or change of the link, in order."""
        ...

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message; ignored when it came over an earlier connection."""
        ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send with QoS 1 and wait for the broker's word.

        Raises:
            LinkLost: The outcome is unknown.
            NobodyListens: Nobody got it, says the broker, and it is not retained. Not every broker says so.
            PublishRefused: The broker refused it for good.
        """
        ...

    async def close(self) -> None:
        """Say goodbye: an orderly disconnect, so that the last will is not sent."""
        ...


@runtime_checkable
class PropertyTransport(Transport, Protocol):
    """A link over which user properties may travel beside a message, as MQTT 5 has them."""

    @property
    def carries_properties(self) -> bool:
        """Whether they do over the connection that is up."""
        ...

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, user_properties: UserProperties = ()
    ) -> None:
        """Send as every link does; with properties only where they travel."""
        ...
