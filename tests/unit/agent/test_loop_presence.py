"""Instruments that come, go, fall silent or were never there: no candidate and no budget is lost to their absence.

The real agent in virtual time, with instruments that do as they are told; its recording is replayed afterwards, and
must make the same journal.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from agent.acquisition.baselines import UniformRandom
from agent.campaign.events import (
    CandidateAbandoned,
    CandidateRequeued,
    Event,
    InstrumentAway,
    InstrumentBack,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
)
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan, Ordering
from agent.loop import Agent
from agent.run_files import RECORDING
from agent.runtime.gathering import HEARING_S
from agent.runtime.presence import MIN_GRACE_S, TOLD_AFTER_S
from agent.runtime.resume import remember, take_up
from protocols.errors import CampaignHalted
from protocols.link.memory.transport import MemoryTransport
from protocols.link.transport import Delivery, Will
from protocols.recording.reader import open_recording
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    CandidateRequest,
    CandidateResult,
    ControlAction,
    Health,
    ReceiptStatus,
    ResultReceipt,
)
from protocols.wire.topics import simulator_subscriptions
from scenarios.replay.follow import Follower
from simulators.messages import status_message
from tests.support.agents import agent_on
from tests.support.campaigns import NOW, SENT_AT, control, quantity, small_plan, small_pool, value_of
from tests.support.memory_bus import MemoryBus
from tests.support.stored_campaigns import opened
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool(24)
TIMEOUT_S = 20.0
E = TypeVar("E")


class Instrument:
    """Answers one request after the other, unless it is silent; its last will says that it left.

    Args:
        bus: The broker.
        name: Its name.
        takes_s: Time of an evaluation [s].
    """

    def __init__(self, bus: MemoryBus, name: str, takes_s: float = 1.0) -> None:
        self.silent = False
        self.asked: list[CandidateRequest] = []
        self.receipts: list[ResultReceipt] = []
        self._name = name
        self._takes_s = takes_s
        self._queue: asyncio.Queue[CandidateRequest] = asyncio.Queue()
        will = status_message("demo", name, Health.OFFLINE, NOW)
        filters = simulator_subscriptions(name, campaign="demo", shared=True)
        self._make: Callable[[], MemoryTransport] = lambda: bus.transport(name, filters, will=Will(*will))
        self._tasks: list[asyncio.Task[Any]] = []

    def come(self) -> None:
        self._link = self._make()
        self._tasks = [asyncio.create_task(each) for each in (self._link.run(), self._hear(), self._work())]
        self.says(Health.ONLINE)

    def says(self, health: Health) -> None:
        """Publish its status."""
        status = self._link.publish(*status_message("demo", self._name, health, NOW), retain=True)
        self._tasks.append(asyncio.create_task(_after_the_connect(status)))

    async def leave(self) -> None:
        """Say goodbye and forget what it was asked."""
        await self._link.publish(*status_message("demo", self._name, Health.OFFLINE, NOW), retain=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.asked, self._queue = [], asyncio.Queue()

    async def _hear(self) -> None:
        while True:
            item = await self._link.receive()
            if not isinstance(item, Delivery):
                continue
            message = decode(item.topic, item.payload)
            if isinstance(message, ResultReceipt):
                self.receipts.append(message)
            elif isinstance(message, CandidateRequest) and message.attempt_id not in self.attempts:
                self.asked.append(message)
                self._queue.put_nowait(message)
            self._link.acknowledge(item)

    @property
    def attempts(self) -> list[str]:
        return [each.attempt_id for each in self.asked]

    async def _work(self) -> None:
        while True:
            request = await self._queue.get()
            await asyncio.sleep(self._takes_s)
            if not self.silent:
                await self.answer(request)

    async def answer(self, request: CandidateRequest) -> None:
        result = CandidateResult(
            campaign="demo", message_id=f"of-{request.attempt_id}", sent_at=NOW, attempt_id=request.attempt_id,
            candidate_id=request.candidate_id, simulator=self._name,
            quantities=(quantity(value_of(request.candidate_id)),), duration_s=self._takes_s,
        )  # fmt: skip
        await self._link.publish(topic_of(result), encode(result))


async def _after_the_connect(work: Coroutine[Any, Any, None]) -> None:
    await asyncio.sleep(0.01)
    await work


class Lab:
    """One campaign over the bus: what happened is read from its files."""

    def __init__(self, folder: Path, **plan: Any) -> None:
        self.folder = folder
        self.bus = MemoryBus()
        self.waited: list[tuple[str, ...]] = []
        usual = {"recipients": ("a", "b"), "parallel": 4, "budget": 8, "ordering": Ordering.AS_COMPLETED}
        self.plan: CampaignPlan = small_plan(POOL, **(usual | plan))

    def instrument(self, name: str, takes_s: float = 1.0) -> Instrument:
        return Instrument(self.bus, name, takes_s)

    async def run(self, beside: Callable[[Agent], Coroutine[Any, Any, None]], *, within_s: float = 600.0) -> float:
        """Run the agent to the end of its campaign, with a story beside it; return how long that took [s]."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with agent_on(
            self.bus, self.folder, POOL, self.plan, request_timeout_s=TIMEOUT_S, on_waiting=self.waited.append
        ) as agent:
            running, story = asyncio.create_task(agent.run()), asyncio.create_task(beside(agent))
            async with asyncio.timeout(within_s):
                await running
            story.cancel()
            await asyncio.gather(story, return_exceptions=True)
        return loop.time() - began

    @property
    def journal(self) -> list[Event]:
        with closing(opened(self.folder / "campaign.db", POOL)) as store:
            return list(store.journal())

    def of_kind(self, kind: type[E]) -> list[E]:
        return [event for event in self.journal if isinstance(event, kind)]

    def assert_all_observed_and_replayed(self) -> None:
        """Every unit of the budget has its value, and the recording makes the same journal again."""
        assert len(self.of_kind(ResultAccepted)) == self.plan.budget
        assert self.of_kind(CandidateAbandoned) == []
        self.assert_replayed()

    def assert_replayed(self) -> None:
        made: list[Event] = []
        ask = UniformRandom().propose
        follower = Follower(POOL, ask, followed=lambda step, _time_s: made.extend(step.events))
        with open_recording(self.folder / RECORDING) as recording:
            for row in recording.rows():
                follower.take(row)
        outcome = follower.finish()
        assert outcome.is_identical, (outcome.lost, outcome.first_difference)
        assert made == self.journal


def told(story: Callable[[], Coroutine[Any, Any, None]], seed: int = 1) -> None:
    run_in_virtual_time(story(), seed=seed)


async def nothing(_agent: Agent) -> None:
    """Let the campaign run."""


seeds = pytest.mark.parametrize("seed", range(4))


@seeds
def test_where_all_are_there_nothing_new_is_journalled(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path)
        for name in ("a", "b"):
            lab.instrument(name).come()
        await lab.run(nothing)
        assert not lab.of_kind(InstrumentAway)
        assert not lab.of_kind(InstrumentBack)
        assert not lab.of_kind(RequestExpired)
        assert lab.waited == []
        assert Counter(each.recipient for each in lab.of_kind(RequestIssued)) == {"a": 4, "b": 4}
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_one_that_never_comes_is_given_nothing_where_another_is_there_from_the_beginning(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, max_attempts=1)
        lab.instrument("a").come()
        assert await lab.run(nothing) < HEARING_S + 12
        assert [each.instrument for each in lab.of_kind(InstrumentAway)] == ["b"]
        assert {each.recipient for each in lab.of_kind(RequestIssued)} == {"a"}
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
@pytest.mark.parametrize("recipients", [("a",), ("a", "b"), ("any",)])
def test_an_agent_that_starts_before_its_lab_waits_and_says_for_whom_and_loses_nothing(
    tmp_path: Path, seed: int, recipients: tuple[str, ...]
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=recipients, max_attempts=1)

        async def late(agent: Agent) -> None:
            await asyncio.sleep(50 * TIMEOUT_S)
            assert agent.waiting_for == recipients
            lab.instrument("a").come()

        took = await lab.run(late, within_s=60 * TIMEOUT_S)
        assert took < 50 * TIMEOUT_S + MIN_GRACE_S + 20
        assert lab.waited[0] == recipients
        assert lab.waited[-1] == ()
        assert not [each for each in lab.of_kind(RequestExpired) if each.costs_attempt]
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_one_that_leaves_with_work_in_its_hands_has_it_taken_over_and_is_told_when_it_is_back(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, budget=16, max_attempts=1)
        steady, other = lab.instrument("a"), lab.instrument("b", takes_s=3.0)

        async def leaves(agent: Agent) -> None:
            steady.come()
            other.come()
            await asyncio.sleep(4.0)
            held = [each for each in agent.campaign.in_flight.values() if each.recipient == "b"]
            await other.leave()
            await asyncio.sleep(MIN_GRACE_S + 1)
            assert agent.campaign.absence.away == {"b": "it says so"}
            assert {each.recipient for each in agent.campaign.in_flight.values()} <= {"a"}
            other.come()
            await asyncio.sleep(0.5)
            withdrawn = {each.attempt_id for each in other.receipts if each.status is ReceiptStatus.WITHDRAWN}
            assert {each.attempt_id for each in held} <= withdrawn

        await lab.run(leaves)
        assert [each.instrument for each in lab.of_kind(InstrumentBack)] == ["b"]
        assert {each.costs_attempt for each in lab.of_kind(RequestExpired)} == {False}
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_the_only_instrument_may_leave_for_as_long_as_it_likes(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",), max_attempts=1)
        only = lab.instrument("a")

        async def leaves(agent: Agent) -> None:
            only.come()
            await asyncio.sleep(2.5)
            await only.leave()
            await asyncio.sleep(TOLD_AFTER_S + 0.5)
            assert agent.waiting_for == ("a",)
            await asyncio.sleep(30 * TIMEOUT_S)
            only.come()

        await lab.run(leaves, within_s=40 * TIMEOUT_S)
        assert not lab.of_kind(RequestExpired)
        assert not lab.of_kind(InstrumentAway)
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_a_queue_that_moves_is_not_taken_for_a_failure(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",), parallel=8, budget=16, max_attempts=1)
        lab.instrument("a", takes_s=0.9 * TIMEOUT_S).come()
        await lab.run(nothing, within_s=30 * TIMEOUT_S)
        assert not lab.of_kind(RequestExpired)
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_an_attempt_that_expired_is_withdrawn_and_so_is_one_whose_value_came_elsewhere(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",), parallel=1, budget=1)
        only = lab.instrument("a")
        only.silent = True

        async def answers_late(_agent: Agent) -> None:
            only.come()
            await asyncio.sleep(TIMEOUT_S + 3)
            await only.answer(only.asked[0])

        await lab.run(answers_late)
        await asyncio.sleep(1)
        statuses = {each.attempt_id: each.status for each in only.receipts}
        first, second = only.attempts
        assert [each.status for each in only.receipts if each.attempt_id == first] == [
            ReceiptStatus.WITHDRAWN, ReceiptStatus.ACCEPTED,
        ]  # fmt: skip
        assert statuses[second] is ReceiptStatus.WITHDRAWN
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_what_a_silent_instrument_cost_comes_back_when_it_is_started_again(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",), parallel=2, budget=6, max_attempts=1, give_up_after=50)
        only = lab.instrument("a")
        only.silent = True

        async def is_repaired(agent: Agent) -> None:
            only.come()
            await asyncio.sleep(1.5 * TIMEOUT_S)
            assert agent.campaign.spent == 2
            await only.leave()
            only.silent = False
            only.come()

        await lab.run(is_repaired)
        assert len(lab.of_kind(CandidateAbandoned)) == len(lab.of_kind(CandidateRequeued)) == 2
        assert len(lab.of_kind(ResultAccepted)) == 6
        lab.assert_replayed()

    told(story, seed)


@seeds
def test_a_campaign_that_paused_itself_gets_back_what_the_silence_cost_when_it_is_resumed(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",), parallel=2, budget=6, max_attempts=1, give_up_after=4)
        only = lab.instrument("a")
        only.silent = True
        only.come()
        with pytest.raises(CampaignHalted):
            await lab.run(nothing)
        only.silent = False
        with closing(opened(tmp_path / "campaign.db", POOL)) as store:
            take_up(store, remember(store, POOL), now=SENT_AT)
        await lab.run(nothing)
        assert len(lab.of_kind(CandidateRequeued)) == len(lab.of_kind(CandidateAbandoned)) >= 4
        assert len(lab.of_kind(ResultAccepted)) == 6
        lab.assert_replayed()

    told(story, seed)


@seeds
def test_a_restart_knows_who_is_away_and_hears_who_is_back(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, budget=16)
        lab.instrument("a").come()

        async def ends_soon(agent: Agent) -> None:
            await asyncio.sleep(HEARING_S + 2)
            agent.request_shutdown()

        await lab.run(ends_soon)
        assert [each.instrument for each in lab.of_kind(InstrumentAway)] == ["b"]
        lab.instrument("b").come()
        await lab.run(nothing)
        assert [each.instrument for each in lab.of_kind(InstrumentBack)] == ["b"]
        assert {each.recipient for each in lab.of_kind(RequestIssued)} == {"a", "b"}
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
def test_a_status_that_flaps_or_is_forged_grows_the_journal_by_little(tmp_path: Path, seed: int) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, budget=16)
        one, other = lab.instrument("a", takes_s=15.0), lab.instrument("b", takes_s=15.0)

        async def flaps(agent: Agent) -> None:
            one.come()
            other.come()
            while agent.campaign.phase is not Phase.FINISHED:
                other.says(Health.OFFLINE)
                await asyncio.sleep(0.4)
                other.says(Health.ONLINE)
                await asyncio.sleep(0.4)

        await lab.run(flaps)
        assert not lab.of_kind(InstrumentAway)
        lab.assert_all_observed_and_replayed()

    told(story, seed)


@seeds
@pytest.mark.parametrize("comes", [True, False], ids=["that left", "that never came"])
def test_a_campaign_that_is_stopped_waits_for_an_absent_instrument_no_longer_than_for_a_silent_one(
    tmp_path: Path, seed: int, *, comes: bool
) -> None:
    async def story() -> None:
        lab = Lab(tmp_path, recipients=("a",))
        only = lab.instrument("a", takes_s=5.0)

        async def is_stopped(agent: Agent) -> None:
            if comes:
                only.come()
                await asyncio.sleep(2.0)
                await only.leave()
            await asyncio.sleep(3 * TIMEOUT_S)
            assert len(agent.campaign.in_flight) == lab.plan.parallel
            operator, order = lab.bus.transport("operator"), control(ControlAction.STOP)
            said = _after_the_connect(operator.publish(topic_of(order), encode(order)))
            await asyncio.gather(operator.run(), said)

        await lab.run(is_stopped, within_s=5 * TIMEOUT_S)
        assert len(lab.of_kind(CandidateAbandoned)) == lab.plan.parallel
        assert not lab.of_kind(CandidateRequeued)
        lab.assert_replayed()

    told(story, seed)
