"""A lab for one simulator: the bus in memory, a client that plays the agent, and the simulator's own database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from protocols.link.transport import Delivery, LinkUp, Will
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.storage.database import sqlite_url
from protocols.storage.disk_floor import DiskFloor
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import AnyMessage, CandidateFailure, CandidateRequest, CandidateResult, Health, Status
from protocols.wire.topics import ANY_SIMULATOR, agent_subscriptions, simulator_subscriptions
from simulators.executors.executor import Executor
from simulators.faulty import faulty
from simulators.messages import status_message
from simulators.outbox import Outbox
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.memory_bus import MemoryBus

PATIENCE_S: Final = 20.0
"""How long a loaded machine may take for what usually takes milliseconds."""

NOW: Final = datetime.now(UTC)
"""Today: the simulator forgets delivered answers after a month, by the clock of the machine."""

RESEND_S: Final = 0.01
"""Pause before an answer is repeated: short, so that tests are."""


class Lab:
    """Starts and ends a simulator on the same memory, and talks to it as an agent does.

    Args:
        folder: Where the simulator's database lives.
        bus: The broker.
        signing: Keys of the agent and the simulator; nothing is signed without.
        settings: Fields of `SimulatorSettings` beyond the usual ones.
    """

    def __init__(
        self, folder: Path, bus: MemoryBus | None = None, signing: Signing = UNSIGNED, **settings: Any
    ) -> None:
        self.bus = bus or MemoryBus()
        self.url = sqlite_url(folder / "sim-1.db")
        self.settings = SimulatorSettings(
            **({"id": messages.SIMULATOR, "resend_min_s": RESEND_S, "resend_max_s": RESEND_S} | settings)
        )
        self.disk: DiskFloor | None = None
        self.said: list[tuple[str, dict[str, Any]]] = []
        """What the simulator's log says."""
        self.signing = signing
        self.stranger = self.bus.transport("agent", agent_subscriptions(messages.CAMPAIGN))
        """What the agent speaks over, without its keys."""
        self._agent = SignedTransport(self.stranger, signing)

    @contextlib.asynccontextmanager
    async def agent(self) -> AsyncIterator[Lab]:
        """Connect the agent's client."""
        running = asyncio.create_task(self._agent.run())
        while not isinstance(await self._agent.receive(), LinkUp):
            pass
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def simulator(
        self, executor: Executor, *, campaign: str | None = messages.CAMPAIGN
    ) -> AsyncIterator[SimulatorService]:
        """Run the simulator from its first link on and end it in order; what ended it before is raised."""
        outbox = Outbox.open(self.url)
        service = self._service(outbox, executor, campaign)
        running = asyncio.create_task(service.run())
        try:
            await until(lambda: service.outbound.connected or running.done())
            yield service
            service.request_shutdown()
            async with asyncio.timeout(5):
                await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            outbox.close()

    @contextlib.asynccontextmanager
    async def simulator_that_crashes(self, executor: Executor) -> AsyncIterator[SimulatorService]:
        """Run the simulator and end it as a power cut does: no goodbye, nothing written any more."""
        outbox = Outbox.open(self.url)
        service = self._service(outbox, executor, messages.CAMPAIGN)
        running = asyncio.create_task(service.run())
        try:
            await until(lambda: service.outbound.connected or running.done())
            yield service
        finally:
            outbox.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def ask(self, request: CandidateRequest, *, recipient: str = ANY_SIMULATOR) -> None:
        """Publish a request."""
        await self._agent.publish(topic_of(request, recipient=recipient), encode(request))

    async def tell(self, message: AnyMessage) -> None:
        """Publish any other message."""
        await self._agent.publish(topic_of(message), encode(message))

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish anything."""
        await self._agent.publish(topic, payload)

    async def answer(self, attempt_id: str | None = None) -> CandidateResult | CandidateFailure:
        """Return the next answer (to an attempt), passing over everything else."""
        return decoded(await self.answer_delivery(attempt_id))

    async def answer_delivery(self, attempt_id: str | None = None) -> Delivery:
        """Return the next answer (to an attempt) as it came."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                delivery = await self._next()
                message = decode(delivery.topic, delivery.payload)
                if isinstance(message, CandidateResult | CandidateFailure) and attempt_id in {None, message.attempt_id}:
                    return delivery

    async def health(self) -> Health:
        """Return the next status of the simulator, passing over everything else."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                delivery = await self._next()
                message = decode(delivery.topic, delivery.payload)
                if isinstance(message, Status):
                    return message.health

    def answers_sent(self) -> list[CandidateResult | CandidateFailure]:
        """Return every answer that passed the bus so far, repetitions included."""
        messages = [decode(message.topic, message.payload) for _, message in self.bus.log]
        return [each for each in messages if isinstance(each, CandidateResult | CandidateFailure)]

    async def settled(self, service: SimulatorService, attempt_id: str) -> None:
        """Give the receipt of an answer, and wait until the simulator has taken it."""
        await self.tell(messages.receipt(attempt_id))
        await until(lambda: attempt_id not in service.outbound.undelivered)

    async def _next(self) -> Delivery:
        while not isinstance(item := await self._agent.receive(), Delivery):
            pass
        self._agent.acknowledge(item)
        return item

    def _service(self, outbox: Outbox, executor: Executor, campaign: str | None) -> SimulatorService:
        will = None if campaign is None else Will(*status_message(campaign, self.settings.id, Health.OFFLINE, clock()))
        own = self.signing.part_of(self.settings.id)
        transport = self.bus.transport(
            "simulator",
            simulator_subscriptions(self.settings.id, campaign=campaign, shared=True),
            will=None if will is None else own.will(will),
        )
        signed = SignedTransport(transport, own)
        executor, link = faulty(executor, signed, self.settings.faults, lambda *_args, **_fields: None)
        return SimulatorService(
            self.settings,
            campaign=campaign,
            outbox=outbox,
            transport=link,
            executor=executor,
            clock=clock,
            disk=self.disk,
            require_signatures=own.has_keys,
            on_event=lambda what, **fields: self.said.append((what, fields)),
        )


def decoded(delivery: Delivery) -> CandidateResult | CandidateFailure:
    """Return the answer in a delivery."""
    message = decode(delivery.topic, delivery.payload)
    assert isinstance(message, CandidateResult | CandidateFailure)
    return message


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


def clock() -> datetime:
    """Return a time that stands still: it is a label."""
    return NOW
