"""Lets the faults of an instrument act, around its executor and its link: the service between them knows nothing of it.

The executor says what an attempt meets and spoils what it measures; the link spoils how the answer travels. Faults of
the link act once, when the answer goes out first. What a killed simulator was handling goes out without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from protocols.link.transport import Delivery, Incoming, LinkLost, Transport
from protocols.wire.codec import decode, encode
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import CandidateRequest, CandidateResult, FailureReason
from protocols.wire.topics import Channel, parse
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.executor import Executor
from simulators.faults import GARBAGE, Fault, Faults, FaultSettings, contradicting, spoilt
from simulators.oracle_table import NoAnswer

OF_THE_LINK = frozenset({Fault.LATE, Fault.DUPLICATE, Fault.CONTRADICTION, Fault.GARBAGE})
"""Faults of an answer that was measured well."""


def faulty(
    executor: Executor, transport: Transport, settings: FaultSettings, on_event: Callable[..., None]
) -> tuple[Executor, Transport]:
    """Return an executor and a link that show the faults; those given, where there are none."""
    if not any(settings.rate_of(fault) for fault in Fault):
        return executor, transport
    met: dict[str, Fault] = {}
    return FaultyExecutor(executor, Faults(settings), met, on_event), FaultyLink(transport, met, settings.late_by_s)


class FaultyExecutor:
    """Evaluates as another one does, among faults; implements `simulators.executors.executor.Executor`.

    Args:
        inner: Evaluates.
        faults: Says what an attempt meets.
        met: Gets the faults that the link is to show, by attempt id.
        on_event: For the log.
    """

    def __init__(self, inner: Executor, faults: Faults, met: dict[str, Fault], on_event: Callable[..., None]) -> None:
        self._inner = inner
        self._faults = faults
        self._met = met
        self._on_event = on_event

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return the measurement, spoilt if the attempt meets that; see `Executor`."""
        fault = self._faults.of(request)
        if fault is not None:
            self._on_event("fault", attempt=request.attempt_id, fault=fault.value)
        if fault is Fault.FAILURE:
            raise EvaluationFailed(FailureReason.CALCULATION_FAILED, "the instrument failed, as its settings say")
        if fault is Fault.SILENT:
            raise NoAnswer(request.candidate_id)
        measured = await self._inner.evaluate(request)
        if fault in OF_THE_LINK:
            self._met[request.attempt_id] = fault
        return replace(measured, quantities=spoilt(measured.quantities, fault))

    async def close(self) -> None:
        """End what it runs."""
        await self._inner.close()


class FaultyLink:
    """Carries messages as another link does, and answers among faults; implements `protocols.link.transport.Transport`.

    Args:
        inner: The link.
        met: Faults to show, by attempt id; each is taken out when it acts.
        late_by_s: How long a late answer is held back [s].
    """

    def __init__(self, inner: Transport, met: dict[str, Fault], late_by_s: float) -> None:
        self._inner = inner
        self._met = met
        self._late_by_s = late_by_s
        self._held: set[str] = set()

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
        """Send a message; a result that meets a fault comes late, or something comes after it."""
        if parse(topic).channel is not Channel.RESULT:
            await self._inner.publish(topic, payload, retain=retain)
            return
        result = decode(topic, payload)
        assert isinstance(result, CandidateResult)  # noqa: S101 - for the type checker: `decode` looks at the topic
        if result.attempt_id in self._held:
            raise LinkLost  # to be repeated, as whatever did not arrive
        fault = self._met.pop(result.attempt_id, None)
        if fault is Fault.LATE:
            await self._hold(result.attempt_id)
        await self._inner.publish(topic, payload)
        if fault is Fault.DUPLICATE:
            await self._inner.publish(topic, payload)
        elif fault is Fault.CONTRADICTION:
            await self._inner.publish(topic, encode(contradicting(result, fresh_id())))
        elif fault is Fault.GARBAGE:
            await self._inner.publish(topic, GARBAGE)

    async def close(self) -> None:
        """Say goodbye."""
        await self._inner.close()

    async def _hold(self, attempt_id: str) -> None:
        self._held.add(attempt_id)
        try:
            await asyncio.sleep(self._late_by_s)
        finally:
            self._held.discard(attempt_id)
