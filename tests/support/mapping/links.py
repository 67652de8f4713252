"""A link below a translator that a test speaks through: it keeps what is sent, and brings what is put into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from protocols.link.transport import Delivery, Incoming, Reply, UserProperties
from protocols.mapping.sent_log import SentLog
from protocols.mapping.transport import MappedTransport
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import ReceiptStatus, ResultReceipt
from tests.support.mapping.samples import FEATURES, NOW, Asked, asked, compiled, request


class Link:
    """A link that carries everything; what the lab says is put into it."""

    def __init__(self, *, carries_properties: bool = True) -> None:
        self.carries_properties = carries_properties
        self.sent: list[tuple[str, bytes, dict[str, Any]]] = []
        self.acknowledged: list[Delivery] = []
        self.comes: asyncio.Queue[Incoming] = asyncio.Queue()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.refuses: Exception | None = None
        self.closed = False

    async def run(self) -> None:
        await self.ended

    async def receive(self) -> Incoming:
        return await self.comes.get()

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery)

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
        if self.refuses is not None:
            raise self.refuses
        self.sent.append((topic, payload, {"retain": retain, "reply": reply, "qos": qos}))

    async def close(self) -> None:
        self.closed = True


class PlainLink:
    """The same, seen as a link that knows neither properties nor another quality than 1."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def run(self) -> None:
        await self.link.run()

    async def receive(self) -> Incoming:
        return await self.link.receive()

    def acknowledge(self, delivery: Delivery) -> None:
        self.link.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self.link.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        await self.link.close()


@asynccontextmanager
async def mapped(
    attempts: Asked | None = None,
    *,
    link: Link | None = None,
    plain: bool = False,
    sent: tuple[str, ...] = (),
    features: Mapping[str, float] = FEATURES,
    **changes: Any,
) -> AsyncIterator[tuple[Link, MappedTransport]]:
    below = link or Link()
    whole = PlainLink(below) if plain else below
    transport = MappedTransport(
        whole, whole, compiled(**changes), campaign="demo", attempts=attempts or asked(("u-d1-a1", "c1")),
        features=lambda _candidate_id: features, clock=lambda: NOW, sent=SentLog(None, sent),
    )  # fmt: skip
    running = asyncio.create_task(transport.run())
    try:
        async with asyncio.timeout(600):
            yield below, transport
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def ask(transport: MappedTransport, attempt_id: str = "u-d1-a1", **told: Any) -> None:
    message = request(attempt_id, **told)
    await transport.publish(topic_of(message, recipient="furnace"), encode(message))


async def next_delivery(transport: MappedTransport) -> Delivery:
    item = await transport.receive()
    assert isinstance(item, Delivery)
    return item


def receipt(status: ReceiptStatus = ReceiptStatus.ACCEPTED, detail: str = "") -> ResultReceipt:
    return ResultReceipt(
        campaign="demo", message_id="r1", sent_at=NOW, attempt_id="u-d1-a1", simulator="furnace", status=status,
        detail=detail,
    )  # fmt: skip
