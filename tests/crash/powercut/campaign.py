"""The campaign that is recorded for the power cuts: the real agent, the real simulator, and all that happens to them.

    python -m tests.crash.powercut.campaign ROOT [--die-after MARKS] [--plant FAULT]

Both run in one process, each with its own folder and database, over the bus in memory and in virtual time, so a
recording is the same every time. Among the candidates are some that fail, are refused, never answer, answer too late,
or crash their first attempt; an operator pauses and resumes. The policy chooses by a digest of all that it is shown:
whoever was shown anything else decides otherwise.

What the world outside sees is marked, before it sees it, with one line of JSON (`World.mark`):

| mark | meaning |
|---|---|
| request, confirmed | the agent sends a request; the broker has confirmed it |
| receipt | the agent sends a receipt, with its status |
| taken | the agent or the simulator lets the broker forget a message, with the message's id |
| began | an evaluation begins |
| answer | the simulator sends an answer, with its digest |
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import Engine, event

from agent import opening
from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.campaign.events import DecisionMade
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.loop import Agent
from agent.run_files import RECORDING
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.settings import CampaignSettings
from protocols.errors import MessageError, StoreError
from protocols.link.transport import Delivery, Incoming, LinkLost, Transport, Will
from protocols.recording import writer as recordings
from protocols.recording.recorded_transport import RecordedTransport
from protocols.recording.writer import RecordingWriter
from protocols.storage import database, run_lock
from protocols.storage.database import sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.wire.codec import decode
from protocols.wire.messages import (
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Control,
    ControlAction,
    FailureReason,
    Health,
    Quantity,
    ResultReceipt,
)
from protocols.wire.topics import agent_subscriptions, simulator_subscriptions
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.instrument.latency import LatencySettings
from simulators.oracle_table import NoAnswer
from simulators.outbox import Outbox
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings
from tests.support.campaigns import PROPERTY, UNIT, control, small_pool, value_of
from tests.support.checker.ledger import answer_digest
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

CAMPAIGN: Final = "demo"
SIMULATOR: Final = "simulator-1"
POOL: Final = small_pool(160)
START: Final = tuple((which, value_of(which)) for which in POOL.candidate_ids[:6])
SETTINGS: Final = CampaignSettings(
    property=PROPERTY,
    unit=UNIT,
    valid_range=(-10.0, 10.0),
    budget=120,
    policy="tests.crash.powercut.campaign:Attentive",
    parallel=6,
    batch=2,
    ordering=Ordering.IN_ORDER,
    give_up_after=1_000,
    request_timeout_s=8.0,
    seed=11,
)
LAB: Final = SimulatorSettings(
    id=SIMULATOR,
    evaluator="a:B",
    concurrency=4,
    latency=LatencySettings(distribution="exponential", mean_s=0.4),
    resend_max_s=8.0,
)
CHECKPOINT_PAGES: Final = 120
"""SQLite's own 1,000 would give one checkpoint in the whole campaign; this gives a dozen."""

DECIDE_BY_S: Final = 3_600.0
"""Virtual time in which a campaign must end [s]; it takes about a minute."""

BEGAN_AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UID: Final = "0a1b2c3d"
PLANTS: Final = ("normal", "receipt-first", "answer-first", "no-folder-sync")


class Attentive:
    """Chooses by a digest of everything that it is shown."""

    runs_inline = True

    def propose(self, context: AcquisitionContext, wanted: int) -> Proposal:
        shown = hashlib.sha256(f"{context.decision}|{context.seed}|{wanted}".encode())
        for part in (context.observed, context.values, context.acquired, context.pending, context.available):
            shown.update(part.tobytes() + b"|")
        order = random.Random(shown.digest()).sample(context.available.tolist(), wanted)
        return Proposal(tuple(Choice(index) for index in order), f"saw {shown.hexdigest()[:12]}")


class World:
    """What everybody outside has seen: one line a mark, in the recorder's file if there is one."""

    def __init__(self, path: str | None, *, die_after: int | None = None) -> None:
        self.marks: list[dict[str, Any]] = []
        self._die_after = die_after
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def mark(self, what: str, which: str, **more: Any) -> None:
        """Write down what the world sees from here on."""
        row = {"what": what, "which": which, **more}
        self.marks.append(row)
        if self._file is not None:
            os.write(self._file, (json.dumps(row) + "\n").encode())
        if len(self.marks) == self._die_after:
            os._exit(0)  # a kill: nothing is closed, nothing is synced


class WitnessedTransport:
    """A link that marks what passes to the world outside."""

    def __init__(self, inner: Transport, world: World) -> None:
        self._inner = inner
        self._world = world

    async def run(self) -> None:
        await self._inner.run()

    async def receive(self) -> Incoming:
        return await self._inner.receive()

    def acknowledge(self, delivery: Delivery) -> None:
        with contextlib.suppress(MessageError):
            message = decode(delivery.topic, delivery.payload)
            if isinstance(message, CandidateRequest):
                self._world.mark("taken", message.attempt_id, kind="request")
            elif isinstance(message, Control):
                self._world.mark("taken", message.message_id, kind="control")
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        message = decode(topic, payload)
        if isinstance(message, CandidateRequest):
            self._world.mark("request", message.attempt_id)
        elif isinstance(message, ResultReceipt):
            self._world.mark("receipt", message.attempt_id, status=message.status.value)
        elif isinstance(message, CandidateResult | CandidateFailure):
            self._world.mark("answer", message.attempt_id, digest=answer_digest(message))
        await self._inner.publish(topic, payload, retain=retain)
        if isinstance(message, CandidateRequest):
            self._world.mark("confirmed", message.attempt_id)

    async def close(self) -> None:
        await self._inner.close()


class EventfulExecutor:
    """Measures what a candidate's id says; some candidates give trouble, the same every time."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        self._world.mark("began", request.attempt_id)
        value = value_of(request.candidate_id)
        match int(request.candidate_id[1:]) % 17:
            case 0:
                raise EvaluationFailed(FailureReason.UNSUPPORTED, "no such element")
            case 3:
                value = 99.0
            case 5:
                raise NoAnswer(request.candidate_id)
            case 7 if request.attempt == 1:
                raise EvaluationFailed(FailureReason.CRASHED, "the lamp broke")
            case 11 if request.attempt == 1:
                await asyncio.sleep(SETTINGS.request_timeout_s + 1.0)  # its answer comes late, and perhaps first
        return Measurement((Quantity(name=PROPERTY, value=value, unit=UNIT),))

    async def close(self) -> None:
        return


class ReceiptFirst(Agent):
    """A planted fault: receipts go out before the commit."""

    async def _commit_and_send(self, step: Transaction) -> None:
        for receipt in step.receipts:
            await self.outbound.send(*self.outbound._messages.receipt(receipt))
        await super()._commit_and_send(step)


class AnswerFirst(SimulatorService):
    """A planted fault: answers go out before they are committed."""

    def _commit_and_send(self, step: Any) -> None:
        changes = tuple(step.changes)
        answers = [change for change in changes if change.answer is not None]
        step.changes = [change for change in changes if change.answer is None]
        super()._commit_and_send(step)
        if answers:
            later = asyncio.get_running_loop().call_later
            later(0.01, lambda: self._outbox.write(answers, now=self._clock().isoformat()))


@dataclass(slots=True)
class Bench:
    """One start of the whole."""

    root: Path
    world: World
    plant: str = ""
    bus: MemoryBus = field(default_factory=MemoryBus)
    ids: Iterator[int] = field(default_factory=count)
    life: str = "1"

    def clock(self) -> datetime:
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
            seconds=asyncio.get_running_loop().time(), microseconds=1
        )

    def now(self) -> str:
        return self.clock().isoformat()

    def new_id(self) -> str:
        return f"m{self.life}-{next(self.ids)}"


@contextlib.contextmanager
def agent_of(bench: Bench) -> Iterator[Agent]:
    """Assemble an agent as `agent.assembly` does, with the bus for a link."""
    with ExitStack() as parts:
        run = bench.root / "runs" / CAMPAIGN
        files = parts.enter_context(opened(run))
        recording = RecordingWriter(run / RECORDING, {"campaign": CAMPAIGN})
        parts.callback(recording.close)
        messages = MessageBuilder(files.plan, evaluation_deadline_s=60.0, clock=bench.clock, new_id=bench.new_id)
        policy_runner = InlinePolicyRunner(Attentive())
        maker = TransactionBuilder(
            files.ledger,
            policy_runner=policy_runner,
            make_request=messages.request,
        )
        will = Will(*messages.status(Health.OFFLINE))
        link = bench.bus.transport("agent", agent_subscriptions(CAMPAIGN), will=will)
        kind = ReceiptFirst if bench.plant == "receipt-first" else Agent
        yield kind(
            maker=maker,
            store=files.store,
            transport=RecordedTransport(WitnessedTransport(link, bench.world), recording),
            policy_runner=policy_runner,
            messages=messages,
            request_timeout_s=SETTINGS.request_timeout_s,
            now=bench.now,
        )


def opened(run: Path, *, resume: bool = True) -> contextlib.AbstractContextManager[opening.CampaignFiles]:
    """Open the campaign's folder, beginning it where it has not begun."""
    return opening.open_campaign(
        run, pool=POOL, settings=SETTINGS, campaign=CAMPAIGN, recipients=(SIMULATOR,), start=list(START), resume=resume
    )


@contextlib.contextmanager
def simulator_of(bench: Bench) -> Iterator[SimulatorService]:
    """Assemble a simulator as `simulators.assembly` does, with the bus for a link."""
    folder = bench.root / "runs" / "lab"
    with RunLock(folder / f"{SIMULATOR}.lock", holder="simulator", advice="end it"), ExitStack() as parts:
        outbox = Outbox.open(sqlite_url(folder / f"{SIMULATOR}.db"))
        parts.callback(outbox.close)
        link = bench.bus.transport(SIMULATOR, simulator_subscriptions(SIMULATOR, campaign=CAMPAIGN, shared=True))
        kind = AnswerFirst if bench.plant == "answer-first" else SimulatorService
        yield kind(
            LAB,
            campaign=CAMPAIGN,
            outbox=outbox,
            transport=WitnessedTransport(link, bench.world),
            executor=EventfulExecutor(bench.world),
            clock=bench.clock,
            new_id=bench.new_id,
            jitter=random.Random(5),
        )


async def _operator(bench: Bench, phase: Callable[[], Phase]) -> None:
    """Pause and resume now and then; what an earlier life left paused is resumed first."""
    link = bench.bus.transport("operator")
    running = asyncio.create_task(link.run())
    operator_actions = count(1)
    try:
        while phase() is not Phase.FINISHED:
            for action, after_s in ((ControlAction.RESUME, 4.0), (ControlAction.PAUSE, 1.0)):
                named = {"message_id": f"wish-{bench.life}-{next(operator_actions)}", "sent_at": datetime.now(UTC)}
                wish = control(action).model_copy(update=named)
                with contextlib.suppress(LinkLost):
                    await asyncio.sleep(0.1)
                    await link.publish(
                        f"entropilot/v1/{CAMPAIGN}/control", wish.model_dump_json(exclude_none=True).encode()
                    )
                await asyncio.sleep(after_s)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def play(bench: Bench) -> list[dict[str, Any]]:
    """Play the campaign, or what is left of it, to its end; return its decisions."""
    with simulator_of(bench) as simulator, agent_of(bench) as agent:
        serving = asyncio.create_task(simulator.run())
        steering = asyncio.create_task(_operator(bench, lambda: agent.campaign.phase))
        async with asyncio.timeout(DECIDE_BY_S):
            await agent.run()
            await asyncio.sleep(2.0)  # the last receipts
        simulator.request_shutdown()
        await asyncio.gather(serving, steering)
        return [
            {"decision": made.decision, "seed": made.seed, "chosen": made.candidate_ids, "saw": made.reason}
            for made in agent._store.journal()
            if isinstance(made, DecisionMade)
        ]


def play_to_the_end(root: Path, world: World, *, life: str = "1", plant: str = "") -> list[dict[str, Any]]:
    """Play in virtual time, with the labels of time and chance that are the same every time."""
    plant_fault(plant)
    virtual_clock = type("VirtualClock", (), {"monotonic": staticmethod(lambda: asyncio.get_running_loop().time())})
    with patch.object(opening, "fresh_uid", lambda: UID), patch.object(recordings, "time", virtual_clock):
        return run_in_virtual_time(play(Bench(root, world, plant, life=life)), seed=3)


def plant_fault(plant: str) -> None:
    """Spoil this process, where a fault is planted outside of the two main paths."""
    if plant == "normal":
        database.SQLITE_SETTINGS["synchronous"] = 1
    if plant == "no-folder-sync":
        run_lock.sync_names = lambda folder: None


@event.listens_for(Engine, "connect")
def _checkpoint_often(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


def main() -> None:
    """Play under the recorder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--life", default="1")
    parser.add_argument("--die-after", type=int)
    parser.add_argument("--plant", choices=PLANTS, default="")
    given = parser.parse_args()
    world = World(os.environ.get("POWERCUT_MARKS"), die_after=given.die_after)
    try:
        play_to_the_end(given.root, world, life=given.life, plant=given.plant)
    except StoreError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
