"""A link whose messages are signed, and that tells of each message that it brings who signed it.

It refuses nothing: whether an unsigned message is taken is for the receiver to say, and one whose signature does not
hold is brought with the reason. What is in an envelope is taken out of it, with or without keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self

from protocols.link.transport import Delivery, Incoming, PropertyTransport, Transport, Will
from protocols.signing.envelope import UnreadableSignature, as_properties, of_properties, unwrap, wrap
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import judge, sign


@dataclass(frozen=True, slots=True)
class Signing:
    """How a part signs.

    Attributes:
        ring: The keys at hand; without one for a topic, what is sent there goes out unsigned.
        envelope: Whether signatures go into an envelope although the link carries properties: for a broker some of
            whose clients speak MQTT 3.1.1, to whom it gives none.
    """

    ring: KeyRing = field(default_factory=KeyRing)
    envelope: bool = False

    @property
    def has_keys(self) -> bool:
        """Whether there is any key."""
        return not self.ring.is_empty

    def part_of(self, name: str) -> Self:
        """Return how one instrument or operator signs: with its own key."""
        return replace(self, ring=self.ring.part_of(name))

    def will(self, will: Will) -> Will:
        """Return a last will with its signatures, for links of either kind."""
        signatures = sign(self.ring, will.topic, will.payload)
        if not signatures:
            return will
        wrapped = wrap(will.payload, signatures)
        if self.envelope:
            return Will(will.topic, wrapped)
        return Will(will.topic, will.payload, as_properties(signatures), wrapped)


UNSIGNED: Final = Signing()
"""How a part signs that has no keys: not at all. It takes messages out of their envelopes all the same."""


class SignedTransport:
    """Signs what is sent and looks at what comes; implements `protocols.link.transport.Transport`.

    Args:
        inner: The link.
        signing: The keys, and how signatures travel.
    """

    def __init__(self, inner: Transport, signing: Signing) -> None:
        self._inner = inner
        self._ring = signing.ring
        self._carrier = inner if isinstance(inner, PropertyTransport) and not signing.envelope else None

    async def run(self) -> None:
        """Keep connected until cancelled."""
        await self._inner.run()

    async def receive(self) -> Incoming:
        """Return the next message, with who signed it, or change of the link."""
        item = await self._inner.receive()
        return judged(item, self._ring) if isinstance(item, Delivery) else item

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Sign and send."""
        signatures = sign(self._ring, topic, payload)
        if not signatures:
            await self._inner.publish(topic, payload, retain=retain)
        elif self._carrier is not None and self._carrier.carries_properties:
            await self._carrier.publish(topic, payload, retain=retain, user_properties=as_properties(signatures))
        else:
            await self._inner.publish(topic, wrap(payload, signatures), retain=retain)

    async def close(self) -> None:
        """Say goodbye."""
        await self._inner.close()


def judged(delivery: Delivery, ring: KeyRing) -> Delivery:
    """Return a message out of its envelope, with who signed it or why that cannot be told."""
    try:
        payload, signatures = delivery.payload, of_properties(delivery.properties)
        if not signatures:
            envelope = unwrap(delivery.payload)
            if envelope is None:
                return delivery
            payload, signatures = envelope
    except UnreadableSignature as error:
        return replace(delivery, signature_fault=str(error))
    verdict = judge(ring, delivery.topic, payload, signatures)
    return Delivery(  # not by `replace`, which is slow, and this is every message
        delivery.topic, payload, delivery.retain, delivery.qos, delivery.ack_token, delivery.properties,
        signed_by=verdict.signed_by, signature_fault=verdict.fault,
    )  # fmt: skip
