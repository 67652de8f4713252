"""The processes: the real agent and the real simulators, put together as their assemblies do it, on virtual ports.

Every start opens the same files as the start before. A death shuts store and link first, then the tasks unwind without
effect; the note of what was being handled (`protocols.link.poison_guard`) stays as it was, as it would after SIGKILL.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from agent.acquisition.base import AcquisitionContext, Policy, Proposal
from agent.loop import INBOX_SIZE, MAX_INPUTS_PER_COMMIT, Agent
from agent.runtime.messages import MessageBuilder
from agent.runtime.outbound import MAX_PENDING_SENDS
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.resume import begin, remember, require_same_plan, take_up
from agent.runtime.transaction import Input, Transaction, TransactionBuilder
from agent.store.commit import Commit
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery, Incoming, Transport, Will
from protocols.signing.status_order import StatusOrder
from protocols.signing.transport import SignedTransport
from protocols.storage.database import sqlite_url
from protocols.wire.messages import CandidateRequest, Health, ReceiptStatus
from protocols.wire.topics import AGENT_CLIENT, agent_subscriptions, simulator_subscriptions
from simulators.evaluator import Measurement
from simulators.executors.executor import Executor
from simulators.instrument.calibration import InstrumentAge
from simulators.messages import status_message
from simulators.outbox import Answer, AttemptProgress, Change, Outbox
from simulators.service import INBOX_SIZE as SIMULATOR_INBOX_SIZE
from simulators.service import MAX_WAITING, SimulatorService
from simulators.settings import SimulatorSettings
from tests.simulation.broker import SimBroker
from tests.simulation.lab import SimExecutor
from tests.simulation.link import Link
from tests.simulation.terms import Terms
from tests.simulation.world import Life, World
from tests.support.campaigns import state_of, value_of
from tests.support.checker.ledger import Ledger, LedgeredExecutor, LedgeredTransport

AGENT = "agent"


class MortalStore(Store):
    """The agent's store; its process may die before or after a commit."""

    life: Life

    def append_at_once(self, commit: Commit, *, now: str) -> None:
        """Write one step, and tell the world what a reader of the database could now see."""
        if commit.is_empty:
            self.life.require()
            return
        self.life.point("commit", "before a commit")
        super().append_at_once(commit, now=now)
        world = self.life.world
        world.trace("commit", self.sequence, self.digest[:12])
        world.count("commits")
        world.witnessed.append((self.sequence, self.digest))
        self.life.point("commit", "after a commit")


class MortalOutbox(Outbox):
    """A simulator's memory; the same."""

    life: Life

    @classmethod
    def of(cls, life: Life, path: Path) -> Self:
        outbox = cls.open(sqlite_url(path))
        outbox.life = life
        return outbox

    def find(self, attempt_id: str) -> tuple[AttemptProgress, Answer] | None:
        self.life.require()
        return super().find(attempt_id)

    def write(self, changes: Iterable[Change], *, now: str, age: InstrumentAge | None = None) -> None:
        changes = tuple(changes)
        if not changes:
            self.life.require()
            return
        self.life.point("commit", "before a simulator's commit")
        super().write(changes, now=now, age=age)
        self.life.world.count("simulators' commits")
        self.life.point("commit", "after a simulator's commit")


class WatchedMaker(TransactionBuilder):
    """Looks at the state before and after every bad message: nothing may have changed (I9)."""

    world: World

    def take(self, step: Transaction, item: Input) -> None:
        if not isinstance(item, Delivery) or not self.world.is_bad(item):
            super().take(step, item)
            return
        before = self._touchable(step)
        super().take(step, item)
        self.world.count("bad messages met by the agent")
        if before != self._touchable(step):
            self.world.touched.append(f"the agent was changed by {item.topic}: {item.payload[:200]!r}")

    def _touchable(self, step: Transaction) -> tuple[Any, ...]:
        """Return all that a bad message must leave alone: whoever sent it may be told that it is refused, no more."""
        told = [receipt for receipt in step.receipts if receipt.status is not ReceiptStatus.REFUSED]
        return state_of(self.campaign), len(step.events), told, len(step.outbox)


class WatchedService(SimulatorService):
    """The same for a lab."""

    world: World

    def _take(self, transaction: Any, delivery: Delivery) -> None:
        before = self._touchable(transaction)
        super()._take(transaction, delivery)
        if self.world.is_bad(delivery):
            self.world.count("bad messages met by labs")
            if before != self._touchable(transaction):
                self.world.touched.append(f"a lab was changed by {delivery.topic}: {delivery.payload[:200]!r}")

    def _touchable(self, transaction: Any) -> tuple[Any, ...]:
        """Return all that a bad message must leave alone: whoever asks may be told that it is no request, no more."""
        kept = [each for each in transaction.to_send if b'"reason":"unreadable_request"' not in each.payload]
        return len(transaction.changes), len(kept), len(self.waiting), list(self.outbound.undelivered)


class Pondering:
    """An acquirer whose policy takes its time (`agent.runtime.policy_runner.PolicyRunner`)."""

    def __init__(self, policy: Policy, world: World, mean_s: float) -> None:
        self._policy = policy
        self._world = world
        self._mean_s = mean_s

    def propose_inline(self, context: AcquisitionContext, count: int) -> None:
        return

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        await asyncio.sleep(min(8 * self._mean_s, self._world.rng.expovariate(1 / self._mean_s)))
        return self._policy.propose(context, count)

    async def close(self) -> None:
        return


class FencedTransport(LedgeredTransport):
    """A lab's ledgered link; a dead lab writes nothing down, and what must change nothing is not written either."""

    def __init__(self, inner: Transport, ledger: Ledger, life: Life) -> None:
        super().__init__(inner, ledger)
        self._life = life

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._life.require()
        await super().publish(topic, payload, retain=retain)

    async def receive(self) -> Incoming:
        item = await self._inner.receive()
        self._life.require()
        if isinstance(item, Delivery) and not self._life.world.is_bad(item):
            self._note_delivery(item)
        return item


class FencedExecutor:
    """The same for its evaluations."""

    def __init__(self, inner: Executor, ledger: Ledger, life: Life) -> None:
        self._inner = LedgeredExecutor(inner, ledger)
        self._life = life

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        self._life.require()
        return await self._inner.evaluate(request)

    async def close(self) -> None:
        await self._inner.close()


class AgentProcess:
    """One life of the agent."""

    def __init__(self, world: World, broker: SimBroker, terms: Terms, folder: Path) -> None:
        self.life = life = Life(world, AGENT)
        pool, plan = terms.pool, terms.plan
        labels = DatasetLabels.of(pool, plan.unit)
        self.store = store = MortalStore.open(sqlite_url(folder / "campaign.db"), labels=labels, now=world.now())
        store.life = life
        life.fences.append(store.close)
        try:
            self.agent = self._assembled(world, broker, terms, folder)
        except BaseException:
            life.kill("its own start")
            raise

    def _assembled(self, world: World, broker: SimBroker, terms: Terms, folder: Path) -> Agent:
        pool, plan, store = terms.pool, terms.plan, self.store
        start = [(which, value_of(which)) for which in terms.start]
        begin(store, pool, plan, start, versions={"entropilot": "simulated"}, now=world.now())
        stored = remember(store, pool)
        require_same_plan(stored.campaign.plan, plan)
        take_up(store, stored, now=world.now())
        messages = MessageBuilder(
            plan, evaluation_deadline_s=terms.evaluation_deadline_s, clock=world.clock, new_id=world.new_id
        )
        policy = terms.policy
        policy_runner = Pondering(policy, world, terms.pondering_s) if terms.pondering_s else InlinePolicyRunner(policy)
        maker = WatchedMaker(
            stored,
            policy_runner=policy_runner,
            make_request=messages.request,
            status_order=StatusOrder((AGENT_CLIENT, messages.instance), began=world.clock()),
        )
        maker.world = world
        will = terms.signing.will(Will(*messages.status(Health.OFFLINE)))
        self.link = Link(broker, self.life, f"{plan.campaign}-agent", agent_subscriptions(plan.campaign), will)
        poison_guard = PoisonMessageGuard(folder / "agent.in_process")
        self.life.fences.append(poison_guard.close)
        return Agent(
            maker=maker,
            store=store,
            transport=SignedTransport(self.link, terms.signing),
            policy_runner=policy_runner,
            messages=messages,
            request_timeout_s=terms.request_timeout_s,
            now=world.now,
            poison_guard=poison_guard,
            on_commit=self._measure,
        )

    def _measure(self, _step: Transaction) -> None:
        agent, world = self.agent, self.life.world
        awaited = len(agent.campaign.in_flight)
        world.gauge("agent: inbox", len(agent.inbox), INBOX_SIZE)
        world.gauge("agent: owed", len(agent.outbound.pending), MAX_PENDING_SENDS + MAX_INPUTS_PER_COMMIT)
        world.gauge("agent: unconfirmed", len(agent.outbound.unconfirmed), agent.campaign.plan.parallel)
        world.gauge("agent: awaited", awaited, agent.campaign.plan.parallel)

    async def run(self) -> None:
        """Run to the end of this life."""
        await self.agent.run()

    def undone(self) -> str:
        """Return what an orderly end left undone, or nothing."""
        agent, store = self.agent, self.store
        if store.sequence != agent.campaign.sequence:
            return f"the journal ends at {store.sequence}, the campaign at {agent.campaign.sequence}"
        kept = {item.attempt_id for item in store.unconfirmed()}
        if kept != set(agent.outbound.unconfirmed):
            return f"the outbox holds {sorted(kept)}, unconfirmed are {sorted(agent.outbound.unconfirmed)}"
        return ""


class SimulatorProcess:
    """One life of a simulator."""

    def __init__(
        self, world: World, broker: SimBroker, terms: Terms, folder: Path, *, name: str, ledger: Ledger
    ) -> None:
        self.life = life = Life(world, name)
        campaign = terms.plan.campaign
        outbox = MortalOutbox.of(life, folder / f"{name}.db")
        life.fences.append(outbox.close)
        ledger.life += 1
        signing = terms.signing.part_of(name)
        said = status_message(campaign, name, Health.OFFLINE, world.clock(), message_id=world.new_id())
        will = signing.will(Will(*said))
        filters = simulator_subscriptions(name, campaign=campaign, shared=True)
        self.link = Link(broker, life, f"{campaign}-{name}", filters, will)
        poison_guard = PoisonMessageGuard(folder / f"{name}.in_process")
        life.fences.append(poison_guard.close)
        self.service = WatchedService(
            SimulatorSettings(id=name, evaluator="a:B", concurrency=terms.concurrency),
            campaign=campaign,
            outbox=outbox,
            transport=FencedTransport(SignedTransport(self.link, signing), ledger, life),
            executor=FencedExecutor(SimExecutor(terms.lab, life, lambda: not world.faulty), ledger, life),
            clock=world.clock,
            poison_guard=poison_guard,
            require_signatures=signing.has_keys,
            on_event=self._measure,
            new_id=world.new_id,
            jitter=random.Random(f"jitter-{world.seed}-{name}-{ledger.life}"),
        )
        self.service.world = world

    def _measure(self, *_told: Any, **_fields: Any) -> None:
        world = self.life.world
        world.count("messages refused by simulators")
        self.measure()

    def measure(self) -> None:
        """Note the lengths of its queues."""
        world, service = self.life.world, self.service
        world.gauge("simulator: inbox", len(service.inbox), SIMULATOR_INBOX_SIZE)
        world.gauge("simulator: waiting", len(service.waiting), 2 * MAX_WAITING)

    async def run(self) -> None:
        """Run to the end of this life."""
        await self.service.run()

    def undone(self) -> str:
        """Return what an orderly end left undone, or nothing."""
        known = {answer.attempt_id for answer in self.service._outbox.undelivered()}
        missing = set(self.service.outbound.undelivered) - known
        return f"answers that are not in the outbox: {sorted(missing)}" if missing else ""
