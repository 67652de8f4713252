"""A link that tells the traces when a request goes out and when the broker has it."""

from __future__ import annotations

from agent.runtime.tracing.attempts import AttemptTraces
from protocols.link.transport import Delivery, Incoming, Transport
from protocols.tracing.requests import attempt_of


class TracedTransport:
    """Notes requests on their way; implements `protocols.link.transport.Transport`.

    Args:
        inner: The link.
        traces: Told of them.
    """

    def __init__(self, inner: Transport, traces: AttemptTraces) -> None:
        self._inner = inner
        self._traces = traces

    async def run(self) -> None:
        """Keep connected until cancelled."""
        await self._inner.run()

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._inner.receive()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send; of a request, with a note before and after."""
        attempt_id = attempt_of(topic, payload)
        if attempt_id:
            self._traces.sending(attempt_id)
        await self._inner.publish(topic, payload, retain=retain)
        if attempt_id:
            self._traces.sent(attempt_id)

    async def close(self) -> None:
        """Say goodbye."""
        await self._inner.close()
