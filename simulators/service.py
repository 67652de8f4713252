"""The simulator's main path: receive, decide, commit, send. It mirrors the agent's loop.

    receive   requests and receipts from the link, answers from the evaluations, answers that are due again
    decide    what is new, what is known, what is done
    commit    one transaction for all of it
    send      acknowledge to the broker, start evaluations, publish answers

An answer is repeated with back-off until its receipt. An attempt that is known is never evaluated again: its stored
answer is sent instead. One that waits is left when its agent withdraws it or asks for a newer one of the same
candidate; one that runs goes on. Of several campaigns each gets its share of the slots, by weight.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from protocols.concurrency.inbox import Inbox
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import MessageError
from protocols.link.poison_guard import KILLS_HANDLER, MAX_DEATHS, PoisonMessageGuard
from protocols.link.transport import Delivery, LinkDown, LinkUp, Transport
from protocols.signing.signature import require_signature
from protocols.storage.disk_floor import DiskFloor
from protocols.wire.attempt_ids import uid_of
from protocols.wire.codec import decode, decode_payload, encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from protocols.wire.messages import (
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    CapabilitiesRequest,
    FailureReason,
    ReceiptStatus,
    ResultReceipt,
)
from simulators.evaluation import Evaluation, EvaluationDone
from simulators.executors.executor import Executor
from simulators.instrument.calibration import Logbook, Moment
from simulators.messages import Messages
from simulators.outbound import Outbound
from simulators.outbox import Answer, AttemptProgress, Change, Outbox
from simulators.serving.fair_share import FairShare
from simulators.settings import SimulatorSettings
from simulators.unreadable import who_asks

MAX_INPUTS_PER_COMMIT: Final = 64
"""Inputs that share a transaction under load."""

MAX_WAITING: Final = 1_024
"""Requests that may wait for a free slot; when full, the link is not read and the broker keeps the rest."""

INBOX_SIZE: Final = 256
"""Inputs that may wait for the next transaction: of the largest messages they are 16 MiB."""

MAX_UNDELIVERED: Final = 4_096
"""Answers that may wait for their receipt: an agent asks for a few hundred at once. Beyond it further requests are
refused, for whoever asks without end and never gives a receipt would fill disk and memory; their agent asks again."""

MAX_OPEN_BYTES: Final = 256 * MAX_PAYLOAD_BYTES
"""The same as a size, of what was asked in attempts that are not over: as much as the largest campaign has in flight
[byte]."""

MEMORY_FULL: Final = "memory_full"
"""Why such a request is refused."""

MAX_REFUSAL_LINES: Final = 1_000
"""Refused messages that are logged one by one; under a flood the counters go on, the log does not."""


Input = Delivery | LinkUp | LinkDown | EvaluationDone


@dataclass(frozen=True, slots=True)
class _Running:
    """An evaluation that runs: whose it is, when it began [s, monotonic] and what it is taken to last [s]."""

    campaign: str
    weight: float
    began: float
    guessed_s: float


@dataclass(slots=True)
class _Transaction:
    changes: list[Change] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    to_start: list[tuple[CandidateRequest, Moment]] = field(default_factory=list)
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
        poison_guard: Notes what is being handled; without one, a message that kills its handler is never found out.
        disk: Where is written; while it is nearly full nothing is taken and nothing begun.
        require_signatures: Whether only what the agent has signed is taken.
        on_event: Called with a short name and fields, for the log.
        on_commit: Called with what was committed, for its trace.
        new_id: Returns a message id that nobody has used.
        instance: Names it among those of its id, for its status.
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
        poison_guard: PoisonMessageGuard | None = None,
        disk: DiskFloor | None = None,
        require_signatures: bool = False,
        on_event: Callable[..., None] = lambda *_args, **_fields: None,
        on_commit: Callable[[Sequence[Change]], None] = lambda _changes: None,
        new_id: Callable[[], str] = fresh_id,
        instance: str | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._poison_guard = poison_guard or PoisonMessageGuard(None)
        self._disk = disk or DiskFloor(None)
        self._require_signatures = require_signatures
        self._on_event = on_event
        self._on_commit = on_commit
        self._messages = Messages(settings.id, clock, new_id, instance)
        self._evaluation = Evaluation(settings, executor, self._messages, counts=self.counts, on_event=on_event)
        self.outbound = Outbound(
            settings,
            transport,
            self._messages,
            campaign=campaign,
            undelivered=outbox.undelivered(),
            counts=self.counts,
            jitter=jitter or random.Random(),  # noqa: S311 - decides nothing
        )
        self.inbox: Inbox[Input] = Inbox(
            size=INBOX_SIZE, batch=MAX_INPUTS_PER_COMMIT, is_suspect=self._poison_guard.is_suspect
        )
        self.waiting: deque[CandidateRequest] = deque()
        """Requests without a free slot."""
        self._evaluating: dict[str, _Running] = {}
        self._logbook = Logbook(settings.counted_by, outbox.age)
        self._shares = FairShare()
        self._refusals = 0
        self._room = asyncio.Event()
        self._shutdown = False
        self._group: asyncio.TaskGroup

    @property
    def running(self) -> int:
        """Evaluations that run."""
        return len(self._evaluating)

    async def run(self) -> None:
        """Run until asked to end.

        Raises:
            BrokerError: When the broker refuses us for good.
            SettingsError: When the evaluator cannot be made.
            StoreError: When a commit failed.
        """
        try:
            async with asyncio.TaskGroup() as self._group:
                self.outbound.run_in(self._group)
                works = (self._transport.run(), self._read_link(), self.outbound.repeat_status(unless=self._is_over))
                tasks = [self._group.create_task(work) for work in works]
                try:
                    await self._rounds()
                finally:
                    await self._evaluation.close()
                    name = self.outbound.task_name
                    for task in (*tasks, *(each for each in asyncio.all_tasks() if each.get_name() == name)):
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None

    def request_shutdown(self) -> None:
        """End after this transaction; evaluations that run are killed and answered as interrupted at the next start."""
        self._shutdown = True
        self.inbox.wake()

    async def _rounds(self) -> None:
        self._recover()
        while not self._shutdown:
            transaction, items = _Transaction(), await self.inbox.receive(self.outbound.wait_s(_time()))
            await self._disk.wait_for_room(unless=self._is_over)
            with self._poison_guard.handling(items):
                for item in items:
                    self._decide(transaction, item)
            self._start_what_fits(transaction)
            self._commit_and_send(transaction)
        await self.outbound.shut_down()

    def _recover(self) -> None:
        """Answer what a crash interrupted, and queue what was never begun."""
        transaction = _Transaction()
        for attempt_id, payload in self._outbox.requests(AttemptProgress.STARTED):
            request = _stored_request(payload)
            if request is not None:
                detail = "the simulator was restarted while it evaluated this attempt"
                self._answer(
                    transaction, attempt_id, self._messages.failure(request, FailureReason.INTERRUPTED, detail)
                )
        for _, payload in self._outbox.requests(AttemptProgress.RECEIVED):
            request = _stored_request(payload)
            if request is not None:
                self.waiting.append(request)
        self._start_what_fits(transaction)
        self._commit_and_send(transaction)

    def _decide(self, transaction: _Transaction, item: Input) -> None:
        match item:
            case Delivery():
                transaction.deliveries.append(item)
                if self._poison_guard.is_dead_lettered(item):
                    self._refuse(item, KILLS_HANDLER, f"the simulator died {MAX_DEATHS} times while it handled it")
                else:
                    self._take(transaction, item)
            case EvaluationDone():
                self._end(item.attempt_id)
                if item.message is None:
                    transaction.changes.append(Change(item.attempt_id, AttemptProgress.DELIVERED))
                else:
                    self._answer(transaction, item.attempt_id, item.message)
            case LinkUp():
                transaction.to_send.extend(self.outbound.link_up())
            case LinkDown():
                self.outbound.link_down()

    def _take(self, transaction: _Transaction, delivery: Delivery) -> None:
        try:
            require_signature(delivery, always=self._require_signatures)
        except MessageError as error:
            self._refuse(delivery, error.reason, str(error))
            return
        try:
            message = decode(delivery.topic, delivery.payload)
        except MessageError as error:
            self._refuse(delivery, error.reason, str(error))
            self._tell_who_asks(transaction, delivery, str(error))
            return
        if isinstance(message, ResultReceipt) and message.status is ReceiptStatus.WITHDRAWN:
            self._leave(transaction, [each for each in self.waiting if each.attempt_id == message.attempt_id])
        elif isinstance(message, ResultReceipt):
            self._take_receipt(transaction, message, delivery.payload)
        elif isinstance(message, CandidateRequest):
            self._take_request(transaction, message, delivery)
        elif isinstance(message, CapabilitiesRequest):
            self.outbound.say_again(_time())
        else:
            self.counts["refused: wrong_topic"] += 1

    def _take_receipt(self, transaction: _Transaction, receipt: ResultReceipt, payload: bytes) -> None:
        """Repeat an answer no more, and keep the receipt; say so where it was not taken as hoped."""
        if not self.outbound.take_receipt(receipt):
            return
        transaction.changes.append(Change(receipt.attempt_id, AttemptProgress.DELIVERED, receipt=payload))
        if receipt.status not in {ReceiptStatus.ACCEPTED, ReceiptStatus.DUPLICATE}:
            told = {"attempt_id": receipt.attempt_id, "status": receipt.status.value, "detail": receipt.detail}
            self._on_event("answer_not_taken", **told)

    def _refuse(self, delivery: Delivery, reason: str, detail: str) -> None:
        self.counts[f"refused: {reason}"] += 1
        self._refusals += 1
        if self._refusals <= MAX_REFUSAL_LINES:
            self._on_event("message_refused", reason=reason, topic=delivery.topic[:200], detail=detail)

    def _tell_who_asks(self, transaction: _Transaction, delivery: Delivery, detail: str) -> None:
        """Answer an unreadable request, once and for nothing that is remembered; a flood of them is not answered."""
        asked = who_asks(delivery.topic, delivery.payload)
        if asked is None or self._refusals > MAX_REFUSAL_LINES or self._outbox.find(asked.attempt_id) is not None:
            return
        failure = self._messages.failure(asked, FailureReason.UNREADABLE_REQUEST, detail)
        transaction.to_send.append(Answer(asked.attempt_id, topic_of(failure), encode(failure)))

    def _take_request(self, transaction: _Transaction, request: CandidateRequest, delivery: Delivery) -> None:
        """Queue a new attempt; answer a known one from the store."""
        attempt_id = request.attempt_id
        if any(change.attempt_id == attempt_id for change in transaction.changes):
            return  # twice within one transaction
        known = self._outbox.find(attempt_id)
        if known is None and (full := self._full()):
            self._refuse(delivery, MEMORY_FULL, full)
            return
        if known is None:
            self.counts["received"] += 1
            transaction.changes.append(Change(attempt_id, AttemptProgress.RECEIVED, request=delivery.payload))
            self.waiting.append(request)
            self._leave(transaction, self._overtaken(request))
            return
        progress, answer = known
        self.counts["repeated requests"] += 1
        if progress in {AttemptProgress.ANSWERED, AttemptProgress.DELIVERED} and answer.payload:
            transaction.to_send.append(answer)

    def _full(self) -> str:
        """Say of what there is so much that no further attempt is taken; empty while there is room."""
        if len(self.outbound.undelivered) >= MAX_UNDELIVERED:
            return f"{MAX_UNDELIVERED} answers wait for their receipt"
        if self._outbox.open_bytes >= MAX_OPEN_BYTES:
            return f"attempts of {MAX_OPEN_BYTES >> 20} MiB wait for their answer or its receipt"
        return ""

    def _overtaken(self, request: CandidateRequest) -> list[CandidateRequest]:
        """Return the attempts at a candidate that wait, but the newest: its agent waits for that alone."""
        same = [each for each in self.waiting if _whose(each) == _whose(request)]
        return sorted(same, key=lambda each: each.attempt)[:-1]

    def _leave(self, transaction: _Transaction, requests: Iterable[CandidateRequest]) -> None:
        """Take attempts that were not begun out of the queue, and remember that they are never to be."""
        for request in requests:
            self.counts["withdrawn"] += 1
            self.waiting.remove(request)
            transaction.changes.append(Change(request.attempt_id, AttemptProgress.WITHDRAWN))

    def _start_what_fits(self, transaction: _Transaction) -> None:
        while self.waiting and self.running < self._settings.concurrency:
            request = self._next_waiting()
            self.waiting.remove(request)
            self._begin(request)
            transaction.changes.append(Change(request.attempt_id, AttemptProgress.STARTED))
            transaction.to_start.append((request, self._logbook.begin(request, self._clock())))
        if len(self.waiting) < MAX_WAITING:
            self._room.set()
        else:
            self._room.clear()

    def _next_waiting(self) -> CandidateRequest:
        """Return which request is begun next: the oldest of the campaign whose turn it is."""
        campaign = self._shares.next(each.campaign for each in self.waiting)
        return next(each for each in self.waiting if each.campaign == campaign)

    def _begin(self, request: CandidateRequest) -> None:
        weight = request.weight or 1.0
        guessed_s = self._shares.begin(request.campaign, weight)
        self._evaluating[request.attempt_id] = _Running(request.campaign, weight, _time(), guessed_s)

    def _end(self, attempt_id: str) -> None:
        ended = self._evaluating.pop(attempt_id)
        took_s = _time() - ended.began
        self._shares.end(ended.campaign, ended.weight, guessed_s=ended.guessed_s, took_s=took_s)

    def _commit_and_send(self, transaction: _Transaction) -> None:
        with self._poison_guard.handling(transaction.deliveries):
            self._outbox.write(transaction.changes, now=self._clock().isoformat(), age=self._logbook.age)
        self._poison_guard.clear(transaction.deliveries)
        self._on_commit(transaction.changes)
        for delivery in transaction.deliveries:
            self._transport.acknowledge(delivery)
        for request, moment in transaction.to_start:
            self._spawn(self._evaluate(request, moment))
        now = _time()
        self.outbound.send_answers([*transaction.to_send, *self.outbound.pop_due(now)], now)

    def _answer(self, transaction: _Transaction, attempt_id: str, message: CandidateResult | CandidateFailure) -> None:
        answer = Answer(attempt_id, topic_of(message), encode(message))
        self.outbound.undelivered[attempt_id] = answer
        transaction.changes.append(Change(attempt_id, AttemptProgress.ANSWERED, answer=answer))
        transaction.to_send.append(answer)

    async def _evaluate(self, request: CandidateRequest, moment: Moment) -> None:
        await self.inbox.put(await self._evaluation.evaluate(request, moment))

    async def _read_link(self) -> None:
        while True:
            await self._room.wait()
            await self.inbox.put(await self._transport.receive())

    def _is_over(self) -> bool:
        return self._shutdown

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work, name=self.outbound.task_name)


def _whose(request: CandidateRequest) -> tuple[str, str, str]:
    """Return what the attempts at one candidate have in common; another campaign may have the name of an old one."""
    return request.campaign, uid_of(request.attempt_id), request.candidate_id


def _stored_request(payload: bytes) -> CandidateRequest | None:
    """Read a request of our own database; one of an older protocol is dropped, and expires at its agent."""
    try:
        message = decode_payload(payload)
    except MessageError:
        return None
    return message if isinstance(message, CandidateRequest) else None


def _time() -> float:
    return asyncio.get_running_loop().time()
