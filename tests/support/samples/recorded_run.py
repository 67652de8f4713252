"""A run folder as an agent and its simulator leave it, played without a broker: database, recording, memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.acquisition.baselines import UniformRandom
from agent.campaign.decide import ResultAck
from agent.campaign.events import Event
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import Pool
from agent.run_files import DATABASE, RECORDING
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.recorder import RunRecorder
from agent.runtime.resume import begin, remember
from agent.runtime.transaction import DeadlinePassed, Transaction, TransactionBuilder
from agent.store.commit import OutboxItem
from agent.versions import versions
from protocols.link.transport import Delivery
from protocols.recording.writer import RecordingWriter
from protocols.storage.database import sqlite_url
from protocols.wire.attribution import message_id_of
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage, ControlAction, FailureReason, ReceiptStatus
from scenarios.run.banded import with_bands
from scenarios.run.dataset import write_dataset_csv
from scenarios.run.summary.model import RunSummary, write_summary
from scenarios.run.trajectory import Trajectory, write_trajectory_csv
from scenarios.sources.run_folder import DATASET, SUMMARY, TRAJECTORY
from simulators.outbox import Answer, AttemptProgress, Change, Outbox
from tests.support.campaigns import (
    NOW,
    SENT_AT,
    control,
    failure_of,
    quantity,
    result_of,
    small_plan,
    small_pool,
    value_of,
)  # fmt: skip
from tests.support.stored_campaigns import START, delivered, opened

POOL: Final = small_pool(30)
SIMULATOR: Final = "simulator-1"
MEMORY: Final = f"{SIMULATOR}.db"

NO_OTHER: Final[Mapping[str, Any]] = MappingProxyType({})
"""Bounds of a recording that are the usual ones."""


class RecordedRun:
    """A campaign that goes on from its run folder each time one is made.

    Args:
        folder: The run folder.
        pool: The candidates.
        bounds: Of the recording, where they are not the usual ones.
        at_point: Called where a process may be killed: "noted" before each commit, and "committed" behind it.
        changes: Parts of the plan that differ from the small one.

    Attributes:
        receipts: Every receipt that was sent, as it went out.
    """

    def __init__(
        self,
        folder: Path,
        pool: Pool = POOL,
        *,
        bounds: Mapping[str, Any] = NO_OTHER,
        at_point: Callable[[str], None] = lambda _point: None,
        **changes: object,
    ) -> None:
        self.folder = folder
        self._at_point = at_point
        self.plan: CampaignPlan = small_plan(pool, parallel=2, budget=4, **changes)
        self.receipts: list[bytes] = []
        self._store = opened(folder / DATABASE, pool)
        start = [(which, value_of(which)) for which in START]
        begin(self._store, pool, self.plan, start, versions=versions(), now=SENT_AT)
        ledger = remember(self._store, pool)
        self._messages = MessageBuilder(self.plan, evaluation_deadline_s=60.0, clock=lambda: NOW)
        self._maker = TransactionBuilder(
            ledger, policy_runner=InlinePolicyRunner(UniformRandom()), make_request=self._messages.request
        )
        header = {"campaign": self.plan.campaign, "pool_digest": pool.digest, "versions": versions()}
        self._writer = RecordingWriter(folder / RECORDING, header, **bounds)
        self._recorder = RunRecorder(self._writer, self._write_taken, self._store)
        self._memory = Outbox.open(sqlite_url(folder / MEMORY))
        self._refused: set[str] = set()
        self._ask(*self._store.unconfirmed())
        self.take()

    @property
    def awaited(self) -> list[Attempt]:
        """Attempts without an answer."""
        return list(self._maker.campaign.in_flight.values())

    @property
    def is_over(self) -> bool:
        """Whether the campaign is finished."""
        return self._maker.campaign.phase is Phase.FINISHED

    def take(self, *items: AnyMessage | DeadlinePassed | Delivery) -> None:
        """Take messages and deadlines in one transaction, and send what follows."""
        transaction = Transaction()
        for item in items:
            self._maker.take(transaction, item if isinstance(item, DeadlinePassed | Delivery) else delivered(item))
        self._maker.settle(transaction)
        if transaction.took or transaction.events:
            self._recorder.write_ahead(transaction)
        self._at_point("noted")
        self._store.append(transaction.commit(()), now=SENT_AT)
        self._at_point("committed")
        self._ask(*transaction.outbox)
        for ack in transaction.receipts:
            self._send(ack, *self._messages.receipt(ack, self._store.head))
        if transaction.bias:
            ledger = self._maker.ledger
            topic, payload = self._messages.metrics_report(ledger.observation, ledger.point(), head=self._store.head)
            self._writer.write("out", topic, payload, retain=True)

    def _ask(self, *requests: OutboxItem) -> None:
        """Send requests, but those that the simulator has."""
        for each in requests:
            if self._memory.find(each.attempt_id) is None:
                self._writer.write("out", each.topic, each.payload, retain=False)
                received = Change(each.attempt_id, AttemptProgress.RECEIVED, request=each.payload)
                self._memory.write([received], now=SENT_AT)

    def answer(self, attempt: Attempt, message: AnyMessage | None = None) -> None:
        """Let the simulator answer, with the true value unless told otherwise; what is refused it says once more."""
        said = message or result_of(attempt)
        self.keep_answer(attempt.attempt_id, said)
        self.take(said)
        if attempt.attempt_id in self._refused:
            self.take(said)

    def keep_answer(self, attempt_id: str, said: AnyMessage) -> None:
        """Let the simulator keep an answer that it is about to send."""
        answer = Answer(attempt_id, topic_of(said), encode(said))
        self._memory.write([Change(attempt_id, AttemptProgress.ANSWERED, answer=answer)], now=SENT_AT)

    def killed(self, folder: Path) -> RecordedRun:
        """Go on in a copy of the run folder as a SIGKILL leaves it, a second after the last message."""
        self._writer.flush()
        shutil.copytree(self.folder, folder)
        return RecordedRun(folder)

    def finish(self) -> None:
        """Answer whatever is asked until the campaign is finished."""
        while not self.is_over:
            self.answer(self.awaited[0])

    def close(self) -> None:
        """End as a process does that was asked to, and write what a run writes at its end."""
        self._recorder.seal(SENT_AT)
        self._write_files()
        self._writer.close()
        self._memory.close()
        self._store.close()

    def journal(self) -> tuple[list[Event], list[str], list[BiasPoint]]:
        """Return the events, their digests, and the trajectory."""
        with closing(opened(self.folder / DATABASE, POOL)) as store:
            return list(store.journal()), digests_of(self.folder), [point for _, point in store.trajectory()]

    def _write_files(self) -> None:
        ledger, points = self._maker.ledger, tuple(self._store.trajectory())
        campaign = ledger.campaign
        trajectory = with_bands(Trajectory("p", self.plan.unit, points), ledger.meter)
        write_trajectory_csv(self.folder / TRAJECTORY, trajectory)
        write_dataset_csv(self.folder / DATASET, self._store.dataset())
        summary = RunSummary(
            campaign=self.plan.campaign, scenario="", policy=self.plan.policy, seed=self.plan.seed, property="p",
            unit=self.plan.unit, budget=self.plan.budget, spent=campaign.spent, observations=campaign.observations,
            abandoned=0, excluded=1, retries=campaign.retries, quarantined=1, duplicates=1,
            stopped_because=campaign.finish_reason, wall_time_s=1.0, per_second=None, before=points[0][1],
            after=points[-1][1], bands_before=trajectory.bands[0], bands_after=trajectory.bands[points[-1][0]],
            best=ledger.best.figures(), journal_rows=self._store.sequence, journal_digest=self._store.digest,
            files=(DATASET,),
        )  # fmt: skip
        write_summary(self.folder / SUMMARY, summary)

    def _write_taken(self, message: Delivery, verdict: str) -> int | None:
        topic, payload = message.topic, message.payload
        if verdict:
            return self._writer.write_idle("in", topic, payload, verdict, retain=False, qos=message.qos)
        return self._writer.write("in", topic, payload, retain=False, qos=message.qos)

    def _send(self, ack: ResultAck, topic: str, payload: bytes) -> None:
        """Send a receipt; the simulator keeps the one that it believes, which a first refusal is not."""
        self.receipts.append(payload)
        self._writer.write("out", topic, payload, retain=False)
        known = self._memory.find(ack.attempt_id)
        if known is None or known[0] is not AttemptProgress.ANSWERED or message_id_of(known[1].payload) != ack.answers:
            return
        if ack.status is ReceiptStatus.REFUSED and ack.attempt_id not in self._refused:
            self._refused.add(ack.attempt_id)
            return
        self._memory.write([Change(ack.attempt_id, AttemptProgress.DELIVERED, receipt=payload)], now=SENT_AT)


def digests_of(folder: Path) -> list[str]:
    """Return the digest of every row of a journal."""
    import sqlite3

    with closing(sqlite3.connect(folder / DATABASE)) as database:
        return [row[0] for row in database.execute("SELECT digest FROM journal ORDER BY sequence")]


ATTEMPTS: Final = 7
"""How often an eventful run asks."""


def eventful(run: RecordedRun) -> None:
    """Play a campaign in which all kinds of answers come."""
    first, second = run.awaited
    run.answer(first, failure_of(first, FailureReason.CALCULATION_FAILED))
    run.answer(second, result_of(second, quantity(99.0)))
    run.take(control(ControlAction.PAUSE, operator="ann"), control(ControlAction.RESUME))
    expired = run.awaited[0]
    run.take(DeadlinePassed(expired.attempt_id))
    run.take(control(ControlAction.EXCLUDE_CANDIDATE, "c029", operator="bob"))
    again = run.awaited[0]
    said = result_of(again)
    run.answer(again, said)
    run.take(said)  # once more
    run.take(said.model_copy(update={"message_id": "m-other", "quantities": (quantity(1.25),)}))  # contradicts
    run.take(said.model_copy(update={"attempt_id": "nobodys", "message_id": "m-nobodys"}))  # is quarantined
    run.answer(next(each for each in run.awaited if each.candidate_id == expired.candidate_id))
    run.answer(expired, result_of(expired, quantity(2.5)))  # comes late
    run.finish()


def made(folder: Path, play: Callable[[RecordedRun], None] = eventful) -> RecordedRun:
    """Return a run folder whose campaign was played, closed."""
    run = RecordedRun(folder)
    play(run)
    run.close()
    return run
