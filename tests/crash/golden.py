"""The golden campaign: small, eventful, the same every time, and every crash test disturbs it.

The real agent and the real simulator, each with its own files, over the bus in memory and in virtual time. Its story:
a pool of 20, eight decisions, two in flight, addressed in turn to the simulator by name, to any, and to an instrument
that is not there, comes for a moment, and leaves with what it was asked. The first attempt of decision 1 fails, that of
decision 3 breaks the contract, that of decision 4 has no answer and expires. An operator pauses the campaign and
resumes it; old orders to stop are not obeyed. A stranger sends a bad message to each side, repeats every request and
every answer, damages and contradicts the first that were accepted, and cuts each link once. The policy chooses by a
digest of all that it was shown, so a decision that saw anything else is another decision. The first two
decisions wait for approval, and meanwhile an operator gives an order of every kind but a stop, each until its receipt.

    folder/run       what the system keeps: databases, locks, notes, recording, log
    folder/witness   the ledger, outside the system
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import CampaignPlan
from agent.loop import Agent
from agent.runtime.log import TransactionLog, open_log
from agent.runtime.messages import MessageBuilder
from agent.runtime.recorder import RunRecorder
from agent.runtime.resume import begin, remember, require_same_plan, take_up
from agent.runtime.transaction import TransactionBuilder
from agent.store.store import Store
from protocols.concurrency.task_group_errors import first_failure
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery, Incoming, LinkLost, Transport, Will
from protocols.recording import writer as recordings
from protocols.recording.recorded_transport import RecordedTransport
from protocols.recording.writer import RecordingWriter
from protocols.storage.database import sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    AddedCandidate,
    AddedResult,
    CampaignState,
    CandidateRequest,
    CandidateResult,
    Control,
    ControlAction,
    ControlReceipt,
    FailureReason,
    Health,
    Message,
    Quantity,
    ReceiptStatus,
    ResultReceipt,
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
from simulators.executors.executor import Executor
from simulators.instrument.jumps import JumpSettings
from simulators.instrument.latency import LatencySettings
from simulators.instrument.noise import NoiseSettings
from simulators.messages import status_message
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
PASSER_BY: Final = "simulator-2"
"""An instrument of the plan that is there for a moment only, and answers nothing."""

POOL: Final = small_closure(5)
METERED_BY: Final = "causal"
"""Whose metrics are kept beside those of the bias: what a causal campaign writes is killed at every line as well."""

PLAN: Final[CampaignPlan] = small_plan(
    POOL,
    budget=8,
    parallel=2,
    recipients=(SIMULATOR, ANY_SIMULATOR, PASSER_BY),
    policy="attentive",
    approval=ApprovalSettings(required="first_n", first=2),
    metrics_of=METERED_BY,
    metrics=declared_metrics(METERED_BY, {}, UNIT, pool_arrays(POOL)),
)
START: Final = ("c000", "c001", "c005")
OPERATOR: Final = "ada"
HELD: Final = ("c015", "c014")
"""What the first two decisions choose, and hold until somebody approves them."""
FAILING_DECISION: Final = 1
REFUSED_DECISION: Final = 3
SILENT_DECISION: Final = 4
OUT_OF_RANGE: Final = 99.0
"""A value that the plan's valid range does not hold."""

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
    """Measures in half a second what stands in the request; decisions 1, 3 and 4 go wrong once."""

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
        if request.attempt == 1 and request.decision == REFUSED_DECISION:
            return Measurement((Quantity(name=PROPERTY, value=OUT_OF_RANGE, unit=UNIT),))
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
        take_up(store, stored, now=world.now())
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
        id=SIMULATOR,
        evaluator="a:B",  # the executor below evaluates; of a class of somebody's own nothing is announced
        concurrency=1,
        latency=LatencySettings(mean_s=1.0),
        noise=NoiseSettings(standard_deviation=0.01, per="candidate"),  # its twins have no crash, and fewer attempts
        # It counts its measurements, in its memory; the jump is so far away that twins tell the same values.
        jumps=JumpSettings(at=(1_000_000,), offset=0.1),
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
    channels = (Channel.RESULT, Channel.REQUEST, Channel.RECEIPT)
    results, requests, receipts = (str(Topic(PLAN.campaign, channel, SIMULATOR)) for channel in channels)
    link = world.bus.transport("stranger", (results, requests, receipts))
    running = [asyncio.create_task(link.run()), asyncio.create_task(_say(link, results, requests))]
    answers: dict[bytes, CandidateResult] = {}
    repeated: set[bytes] = {BAD_MESSAGE}
    try:
        async for item in _unheard(link, repeated):
            if item.topic == receipts:
                for payload in _spoilt(decode(item.topic, item.payload), answers.values()):
                    repeated.add(payload)
                    await _until_heard(link, results, payload)
                continue
            await _until_heard(link, item.topic, item.payload)
            if item.topic == requests:
                continue
            if isinstance(answer := decode(item.topic, item.payload), CandidateResult):
                answers[item.payload] = answer
            if (heard := len(answers)) in LINKS_CUT:
                world.bus.cut(LINKS_CUT[heard])
            if heard == PASSES_BY_AFTER:
                running.append(asyncio.create_task(_pass_by(world, link)))
    finally:
        for task in running:
            task.cancel()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _unheard(link: Transport, heard: set[bytes]) -> AsyncIterator[Delivery]:
    """Yield what comes for the first time, and note it."""
    while True:
        item = await link.receive()
        if isinstance(item, Delivery):
            link.acknowledge(item)
            if item.payload not in heard:
                heard.add(item.payload)
                yield item


async def _say(link: Transport, results: str, requests: str) -> None:
    """Say one bad thing to each side, give old orders, and pause the campaign for a moment."""
    order = Control(campaign=PLAN.campaign, message_id="old", sent_at=RAN_AT, action=ControlAction.STOP)
    old = order.model_copy(update={"sent_at": RAN_AT - timedelta(days=1)})
    await asyncio.sleep(0.1)
    await _until_heard(link, results, BAD_MESSAGE)
    await _until_heard(link, requests, BAD_MESSAGE)
    await _until_heard(link, requests, encode(old))
    await _until_heard(link, topic_of(old), encode(old), retain=True)  # heard again with the agent's next connect
    await _until_heard(link, str(Topic(PLAN.campaign, Channel.STATUS, "nobody")), b"")
    for action in (ControlAction.PAUSE, ControlAction.RESUME):
        message = order.model_copy(update={"message_id": action.value, "action": action})
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


def _spoilt(receipt: Message, answers: Iterable[CandidateResult]) -> Iterator[bytes]:
    """Yield a damaged and a contradicting answer in the name of an instrument whose value is in the journal."""
    if not isinstance(receipt, ResultReceipt) or receipt.status is not ReceiptStatus.ACCEPTED:
        return
    for answer in answers:
        if answer.message_id == receipt.answers:
            damaged = answer.model_copy(update={"message_id": f"damaged-{answer.message_id}"})
            yield encode(damaged).replace(b"{", b'{"nonsense":1,', 1)
            other = tuple(each.model_copy(update={"value": each.value / 2.0}) for each in answer.quantities)
            yield encode(answer.model_copy(update={"message_id": f"other-{answer.message_id}", "quantities": other}))


async def _pass_by(world: World, link: Transport) -> None:
    """Let the second instrument be there for a moment: it is given work then, which somebody else must do."""
    for health in (Health.ONLINE, Health.OFFLINE):
        said = status_message(PLAN.campaign, PASSER_BY, health, world.clock(), message_id=world.new_id())
        await _until_heard(link, *said, retain=True)
        await asyncio.sleep(STAYS_S)


async def _until_heard(link: Transport, topic: str, payload: bytes, *, retain: bool = False) -> None:
    while True:
        try:
            return await link.publish(topic, payload, retain=retain)
        except LinkLost:
            await asyncio.sleep(0.1)


BAD_MESSAGE: Final = b'{"type": "nonsense", "value": NaN}'
LINKS_CUT: Final = {2: "agent", 3: SIMULATOR}
"""After how many results whose link is cut."""

PASSES_BY_AFTER: Final = 1
"""After how many results the second instrument comes."""

STAYS_S: Final = 4.0
"""How long it stays: until it was asked."""


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
    """Play it in virtual time, which the recording has as well; see `campaign`."""
    virtual_clock = type("VirtualClock", (), {"monotonic": staticmethod(lambda: asyncio.get_running_loop().time())})
    with patch.object(recordings, "time", virtual_clock):
        run_in_virtual_time(campaign(folder, on_world), seed=SEED)
