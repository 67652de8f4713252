"""Writes what passes on a link into a recording: what the agent sends and receives, or what is heard beside it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from typing import Final

from protocols.errors import MessageError, invariant
from protocols.link.transport import Delivery, Incoming, Transport
from protocols.recording.lines import HEARD, IN, OUT
from protocols.recording.writer import FLUSH_EVERY_S, RecordingWriter
from protocols.wire.codec import WRONG_SIGNATURE, decode
from protocols.wire.topics import PREFIX, Channel

MAX_REQUESTS_KNOWN: Final = 4_096
"""Requests whose repetition is known for one: more than are ever in flight; 32 bytes each."""


class RecordedTransport:
    """A transport that also writes what passes to a recording.

    What is sent is written when it is sent. What is received is written by `write_taken`, when it is known what came of
    it: what changes nothing is cut.
    """

    def __init__(self, inner: Transport, writer: RecordingWriter) -> None:
        self._inner = inner
        self._writer = writer
        self._untaken: deque[tuple[Delivery, float]] = deque()
        self._requests: dict[bytes, None] = {}
        """Digests of the latest requests that were sent."""
        self._written = asyncio.Event()

    async def run(self) -> None:
        """Keep connected, and flush what no further message flushes; see `Transport`."""
        flushing = asyncio.create_task(self._flush())
        try:
            await self._inner.run()
        finally:
            flushing.cancel()

    async def receive(self) -> Incoming:
        """Return the next item."""
        item = await self._inner.receive()
        if isinstance(item, Delivery):
            self._untaken.append((item, self._writer.now_s()))
        return item

    def write_taken(self, delivery: Delivery, verdict: str) -> int | None:
        """Write a message that was received; once for each, in the order in which they came.

        Args:
            delivery: The message.
            verdict: What was found of one that changed nothing; empty for all others.

        Returns:
            Its row, or None where it is only to be counted.
        """
        known, came_s = self._untaken.popleft()
        invariant(known is delivery, "messages are handled in the order in which they came")
        topic, payload, retain, qos = delivery.topic, delivery.payload, delivery.retain, delivery.qos
        signed_by, fault = delivery.signed_by, delivery.signature_fault
        if verdict:
            return self._writer.write_idle(
                IN, topic, payload, verdict,
                retain=retain, qos=qos, signed_by=signed_by, signature_fault=fault, came_s=came_s,
            )  # fmt: skip
        return self._writer.write(
            IN, topic, payload, retain=retain, qos=qos, signed_by=signed_by, signature_fault=fault, came_s=came_s
        )

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge; see `Transport`."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and record; what is sent again is recorded again, as it happened, until there is a flood of it."""
        if not self._is_no_news(topic, payload) or self._writer.allowance.take(len(topic) + len(payload)):
            self._writer.write(OUT, topic, payload, retain=retain)
            self._written.set()
        await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Close the link; the writer belongs to who made it."""
        await self._inner.close()

    def _is_no_news(self, topic: str, payload: bytes) -> bool:
        """Tell whether somebody else can make us say this without end.

        So of a receipt of an answer or an order that was not taken, which is said to whoever repeats it, or of an order
        that changes nothing; and of a request that was sent before, which is repeated for a lab that says that it is
        there.
        """
        if f"/{Channel.RECEIPT}/" in topic:
            return b'"status":"accepted"' not in payload or _tells_of_no_row(payload)
        if f"/{Channel.REQUEST}/" not in topic:
            return False
        digest = hashlib.sha256(payload).digest()
        was_sent = digest in self._requests
        self._requests[digest] = None
        if len(self._requests) > MAX_REQUESTS_KNOWN:
            del self._requests[next(iter(self._requests))]
        return was_sent

    async def _flush(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            await asyncio.sleep(FLUSH_EVERY_S)
            with contextlib.suppress(OSError):  # it stays to be written, and whoever writes next is told
                self._writer.flush()


def write_heard(writer: RecordingWriter, item: Delivery) -> None:
    """Write a message that was heard; of one that is none of ours, though its topic is, the beginning."""
    fault = _fault_of(item) if item.topic.startswith(f"{PREFIX}/") else ""
    signed_by, signature_fault = item.signed_by, item.signature_fault
    if fault:
        writer.write_idle(
            HEARD, item.topic, item.payload, fault,
            retain=item.retain, qos=item.qos, signed_by=signed_by, signature_fault=signature_fault,
        )  # fmt: skip
    else:
        writer.write(
            HEARD, item.topic, item.payload, retain=item.retain, qos=item.qos, properties=item.properties,
            signed_by=signed_by, signature_fault=signature_fault,
        )  # fmt: skip


def _fault_of(item: Delivery) -> str:
    if item.signature_fault:
        return f"quarantined: {WRONG_SIGNATURE}"
    try:
        decode(item.topic, item.payload)
    except MessageError as error:
        return f"quarantined: {error.reason}"
    return ""


def _tells_of_no_row(payload: bytes) -> bool:
    """Tell whether a receipt is of an order of which the journal has no row."""
    return b'"type":"control_receipt"' in payload and b'"row":' not in payload
