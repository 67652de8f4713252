"""A session that writes beside each request of ours to which trace it belongs, where the link carries properties."""

from __future__ import annotations

from protocols.link.transport import Delivery, Incoming, PropertyTransport, Reply, UserProperties
from protocols.tracing.ids import TRACEPARENT, traceparent_of
from protocols.tracing.requests import attempt_of
from protocols.tracing.span import SEND


class TracedSession:
    """Adds `traceparent` to requests; implements `protocols.link.transport.PropertyTransport`.

    It stands below the signatures, which are over topic and payload: a property beside them changes none.

    Args:
        inner: The session.
    """

    def __init__(self, inner: PropertyTransport) -> None:
        self._inner = inner

    @property
    def carries_properties(self) -> bool:
        """Whether properties travel."""
        return self._inner.carries_properties

    async def run(self) -> None:
        """Keep connected until cancelled."""
        await self._inner.run()

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._inner.receive()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message."""
        self._inner.acknowledge(delivery)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        user_properties: UserProperties = (),
        reply: Reply | None = None,
        qos: int = 1,
    ) -> None:
        """Send; of a request, with its trace."""
        attempt_id = attempt_of(topic, payload) if self.carries_properties else ""
        if attempt_id:
            user_properties = (*user_properties, (TRACEPARENT, traceparent_of(attempt_id, SEND)))
        await self._inner.publish(topic, payload, retain=retain, user_properties=user_properties, reply=reply, qos=qos)

    async def close(self) -> None:
        """Say goodbye."""
        await self._inner.close()
