"""A link to a lab that speaks its own messages: whoever stands above it sends and hears ours alone.

Requests and receipts go out as the lab wants them, and what it says comes as results, failures and statuses of ours.
What does not fit is brought as it is, with the rule that refused it, for the quarantine; and its sender is told where
the `[lab]` section says how. Messages of ours pass as they are.

What goes out does so by `sending`: an attempt goes to a lab once, also after a kill (`sent_log`), unless the lab is
known to carry out each attempt only once. One of which nobody knows whether it arrived is not sent again: its answer
comes, or its time runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from protocols.concurrency.task_group_errors import first_failure
from protocols.link.transport import Delivery, Incoming, LinkLost, LinkUp, PublishRefused, Transport
from protocols.mapping.facts import Attempts
from protocols.mapping.faults import UnmappedMessage
from protocols.mapping.incoming import Hearing, status_of
from protocols.mapping.mapping import LabMapping
from protocols.mapping.outgoing import LabMessage
from protocols.mapping.results import CountedBefore, IncompleteResult
from protocols.mapping.scalars import HeldScalars, Together
from protocols.mapping.sending import LabSender
from protocols.mapping.sent_log import SentLog
from protocols.mapping.topics import OURS
from protocols.wire.codec import decode_payload, encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    FailureReason,
    Health,
    Quantity,
    ResultReceipt,
    cut,
)
from protocols.wire.topics import Channel, parse

MAX_WAITING: Final = 64
"""Messages that were translated and not taken yet; beyond it the link is not read."""

MAX_REFUSALS_UNTOLD: Final = 32
"""Refusals on their way to their senders at once; under a flood of bad messages the others are not told."""

ASSUMED: Final = "assumed: the lab does not say who is there"
"""Detail of the status of an instrument whose lab tells no presence."""

NEVER_WHOLE: Final = "[lab.scalars] not all that belongs to this result came before the next request"
"""Why a result is put aside that waited for its properties."""


class _OfOurs:
    """Stands for the acknowledgement of a message that no broker brought."""


_OF_OURS: Final = _OfOurs()


class MappedTransport:
    """Translates for a lab; implements `protocols.link.transport.Transport`.

    Args:
        inner: The link, for messages of ours.
        lab_link: The same link beneath signatures: nobody signs to a lab.
        mapping: The compiled `[lab]` section.
        campaign: Its name.
        attempts: What was asked.
        features: Returns a candidate's features by name.
        clock: Returns the wall-clock time, a label.
        sent: The requests that may be with the lab.
        on_event: Called with a short name and fields for the log.
        new_id: Returns a message id that nobody has used.
        may_repeat: Tells whether a request may be repeated just now.
    """

    def __init__(
        self,
        inner: Transport,
        lab_link: Transport,
        mapping: LabMapping,
        *,
        campaign: str,
        attempts: Attempts,
        features: Callable[[str], Mapping[str, float]],
        clock: Callable[[], datetime],
        sent: SentLog,
        on_event: Callable[..., Any] = lambda *_args, **_fields: None,
        new_id: Callable[[], str] = fresh_id,
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> None:
        self._inner = inner
        self._sender = LabSender(lab_link, attempts, sent, mapping.settings.repeat, on_event, may_repeat=may_repeat)
        self._mapping = mapping
        self._campaign = campaign
        self._attempts = attempts
        self._features = features
        self._clock = clock
        self._new_id = new_id
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(MAX_WAITING)
        self._scalars = HeldScalars()
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep connected until cancelled, translate what comes, and repeat what may be repeated."""
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._translate_all()), group.create_task(self._sender.repeat())]
                try:
                    await self._inner.run()
                finally:
                    for task in (*beside, *self._telling):
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None

    async def receive(self) -> Incoming:
        """Return the next message of ours, or change of the link."""
        return await self._incoming.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker to forget a message; of one that we made ourselves nobody knows."""
        token = delivery.ack_token
        if isinstance(token, Together):
            for each in token.deliveries:
                self._inner.acknowledge(each)
        elif token is not _OF_OURS:
            self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message of ours as its receiver wants it."""
        parsed = parse(topic)
        if parsed.client not in self._mapping.settings.instruments:
            if self._mapping.settings.own_topics:
                await self._inner.publish(topic, payload, retain=retain)
            return
        if parsed.channel is Channel.REQUEST:
            await self._ask(parsed.client, payload)
        elif parsed.channel is Channel.RECEIPT:
            receipt = decode_payload(payload)
            if isinstance(receipt, ResultReceipt):
                await self._give_receipt(receipt)
            elif self._mapping.settings.own_topics:  # of an operator who is called like an instrument
                await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Say goodbye."""
        await self._inner.close()

    async def _ask(self, recipient: str, payload: bytes) -> None:
        request = decode_payload(payload)
        assert isinstance(request, CandidateRequest)  # noqa: S101 - the channel says so
        attempt_id = request.attempt_id
        try:
            messages = self._mapping.messages_for(request, recipient, self._features(request.candidate_id))
        except UnmappedMessage as error:
            await self._incoming.put(self._of_ours(self._impossible(request, recipient, str(error))))
            return
        await self._sender.ask(attempt_id, recipient, messages, self._forget_scalars)

    async def _give_receipt(self, receipt: ResultReceipt) -> None:
        asked = self._attempts.find(receipt.attempt_id)
        try:
            message = self._mapping.message_for_receipt(receipt, None if asked is None else asked.candidate_id)
        except UnmappedMessage:
            return  # of what cannot be told in its words a lab is not told
        if message is not None:
            await self._sender.send(message)

    async def _translate_all(self) -> None:
        while True:
            item = await self._inner.receive()
            for each in self._translated(item) if isinstance(item, Delivery) else [item]:
                await self._incoming.put(each)
            if isinstance(item, LinkUp) and not self._mapping.tells_presence:
                for instrument in self._mapping.instruments:
                    status = status_of(instrument, Health.ONLINE, self._hearing(), self._new_id(), ASSUMED)
                    await self._incoming.put(self._of_ours(status, retain=True))

    def _translated(self, heard: Delivery) -> list[Delivery]:
        """Return what a message lets those above know: mostly itself as one of ours, or nothing."""
        if heard.topic.startswith(OURS) or not self._mapping.is_of_lab(heard.topic):
            return [heard]
        try:
            scalar = self._mapping.scalar(heard)
            return self._understood(heard) if scalar is None else self._kept(heard, *scalar)
        except UnmappedMessage as error:
            self._tell(heard, error)
            return [_unmapped(heard, str(error))]
        except Exception as error:  # noqa: BLE001 - whatever a stranger's message does to a library, it ends nobody
            return [_unmapped(heard, f"it cannot be translated: {error!r}")]

    def _understood(self, heard: Delivery) -> list[Delivery]:
        """Return a message as one of ours; nothing where it concerns nobody, or waits for more."""
        try:
            message = self._mapping.understand(heard, self._hearing(heard))
        except CountedBefore:
            message = None
        except IncompleteResult as missing:
            before = self._scalars.hold(missing.instrument, heard)
            return [] if before is None or before is heard else [_unmapped(before, str(missing))]
        if message is None:
            self._inner.acknowledge(heard)
            return []
        token = heard.ack_token
        if isinstance(message, CandidateResult) and self._mapping.scalars:
            token = self._scalars.complete(message.simulator, heard)
        return [replace(heard, topic=topic_of(message), payload=encode(message), properties={}, ack_token=token)]

    def _kept(self, heard: Delivery, instrument: str, quantity: Quantity) -> list[Delivery]:
        """Keep a property for the result that it belongs to; return that, if it was waited for."""
        for each in self._scalars.keep(instrument, heard, quantity):
            self._inner.acknowledge(each)
        result = self._scalars.held(instrument)
        if result is None:
            return []
        try:
            return self._understood(result)
        except UnmappedMessage as error:  # meanwhile nobody waits for it
            self._scalars.release(instrument)
            self._tell(result, error)
            return [_unmapped(result, str(error))]

    async def _forget_scalars(self, instrument: str) -> None:
        """Forget what an instrument told before a request."""
        told, result = self._scalars.begin(instrument)
        for each in told:
            self._inner.acknowledge(each)
        if result is not None:
            await self._incoming.put(_unmapped(result, NEVER_WHOLE))

    def _hearing(self, heard: Delivery | None = None) -> Hearing:
        return Hearing(
            self._campaign,
            self._clock(),
            self._attempts,
            self._sender.elapsed_s,
            lambda instrument: self._scalars.of(instrument, heard),
        )

    def _tell(self, heard: Delivery, fault: UnmappedMessage) -> None:
        """Let the sender of a message that does not fit hear why, where the section says how."""
        try:
            message = self._mapping.refusal(heard, fault)
        except UnmappedMessage:
            return
        if message is None or len(self._telling) >= MAX_REFUSALS_UNTOLD:
            return
        task = asyncio.create_task(self._tell_by(message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_by(self, message: LabMessage) -> None:
        with contextlib.suppress(LinkLost, PublishRefused):
            await self._sender.send(message)

    def _impossible(self, request: CandidateRequest, recipient: str, why: str) -> CandidateFailure:
        return CandidateFailure(
            campaign=self._campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            attempt_id=request.attempt_id,
            candidate_id=request.candidate_id,
            simulator=recipient,
            reason=FailureReason.INVALID_REQUEST,
            detail=cut(why),
        )

    def _of_ours(self, message: AnyMessage, *, retain: bool = False) -> Delivery:
        return Delivery(topic_of(message), encode(message), retain, 1, _OF_OURS)


def _unmapped(heard: Delivery, fault: str) -> Delivery:
    return replace(heard, mapping_fault=fault, properties={})
