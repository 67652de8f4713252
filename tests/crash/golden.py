"""The golden campaign: small, eventful, the same every time, and every crash test disturbs it.

The real agent and the real simulator, each with its own files, over the bus in memory and in virtual time. Its story:
a pool of 20, eight decisions, two in flight, addressed in turn to the simulator by name and to any; the first attempt
of decision 2 fails, the first attempt of decision 4 has no answer and expires; the first two decisions wait for
approval, and meanwhile an operator gives an order of every kind but a stop, each until its receipt: values are added,
corrected and taken back, candidates excluded and requeued, the budget grows, one decision is vetoed and one approved.
Somebody pauses the campaign and resumes it; a stranger sends a bad message to each side, repeats every answer, and cuts
each link once. The policy chooses by a digest of all that it was shown, so a decision that saw anything else is another
decision.

    folder/run       what the system keeps: databases, locks, notes, recording, log
    folder/witness   the ledger, outside the system
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import CampaignPlan
from agent.loop import Agent
from agent.runtime.log import TransactionLog, open_log
from agent.runtime.messages import MessageBuilder
from agent.runtime.recorder import RunRecorder
from agent.runtime.resume import begin, remember, require_same_plan
from agent.runtime.transaction import TransactionBuilder
from agent.store.store import Store
from protocols.concurrency.task_group_errors import first_failure
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery, Incoming, LinkLost, Transport, Will
from protocols.recording.writer import RecordedTransport, RecordingWriter
from protocols.storage.database import sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    AddedCandidate,
    AddedResult,
    CampaignState,
    CandidateRequest,
    Control,
    ControlAction,
    ControlReceipt,
    FailureReason,
    Health,
    Quantity,
)
from protocols.wire.topics import (
    ANY_SIMULATOR,
    Channel,
    Topic,
    agent_subscriptions,
    operator_subscriptions,
    simulator_subscriptions,
)
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executor import Executor
from simulators.messages import status_message
from simulators.noise import LatencySettings, NoiseSettings
from simulators.oracle_table import NoAnswer
from simulators.outbox import Outbox
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings
from tests.support.campaigns import PROPERTY, UNIT, small_closure, small_plan, value_of
from tests.support.checker.ledger import Ledger, LedgeredExecutor, LedgeredTransport
from tests.support.memory_bus import MemoryBus
from tests.support.stored_campaigns import labels_of
from tests.support.virtual_loop import run_in_virtual_time

SEED: Final = 7
"""Of the order of what is ready."""

SIMULATOR: Final = "simulator-1"
POOL: Final = small_closure(5)
METERED_BY: Final = "causal"
"""Whose metrics are kept beside those of the bias: what a causal campaign writes is killed at every line as well."""

PLAN: Final[CampaignPlan] = small_plan(
    POOL,
    budget=6,
    parallel=2,
    recipients=(SIMULATOR, ANY_SIMULATOR),
    policy="attentive",
    approval=ApprovalSettings(required="first_n", first=2),
    metrics_of=METERED_BY,
    metrics=declared_metrics(METERED_BY, {}, UNIT, pool_arrays(POOL)),
)
START: Final = ("c000", "c001", "c005")
OPERATOR: Final = "ada"
HELD: Final = ("c015", "c014")
"""What the first two decisions choose, and hold until somebody approves them."""
FAILING_DECISION: Final = 2
SILENT_DECISION: Final = 4
REQUEST_TIMEOUT_S: Final = 30.0
ORDER_EVERY_S: Final = 0.3
"""How long the operator waits for a receipt before it gives an order again."""

LAST_RECEIPTS_S: Final = 1.0
"""How long the simulator stays after its agent, for the last receipts."""

RAN_AT: Final = datetime.now(UTC)
"""Today: the simulator forgets delivered answers after a month, by the clock of the machine."""

SIDE: Final[ContextVar[str]] = ContextVar("side", default="")
"""Whose line runs: "agent" or "simulator"."""


class Death(BaseException):
    """One side dies while the other lives on."""


@dataclass(slots=True)
class Fence:
    """Stands between a side and the world: once it is up, nothing that the side still does has any effect."""

    up: bool = False
    on_death: list[Callable[[], object]] = field(default_factory=list)

    def check(self) -> None:
        """Raise `Death` behind the fence."""
        if self.up:
            raise Death

    def raise_it(self) -> None:
        """End a side here and now."""
        self.up = True
        for each in self.on_death:
            each()


class FencedTransport:
    """A link that ends with its side."""

    def __init__(self, inner: Transport, fence: Fence) -> None:
        self._inner = inner
        self._fence = fence

    async def run(self) -> None:
        self._fence.check()
        await self._inner.run()

    async def receive(self) -> Incoming:
        item = await self._inner.receive()
        self._fence.check()
        return item

    def acknowledge(self, delivery: Delivery) -> None:
        self._fence.check()
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._fence.check()
        await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        self._fence.check()
        await self._inner.close()


class GoldenExecutor:
    """Measures in half a second what stands in the request; decisions 2 and 4 go wrong once."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        self._fence.check()
        await asyncio.sleep(0.5)
        self._fence.check()
        if request.attempt == 1 and request.decision == FAILING_DECISION:
            raise EvaluationFailed(FailureReason.CRASHED, "the lamp broke")
        if request.attempt == 1 and request.decision == SILENT_DECISION:
            raise NoAnswer(request.candidate_id)
        asked = f"{request.candidate_id}|{request.family}|{request.formula}|{request.properties}"
        return Measurement((Quantity(name=PROPERTY, value=value_of(asked), unit=UNIT),))

    async def close(self) -> None:
        return


class Attentive:
    """A policy and its acquirer: chooses by a digest of everything that it is shown; takes its time every other one."""

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        return None if context.decision % 2 else self.answer(context, count)

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        await asyncio.sleep(0.25)
        return self.answer(context, count)

    async def close(self) -> None:
        return

    @staticmethod
    def answer(context: AcquisitionContext, count: int) -> Proposal:
        shown = hashlib.sha256(f"{context.decision}|{context.seed}|{count}".encode())
        for part in (context.observed, context.values, context.acquired, context.pending, context.available):
            shown.update(part.tobytes() + b"|")
        scored = sorted((value_of(f"{shown.hexdigest()}|{index}"), int(index)) for index in context.available)
        chosen = tuple(Choice(index, score) for score, index in scored[:count])
        return Proposal(chosen, f"saw {shown.hexdigest()[:12]}", runner_up=Choice(scored[count][1], scored[count][0]))


@dataclass
class World:
    """One start of the machine: a bus that remembers nothing of the last one, and the folders."""

    folder: Path
    fences: dict[str, Fence] = field(default_factory=dict)
    bus: MemoryBus = field(default_factory=MemoryBus)
    agent_done: asyncio.Event = field(default_factory=asyncio.Event)
    ids: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for part in ("run", "witness"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def clock(self) -> datetime:
        """Today, and the virtual seconds since."""
        return RAN_AT + timedelta(seconds=asyncio.get_running_loop().time())

    def now(self) -> str:
        return self.clock().isoformat()

    def new_id(self) -> str:
        return f"m{next(self.ids)}"

    def fence(self, side: str, *on_death: Callable[[], object]) -> Fence:
        """A new fence for a new life of a side."""
        fence = self.fences[side] = Fence(on_death=list(on_death))
        return fence


async def agent_life(world: World) -> None:
    """Assemble an agent as `agent.assembly` does, on this world's bus, and run it to the end of its campaign."""
    run = world.folder / "run"
    with contextlib.ExitStack() as parts:
        fence = world.fence("agent", lambda: world.bus.cut("agent"), parts.close)
        parts.enter_context(RunLock(run / "campaign.lock", holder="agent", advice="end it"))
        store = Store.open(sqlite_url(run / "campaign.db"), labels=labels_of(POOL), now=world.now())
        parts.callback(store.close)
        fence.on_death.insert(0, dropping(store))
        start = [(which, value_of(which)) for which in START]
        begin(store, POOL, PLAN, start, versions={"entropilot": "test"}, now=world.now())
        stored = remember(store, POOL)
        require_same_plan(stored.campaign.plan, PLAN)
        messages = MessageBuilder(
            PLAN, evaluation_deadline_s=60.0, clock=world.clock, instance="agent-golden", new_id=world.new_id
        )
        logger, log_file = open_log(run / "agent.jsonl")
        parts.callback(log_file.close)
        recording = RecordingWriter(run / "recording.jsonl", {"campaign": PLAN.campaign})
        parts.callback(recording.close)
        poison_guard = PoisonMessageGuard(run / "agent.in_process")
        parts.callback(poison_guard.close)
        link = world.bus.transport(
            "agent", agent_subscriptions(PLAN.campaign), will=Will(*messages.status(Health.OFFLINE))
        )
        maker = TransactionBuilder(
            stored,
            policy_runner=Attentive(),
            make_request=messages.request,
        )
        transport = RecordedTransport(FencedTransport(link, fence), recording)
        recorder = RunRecorder(recording, transport.write_taken, store)
        await Agent(
            maker=maker,
            store=store,
            transport=transport,
            policy_runner=Attentive(),
            messages=messages,
            request_timeout_s=REQUEST_TIMEOUT_S,
            now=world.now,
            poison_guard=poison_guard,
            write_ahead=recorder.write_ahead,
            on_commit=TransactionLog(logger),
        ).run()


async def simulator_life(world: World) -> None:
    """Assemble a simulator as `simulators.assembly` does, and run it until its agent has ended."""
    run = world.folder / "run"
    settings = SimulatorSettings(
        id=SIMULATOR, concurrency=1, latency=LatencySettings(mean_s=1.0), noise=NoiseSettings(standard_deviation=0.01)
    )
    with contextlib.ExitStack() as parts:
        fence = world.fence("simulator", lambda: world.bus.cut(SIMULATOR), parts.close)
        parts.enter_context(RunLock(run / f"{SIMULATOR}.lock", holder="simulator", advice="end it"))
        ledger = Ledger(world.folder / "witness" / f"{SIMULATOR}.jsonl", SIMULATOR)
        parts.callback(ledger.close)
        outbox = Outbox.open(sqlite_url(run / f"{SIMULATOR}.db"))
        parts.callback(outbox.close)
        fence.on_death.insert(0, dropping(outbox))
        poison_guard = PoisonMessageGuard(run / f"{SIMULATOR}.in_process")
        parts.callback(poison_guard.close)
        will = Will(*status_message(PLAN.campaign, SIMULATOR, Health.OFFLINE, world.clock(), message_id=world.new_id()))
        filters = simulator_subscriptions(SIMULATOR, campaign=PLAN.campaign, shared=True)
        link = world.bus.transport(SIMULATOR, filters, will=will)
        executor: Executor = LedgeredExecutor(GoldenExecutor(fence), ledger)
        service = SimulatorService(
            settings,
            campaign=PLAN.campaign,
            outbox=outbox,
            transport=FencedTransport(LedgeredTransport(link, ledger), fence),
            executor=executor,
            clock=world.clock,
            poison_guard=poison_guard,
            new_id=world.new_id,
            jitter=random.Random(SEED),
        )
        ending = asyncio.create_task(_end_after_the_agent(world, service))
        try:
            await service.run()
        finally:
            ending.cancel()


def dropping(memory: Store | Outbox) -> Callable[[], None]:
    """Return what makes a database forget the open transaction and refuse everything else, as a death does."""
    raw: Any = memory._connection.connection.dbapi_connection

    def drop() -> None:
        raw.rollback()
        raw.close()

    return drop


async def _end_after_the_agent(world: World, service: SimulatorService) -> None:
    await world.agent_done.wait()
    await asyncio.sleep(LAST_RECEIPTS_S)
    service.request_shutdown()


async def _stranger(world: World) -> None:
    """Bother both sides; see the top. After a restart everything is said again, as a stubborn client would."""
    results = str(Topic(PLAN.campaign, Channel.RESULT, SIMULATOR))
    link = world.bus.transport("stranger", (results,))
    running = asyncio.create_task(link.run())
    opening = asyncio.create_task(_say(link, results))
    repeated: set[bytes] = set()
    try:
        while True:
            item = await link.receive()
            if not isinstance(item, Delivery):
                continue
            link.acknowledge(item)
            if item.payload in repeated or item.payload == BAD_MESSAGE:
                continue
            repeated.add(item.payload)
            await _until_heard(link, item.topic, item.payload)
            if len(repeated) in LINKS_CUT:
                world.bus.cut(LINKS_CUT[len(repeated)])
    finally:
        for task in (running, opening):
            task.cancel()
        await asyncio.gather(running, opening, return_exceptions=True)


async def _say(link: Transport, results: str) -> None:
    """Say one bad thing to each side, and pause the campaign for a moment."""
    await asyncio.sleep(0.1)
    for topic in (results, str(Topic(PLAN.campaign, Channel.REQUEST, SIMULATOR))):
        await _until_heard(link, topic, BAD_MESSAGE)
    for action in (ControlAction.PAUSE, ControlAction.RESUME):
        message = Control(campaign=PLAN.campaign, message_id=action.value, sent_at=RAN_AT, action=action)
        await _until_heard(link, topic_of(message), encode(message))
        await asyncio.sleep(0.2)


def _orders() -> Iterator[Control]:
    """Yield what the operator orders, in order, when two decisions wait: the last two let the campaign go on.

    None of it touches a candidate of these two; so what is decided depends on no moment at which an order comes.
    """
    free = [which for which in POOL.candidate_ids if which not in START and which not in HELD]
    value = Quantity(name=PROPERTY, value=0.5, unit=UNIT)
    several = tuple(AddedResult(candidate_id=each, quantity=value) for each in free[1:3])
    new = AddedCandidate(candidate_id="new", family=POOL.families[0], features=(0.0,) * len(POOL.feature_names))
    orders: tuple[tuple[ControlAction, dict[str, Any]], ...] = (
        (ControlAction.RETRACT_OBSERVATION, {"candidate_id": START[0]}),
        (ControlAction.AMEND_OBSERVATION, {"candidate_id": START[1], "quantity": value}),
        (ControlAction.ADD_OBSERVATION, {"candidate_id": free[0], "quantity": value}),
        (ControlAction.ADD_OBSERVATIONS, {"quantities": several}),
        (ControlAction.EXCLUDE_CANDIDATE, {"candidate_id": free[3]}),
        (ControlAction.REQUEUE_CANDIDATE, {"candidate_id": START[0]}),
        (ControlAction.RETRACT_OBSERVATION, {"candidate_id": START[0]}),  # refused: it has none any more
        (ControlAction.ADD_CANDIDATES, {"candidates": (new,)}),  # refused: a closure does not grow
        (ControlAction.SET_BUDGET, {"budget": PLAN.budget + 1}),
        (ControlAction.PAUSE, {}),
        (ControlAction.RESUME, {}),
        (ControlAction.VETO_DECISION, {"decision": 0}),
        (ControlAction.APPROVE_DECISION, {"decision": 1}),
    )
    for number, (action, fields) in enumerate(orders):
        yield Control(
            campaign=PLAN.campaign,
            message_id=f"order-{number}",
            sent_at=RAN_AT,
            action=action,
            operator=OPERATOR,
            **fields,
        )


async def _operator(world: World) -> None:
    """Give all orders, each until its receipt; after a restart again, as whoever does not know what was heard."""
    link = world.bus.transport(OPERATOR, operator_subscriptions(PLAN.campaign, OPERATOR))
    running = asyncio.create_task(link.run())
    heard, decided, news = set[str](), [0], asyncio.Event()

    async def listen() -> None:
        while True:
            item = await link.receive()
            if isinstance(item, Delivery):
                link.acknowledge(item)
                message = decode(item.topic, item.payload)
                if isinstance(message, ControlReceipt):
                    heard.add(str(message.answers))
                elif isinstance(message, CampaignState):
                    decided[0] = message.decision
                news.set()

    listening = asyncio.create_task(listen())
    try:
        while decided[0] < len(HELD):
            await news.wait()
            news.clear()
        for order in _orders():
            while order.message_id not in heard:
                await _until_heard(link, topic_of(order), encode(order))
                await asyncio.sleep(ORDER_EVERY_S)
    finally:
        for task in (running, listening):
            task.cancel()
        await asyncio.gather(running, listening, return_exceptions=True)


async def _until_heard(link: Transport, topic: str, payload: bytes) -> None:
    while True:
        try:
            return await link.publish(topic, payload)
        except LinkLost:
            await asyncio.sleep(0.1)


BAD_MESSAGE: Final = b'{"type": "nonsense", "value": NaN}'
LINKS_CUT: Final = {2: "agent", 3: SIMULATOR}
"""After how many answers whose link is cut."""


async def _lives(world: World, side: str, life: Callable[[World], Any]) -> None:
    """Live; when this side died alone, live again in the same world."""
    SIDE.set(side)
    while True:
        try:
            await life(world)
        except BaseException:
            fence = world.fences.get(side)
            if fence is None or not fence.up:
                raise
            fence.up = False
            continue
        return


async def campaign(folder: Path, on_world: Callable[[World], None] = lambda _world: None) -> None:
    """Play the golden campaign in a folder to its end, or what is left of it.

    Args:
        folder: Where everything is kept.
        on_world: Called with the world before anything runs in it.

    Raises:
        StoreError: When a side's memory refuses; the other side ends with it.
    """
    world = World(folder)
    on_world(world)
    others = [asyncio.create_task(_stranger(world)), asyncio.create_task(_operator(world))]

    async def agent() -> None:
        await _lives(world, "agent", agent_life)
        world.agent_done.set()

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(agent())
            group.create_task(_lives(world, "simulator", simulator_life))
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None
    finally:
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def play(folder: Path, on_world: Callable[[World], None] = lambda _world: None) -> None:
    """Play it in virtual time; see `campaign`."""
    run_in_virtual_time(campaign(folder, on_world), seed=SEED)
