"""The simulator's main path: receive, decide, commit, send. It mirrors the agent's loop.

    receive   requests and receipts from the link, answers from the evaluations, answers that are due again
    decide    what is new, what is known, what is done
    commit    one transaction for all of it
    send      acknowledge to the broker, start evaluations, publish answers

An answer is repeated with back-off until its receipt. An attempt that is known is never evaluated again: its stored
answer is sent instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from protocols.concurrency.task_group_errors import explained
from protocols.errors import BrokerError, MessageError
from protocols.link.poison_guard import KILLS_HANDLER, MAX_DEATHS, InHand
from protocols.link.transport import Delivery, LinkDown, LinkLost, LinkUp, PublishRefused, Transport
from protocols.wire.codec import decode, decode_payload, encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import (
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    FailureReason,
    Health,
    ResultReceipt,
    Status,
    cut,
)
from protocols.wire.topics import Channel, Topic
from simulators.evaluator import EvaluationFailed
from simulators.executor import Executor
from simulators.noise import GaussianNoise, Latency
from simulators.oracle_table import NoAnswer
from simulators.outbox import Answer, Change, Outbox, Progress
from simulators.settings import SimulatorSettings

MAX_INPUTS_PER_COMMIT: Final = 64
"""Inputs that share a transaction under load."""

MAX_WAITING: Final = 1_024
"""Requests that may wait for a free slot; when full, the link is not read and the broker keeps the rest."""

STATUS_EVERY_S: Final = 30.0
"""Pause between two words that we are here. One of them may get lost, or an older one come last; an agent that takes us
for offline would wait for our answer for ever."""

GOODBYE_S: Final = 2.0
"""How long the offline status may take at the end; SIGTERM has five seconds in all."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation ended; `message` is None when nothing is to be reported."""

    attempt_id: str
    message: CandidateResult | CandidateFailure | None


@dataclass(slots=True)
class _Step:
    changes: list[Change] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    to_start: list[CandidateRequest] = field(default_factory=list)
    to_send: list[Answer] = field(default_factory=list)


class SimulatorService:
    """Runs one simulator over one transport.

    Args:
        settings: Who it is.
        campaign: The campaign whose status topic it keeps; None when it serves every campaign on the broker.
        outbox: Its memory.
        transport: The link.
        executor: Where evaluations run.
        clock: Wall-clock time, a label.
        in_hand: Notes what is being handled; without one, a message that kills its handler is never found out.
        on_event: Called with a short name and fields, for the log.
        new_id: Returns a message id that nobody has used.
        jitter: Spreads the repetitions of answers.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        *,
        campaign: str | None,
        outbox: Outbox,
        transport: Transport,
        executor: Executor,
        clock: Callable[[], datetime],
        in_hand: InHand | None = None,
        on_event: Callable[..., None] = lambda *_args, **_fields: None,
        new_id: Callable[[], str] = fresh_id,
        jitter: random.Random | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._campaign = campaign
        self._outbox = outbox
        self._transport = transport
        self._executor = executor
        self._clock = clock
        self._in_hand = in_hand or InHand(None)
        self._alone: Delivery | LinkUp | LinkDown | Evaluated | None = None
        self._on_event = on_event
        self._new_id = new_id
        self._latency = Latency(settings.latency)
        self._noise = GaussianNoise.from_settings(settings.noise) if settings.noise else None
        self._inbox: asyncio.Queue[Delivery | LinkUp | LinkDown | Evaluated | None] = asyncio.Queue(MAX_WAITING)
        self._room = asyncio.Event()
        self._waiting: deque[CandidateRequest] = deque()
        self._running = 0
        self._undelivered: dict[str, Answer] = {answer.attempt_id: answer for answer in outbox.undelivered()}
        self._due: dict[str, tuple[float, int]] = {}
        self._connected = False
        self._shutdown = False
        self._jitter = jitter or random.Random()  # noqa: S311 - decides nothing
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Run until asked to end.

        Raises:
            BrokerError: When the broker refuses us for good.
            SettingsError: When the evaluator cannot be made.
            StoreError: When a commit failed.
        """
        try:
            async with asyncio.TaskGroup() as self._group:
                tasks = [self._group.create_task(self._transport.run()), self._group.create_task(self._read_link())]
                if self._campaign is not None:
                    tasks.append(self._group.create_task(self._repeat_status(self._campaign)))
                try:
                    self._recover()
                    while not self._shutdown:
                        step, items = _Step(), await self._receive()
                        with self._in_hand.handling([item for item in items if isinstance(item, Delivery)]):
                            for item in items:
                                self._decide(step, item)
                        self._start_what_fits(step)
                        self._commit_and_send(step)
                    await self._say_goodbye()
                finally:
                    await self._executor.close()
                    for task in (*tasks, *(t for t in asyncio.all_tasks() if t.get_name() == self._task_name)):
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise explained(failures) from None

    def request_shutdown(self) -> None:
        """End after the current step; evaluations that run are killed and answered as interrupted at the next start."""
        self._shutdown = True
        with contextlib.suppress(asyncio.QueueFull):
            self._inbox.put_nowait(None)

    def _recover(self) -> None:
        """Answer what a crash interrupted, and queue what was never begun."""
        step = _Step()
        for attempt_id, payload in self._outbox.requests(Progress.STARTED):
            request = _stored_request(payload)
            if request is not None:
                detail = "the simulator was restarted while it evaluated this attempt"
                self._answer(step, attempt_id, self._failure(request, FailureReason.INTERRUPTED, detail))
        for _, payload in self._outbox.requests(Progress.RECEIVED):
            request = _stored_request(payload)
            if request is not None:
                self._waiting.append(request)
        self._start_what_fits(step)
        self._commit_and_send(step)

    async def _receive(self) -> list[Delivery | LinkUp | LinkDown | Evaluated | None]:
        loop = asyncio.get_running_loop()
        next_due = min((due for due, _ in self._due.values()), default=None) if self._connected else None
        items: list[Delivery | LinkUp | LinkDown | Evaluated | None] = []
        if self._alone is not None:
            items, self._alone = [self._alone], None
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if next_due is None else max(0.0, next_due - loop.time())):
                    items.append(await self._inbox.get())
        while len(items) < MAX_INPUTS_PER_COMMIT and not self._inbox.empty() and not self._is_suspect(items):
            item = self._inbox.get_nowait()
            if self._is_suspect([item]):
                self._alone = item
                break
            items.append(item)
        return items

    def _is_suspect(self, items: Sequence[object]) -> bool:
        """Tell whether these end with a message that may kill us: it gets a step of its own."""
        return bool(items) and isinstance(items[-1], Delivery) and self._in_hand.is_suspect(items[-1])

    def _decide(self, step: _Step, item: Delivery | LinkUp | LinkDown | Evaluated | None) -> None:
        match item:
            case Delivery():
                step.deliveries.append(item)
                if self._in_hand.is_condemned(item):
                    self._refuse(item, KILLS_HANDLER, f"the simulator died {MAX_DEATHS} times while it handled it")
                else:
                    self._take(step, item)
            case Evaluated():
                self._running -= 1
                if item.message is None:
                    step.changes.append(Change(item.attempt_id, Progress.DELIVERED))
                else:
                    self._answer(step, item.attempt_id, item.message)
            case LinkUp():
                self._connected = True
                step.to_send.extend(self._undelivered.values())
                if self._campaign is not None:
                    self._spawn(self._publish_status(self._campaign, Health.ONLINE))
            case LinkDown():
                self._connected = False
            case None:
                pass

    def _take(self, step: _Step, delivery: Delivery) -> None:
        try:
            message = decode(delivery.topic, delivery.payload)
        except MessageError as error:
            self._refuse(delivery, error.reason, str(error))
            return
        if isinstance(message, ResultReceipt):
            if self._undelivered.pop(message.attempt_id, None) is not None:
                self._due.pop(message.attempt_id, None)
                self.counts["delivered"] += 1
                step.changes.append(Change(message.attempt_id, Progress.DELIVERED))
        elif isinstance(message, CandidateRequest):
            self._take_request(step, message, delivery.payload)
        else:
            self.counts["refused: wrong_topic"] += 1

    def _refuse(self, delivery: Delivery, reason: str, detail: str) -> None:
        self.counts[f"refused: {reason}"] += 1
        self._on_event("message_refused", reason=reason, topic=delivery.topic[:200], detail=detail)

    def _take_request(self, step: _Step, request: CandidateRequest, payload: bytes) -> None:
        """Queue a new attempt; answer a known one from the store."""
        attempt_id = request.attempt_id
        if any(change.attempt_id == attempt_id for change in step.changes):
            return  # twice within one step
        known = self._outbox.find(attempt_id)
        if known is None:
            self.counts["received"] += 1
            step.changes.append(Change(attempt_id, Progress.RECEIVED, request=payload))
            self._waiting.append(request)
            return
        progress, answer = known
        self.counts["repeated requests"] += 1
        if progress in {Progress.ANSWERED, Progress.DELIVERED} and answer.payload:
            step.to_send.append(answer)

    def _start_what_fits(self, step: _Step) -> None:
        while self._waiting and self._running < self._settings.concurrency:
            request = self._waiting.popleft()
            self._running += 1
            step.changes.append(Change(request.attempt_id, Progress.STARTED))
            step.to_start.append(request)
        if len(self._waiting) < MAX_WAITING:
            self._room.set()
        else:
            self._room.clear()

    def _commit_and_send(self, step: _Step) -> None:
        with self._in_hand.handling(step.deliveries):
            self._outbox.write(step.changes, now=self._clock().isoformat())
        self._in_hand.clear(step.deliveries)
        for delivery in step.deliveries:
            self._transport.acknowledge(delivery)
        for request in step.to_start:
            self._spawn(self._evaluate(request))
        now = asyncio.get_running_loop().time()
        for attempt_id in [known for known, (due, _) in self._due.items() if self._connected and due <= now]:
            if attempt_id in self._undelivered:
                self.counts["repeated answers"] += 1
                step.to_send.append(self._undelivered[attempt_id])
            else:
                del self._due[attempt_id]
        for answer in step.to_send:
            if answer.attempt_id in self._undelivered:
                self._schedule_repetition(answer.attempt_id, now)
            if self._connected:
                self._spawn(self._send(answer.topic, answer.payload))

    def _answer(self, step: _Step, attempt_id: str, message: CandidateResult | CandidateFailure) -> None:
        answer = Answer(attempt_id, topic_of(message), encode(message))
        self._undelivered[attempt_id] = answer
        step.changes.append(Change(attempt_id, Progress.ANSWERED, answer=answer))
        step.to_send.append(answer)

    def _schedule_repetition(self, attempt_id: str, now: float) -> None:
        """Set when an answer is repeated: pauses double, with jitter, so that many simulators do not answer at once."""
        _, tries = self._due.get(attempt_id, (0.0, 0))
        settings = self._settings
        pause = min(settings.resend_max_s, settings.resend_min_s * 2.0 ** min(tries, 16))
        self._due[attempt_id] = (now + pause * self._jitter.uniform(0.75, 1.25), tries + 1)

    async def _evaluate(self, request: CandidateRequest) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        message: CandidateResult | CandidateFailure | None
        try:
            await asyncio.sleep(self._latency.seconds(request.attempt_id))
            quantities = await self._executor.evaluate(request)
            if self._noise is not None:
                quantities = tuple(self._noise.apply(quantity, request.candidate_id) for quantity in quantities)
            message = CandidateResult(
                **self._letterhead(request), quantities=quantities, duration_s=round(loop.time() - began, 6)
            )
            self.counts["evaluated"] += 1
        except EvaluationFailed as failure:
            self.counts[f"failed: {failure.reason.value}"] += 1
            self._on_event("evaluation_failed", attempt=request.attempt_id, reason=failure.reason.value)
            message = self._failure(request, failure.reason, failure.detail)
        except NoAnswer:
            self.counts["silent"] += 1
            message = None
        await self._inbox.put(Evaluated(request.attempt_id, message))

    async def _read_link(self) -> None:
        while True:
            await self._room.wait()
            await self._inbox.put(await self._transport.receive())

    async def _send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        try:
            await self._transport.publish(topic, payload, retain=retain)
        except LinkLost:
            pass  # repeated until the receipt
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses a message on {error.topic}: {error.reason}",
                expected="the right to publish there",
                action="let the broker's access list grant it to this simulator; its answers are kept",
            ) from None

    async def _repeat_status(self, campaign: str) -> None:
        while True:
            await asyncio.sleep(STATUS_EVERY_S)
            if self._connected and not self._shutdown:
                await self._publish_status(campaign, Health.ONLINE)

    async def _publish_status(self, campaign: str, health: Health) -> None:
        topic, payload = status_letter(campaign, self._settings.id, health, self._clock(), message_id=self._new_id())
        await self._send(topic, payload, retain=True)

    async def _say_goodbye(self) -> None:
        if self._connected and self._campaign is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._publish_status(self._campaign, Health.OFFLINE)
        await self._transport.close()

    def _failure(self, request: CandidateRequest, reason: FailureReason, detail: str) -> CandidateFailure:
        return CandidateFailure(**self._letterhead(request), reason=reason, detail=cut(detail))

    def _letterhead(self, request: CandidateRequest) -> dict[str, Any]:
        return {
            "campaign": request.campaign,
            "message_id": self._new_id(),
            "sent_at": self._clock(),
            "attempt_id": request.attempt_id,
            "candidate_id": request.candidate_id,
            "simulator": self._settings.id,
        }

    @property
    def _task_name(self) -> str:
        return f"simulator {self._settings.id}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work, name=self._task_name)


def status_letter(
    campaign: str, simulator: str, health: Health, now: datetime, *, message_id: str | None = None
) -> tuple[str, bytes]:
    """Return topic and payload of a simulator's status; also its last will."""
    message = Status(
        campaign=campaign,
        message_id=message_id or fresh_id(),
        sent_at=now,
        client=simulator,
        role="simulator",
        health=health,
    )
    return str(Topic(campaign, Channel.STATUS, simulator)), encode(message)


def _stored_request(payload: bytes) -> CandidateRequest | None:
    """Read a request of our own database; one of an older protocol is dropped, and expires at its agent."""
    try:
        message = decode_payload(payload)
    except MessageError:
        return None
    return message if isinstance(message, CandidateRequest) else None
