"""What the agent sends: repeated until it is sure, bounded while it is on its way, and orderly at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agent.acquisition.baselines import UniformRandom
from agent.campaign.decide import ResultAck
from agent.campaign.events import CampaignPaused, CampaignStarted, RequestExpired, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.campaign.people.controls import ControlAck
from agent.runtime import outbound as outbound_module
from agent.runtime.messages import MessageBuilder
from agent.runtime.outbound import (
    MAX_PENDING_SENDS,
    METRICS_REPORT_EVERY_S,
    RETRY_REQUEST_S,
    SHUTDOWN_GRACE_S,
    STATE_EVERY_S,
    Outbound,
)
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.store.commit import JournalHead
from agent.store.store import JournalView
from agent.store.tables import JournalRow
from protocols.errors import BrokerError
from protocols.link.election import LISTEN_S
from protocols.link.transport import LinkLost, PublishRefused
from protocols.wire.codec import decode
from protocols.wire.messages import (
    CampaignState,
    ControlReceipt,
    ControlStatus,
    Health,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import Channel, parse
from tests.support.campaigns import NOW, SENT_AT, small_plan, small_pool, value_of
from tests.support.virtual_loop import run_in_virtual_time

POOL = small_pool()
START = ("c000", "c001")


class Link:
    """A transport whose every publish ends as the test says."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.ends: list[Exception] = []
        """How the next publishes end; the others are confirmed."""
        self.refuses: frozenset[Channel] = frozenset()
        self.answers = asyncio.Event()
        self.answers.set()
        self.closed = False

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.published.append((topic, payload))
        if any(f"/{each.value}" in topic for each in self.refuses):
            raise PublishRefused(topic, "not authorized")
        await self.answers.wait()
        if self.ends:
            raise self.ends.pop(0)

    async def close(self) -> None:
        self.closed = True

    def on(self, channel: Channel) -> list[bytes]:
        return [payload for topic, payload in self.published if parse(topic).channel is channel]


class Bench:
    """A campaign that has just asked for its first candidates, and its sends."""

    def __init__(self, **plan: Any) -> None:
        self.link = Link()
        terms = small_plan(POOL, **plan)
        messages = MessageBuilder(terms, evaluation_deadline_s=60.0, clock=lambda: NOW)
        self.maker = TransactionBuilder(
            Ledger(POOL), policy_runner=InlinePolicyRunner(UniformRandom()), make_request=messages.request
        )
        self.transaction = Transaction()
        self.maker.fold(self.transaction, CampaignStarted(terms))
        self.maker.fold(self.transaction, StartSetLoaded(START, tuple(value_of(which) for which in START)))
        self.maker.settle(self.transaction)
        self.rows = 1
        journal = JournalView(self.head, self.row_at)
        self.outbound = Outbound(self.maker, self.link, messages, (), journal)  # type: ignore[arg-type]

    def head(self) -> JournalHead:
        return JournalHead(self.rows, f"{self.rows:064x}")

    @staticmethod
    def row_at(number: int) -> JournalRow | None:
        known = number < 10
        row = JournalRow(sequence=number, kind="", payload="", recorded_at=SENT_AT, digest=str(number)[0] * 64)
        return row if known else None

    def expire(self, attempt_id: str) -> None:
        attempt = self.maker.campaign.attempts[attempt_id]
        self.maker.fold(Transaction(), RequestExpired(attempt_id, attempt.candidate_id))


def played(fold: Callable[[Bench], Coroutine[Any, Any, None]], **plan: Any) -> None:
    """Play a story in virtual time; whatever is on its way afterwards is given up."""

    async def whole() -> None:
        bench = Bench(**plan)
        async with asyncio.TaskGroup() as group:
            bench.outbound.run_in(group)
            await fold(bench)
            bench.outbound.cancel()

    run_in_virtual_time(whole(), seed=3)


async def up(bench: Bench) -> None:
    now = asyncio.get_running_loop().time
    bench.outbound.link_up(now())
    await asyncio.sleep(LISTEN_S + 0.01)
    bench.outbound.tell_state(now())  # as the loop does when that time is over
    await asyncio.sleep(0.01)


def receipts(count: int) -> list[ResultAck]:
    return [ResultAck(f"a-{number}", "simulator-1", ReceiptStatus.ACCEPTED) for number in range(count)]


def test_a_request_waits_for_the_link_and_is_repeated_until_the_broker_confirms_it() -> None:
    async def fold(bench: Bench) -> None:
        (item,) = bench.transaction.outbox
        bench.outbound.send_requests(bench.transaction.outbox)
        assert not bench.link.published
        bench.link.ends = [LinkLost()] * 5  # of status, state and the question what all can do, of the request twice
        await up(bench)
        assert len(bench.link.on(Channel.REQUEST)) == 1
        await asyncio.sleep(3 * RETRY_REQUEST_S)
        assert bench.link.on(Channel.REQUEST) == [item.payload] * 3, "the same message, and no more once confirmed"
        assert bench.outbound.flush_wait_s() is not None
        assert bench.outbound.take_confirmed() == (item.attempt_id,)
        assert bench.outbound.flush_wait_s() is None

    played(fold)


def test_a_request_that_nobody_waits_for_any_more_is_repeated_no_more_and_counts_as_done() -> None:
    async def fold(bench: Bench) -> None:
        (item,) = bench.transaction.outbox
        bench.outbound.send_requests(bench.transaction.outbox)
        bench.link.ends = [LinkLost()] * 100
        await up(bench)
        bench.expire(item.attempt_id)
        bench.outbound.forget_answered()
        assert bench.outbound.take_confirmed() == (item.attempt_id,)
        sent = len(bench.link.on(Channel.REQUEST))
        await asyncio.sleep(5 * RETRY_REQUEST_S)
        assert len(bench.link.on(Channel.REQUEST)) == sent

    played(fold)


@pytest.mark.parametrize(("recipient", "times"), [("simulator-1", 2), ("any", 1)])
def test_a_new_link_repeats_what_one_simulator_can_answer_from_its_store_and_nothing_that_a_second_could_take(
    recipient: str, times: int
) -> None:
    async def fold(bench: Bench) -> None:
        bench.outbound.send_requests(bench.transaction.outbox)
        await up(bench)
        bench.outbound.link_down()
        await up(bench)
        assert len(bench.link.on(Channel.REQUEST)) == times

    played(fold, recipients=(recipient,))


def test_a_broker_that_forbids_to_ask_what_all_can_do_ends_nothing() -> None:
    async def fold(bench: Bench) -> None:
        bench.link.refuses = frozenset({Channel.ANNOUNCE})
        bench.outbound.send_requests(bench.transaction.outbox)
        await up(bench)
        assert len(bench.link.on(Channel.ANNOUNCE)) == len(bench.link.on(Channel.REQUEST)) == 1

    played(fold)


def test_an_attempt_is_never_on_its_way_twice_at_once() -> None:
    async def fold(bench: Bench) -> None:
        bench.link.answers.clear()
        bench.outbound.send_requests(bench.transaction.outbox)
        for _ in range(3):
            await up(bench)
        assert len(bench.link.on(Channel.REQUEST)) == 1

    played(fold)


def test_a_simulator_that_says_that_it_is_there_hears_its_requests_again() -> None:
    async def fold(bench: Bench) -> None:
        bench.outbound.send_requests(bench.transaction.outbox)
        await up(bench)
        for health, times in ((Health.OFFLINE, 1), (Health.ONLINE, 2)):
            word = Status(
                campaign="demo", message_id=health.value, sent_at=NOW, client="simulator-1", role="simulator",
                health=health,
            )  # fmt: skip
            bench.outbound.follow(Transaction(statuses=[word]), asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)
            assert len(bench.link.on(Channel.REQUEST)) == times

    played(fold)


@pytest.mark.parametrize(("recipient", "told"), [("simulator-1", ["simulator-1"]), ("any", ["x", "y"])])
def test_an_attempt_is_withdrawn_from_whom_it_went_to_or_from_all_that_may_have_it(
    recipient: str, told: list[str]
) -> None:
    async def fold(bench: Bench) -> None:
        attempts = list(bench.maker.campaign.in_flight.values())
        bench.outbound.withdraw(attempts, ("x", "y"))
        await up(bench)
        assert not bench.link.on(Channel.RECEIPT), "without a link nothing is said"
        bench.outbound.withdraw(attempts, ("x", "y"))
        await asyncio.sleep(0.01)
        words = [decode(topic, payload) for topic, payload in bench.link.published if "/receipt/" in topic]
        assert sorted(each.simulator for each in words if isinstance(each, ResultReceipt)) == told
        assert {(each.status, each.attempt_id, each.answers) for each in words if isinstance(each, ResultReceipt)} == {
            (ReceiptStatus.WITHDRAWN, attempts[0].attempt_id, None)
        }

    played(fold, recipients=(recipient,))


def test_no_more_receipts_are_on_their_way_than_the_bound_and_who_is_to_end_does_not_wait() -> None:
    async def fold(bench: Bench) -> None:
        await up(bench)
        bench.link.answers.clear()
        bench.outbound.send_receipts(receipts(MAX_PENDING_SENDS))
        waiting = asyncio.create_task(bench.outbound.wait_for_room(unless=lambda: False))
        await asyncio.sleep(60)
        assert not waiting.done()
        assert len(bench.outbound.pending) == MAX_PENDING_SENDS
        async with asyncio.timeout(outbound_module.PENDING_CHECK_S):
            await bench.outbound.wait_for_room(unless=lambda: True)
        bench.link.answers.set()
        await waiting

    played(fold)


def test_the_bias_is_reported_at_most_so_often_and_only_when_it_has_changed() -> None:
    async def fold(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        await up(bench)
        for _ in range(10):
            bench.outbound.follow(bench.transaction, loop.time())
            await asyncio.sleep(METRICS_REPORT_EVERY_S / 4)
        assert len(bench.link.on(Channel.METRICS)) == 3
        await asyncio.sleep(METRICS_REPORT_EVERY_S)
        bench.outbound.follow(Transaction(), loop.time())
        await asyncio.sleep(0.01)
        assert len(bench.link.on(Channel.METRICS)) == 3

    played(fold)


def test_receipts_and_reports_tell_how_the_journal_ended_when_they_were_written() -> None:
    async def fold(bench: Bench) -> None:
        await up(bench)
        for rows in (7, 9):
            bench.rows = rows
            bench.outbound.send_receipts(receipts(2))
            bench.outbound.follow(bench.transaction, asyncio.get_running_loop().time())
            await asyncio.sleep(METRICS_REPORT_EVERY_S)
        for channel, expected in ((Channel.RECEIPT, [7, 7, 9, 9]), (Channel.METRICS, [7, 9])):
            told = [
                decode(topic, payload) for topic, payload in bench.link.published if parse(topic).channel is channel
            ]
            assert [(each.row, each.digest) for each in told] == [(row, f"{row:064x}") for row in expected]  # type: ignore[union-attr]

    played(fold)


def test_the_last_words_are_what_is_pending_the_report_and_that_we_leave() -> None:
    async def fold(bench: Bench) -> None:
        await up(bench)
        bench.outbound.send_receipts(receipts(2))
        await bench.outbound.shut_down()
        channels = [parse(topic).channel for topic, _ in bench.link.published]
        channels.remove(Channel.REQUEST)
        channels.remove(Channel.ANNOUNCE)
        assert channels.index(Channel.STATUS) < 2 > channels.index(Channel.CAMPAIGN), "it says so when the link is up"
        last_words = [Channel.RECEIPT, Channel.RECEIPT, Channel.METRICS, Channel.CAMPAIGN, Channel.STATUS]
        assert channels[2:] == last_words
        last = decode(*bench.link.published[-1])
        assert isinstance(last, Status)
        assert last.health is Health.OFFLINE
        assert bench.link.closed

    played(fold)


@pytest.mark.parametrize("connected", [True, False])
def test_a_broker_that_answers_nothing_does_not_hold_up_the_end(connected: bool) -> None:
    async def fold(bench: Bench) -> None:
        if connected:
            await up(bench)
        bench.link.answers.clear()
        bench.outbound.send_receipts(receipts(2))
        began = asyncio.get_running_loop().time()
        await bench.outbound.shut_down()
        assert asyncio.get_running_loop().time() - began == pytest.approx(SHUTDOWN_GRACE_S if connected else 0.0)
        assert bench.link.closed

    played(fold)


def test_a_broker_that_refuses_a_message_ends_the_agent_with_an_advice() -> None:
    async def fold(bench: Bench) -> None:
        bench.link.ends = [PublishRefused("some/topic", "not authorised")]
        with pytest.raises(BrokerError) as caught:
            await bench.outbound.send("some/topic", b"")
        assert "some/topic" in caught.value.found
        assert "--resume" in caught.value.action

    played(fold)


def states(bench: Bench) -> list[CampaignState]:
    told = [decode(topic, payload) for topic, payload in bench.link.published]
    return [each for each in told if isinstance(each, CampaignState)]


def test_where_the_campaign_stands_is_told_when_it_changes_and_not_more_often_than_that() -> None:
    async def fold(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        await up(bench)
        assert [each.in_flight for each in states(bench)] == [1]
        bench.outbound.follow(Transaction(), loop.time())
        await asyncio.sleep(STATE_EVERY_S)
        assert bench.outbound.state_wait_s(loop.time()) is None
        bench.expire(next(iter(bench.maker.campaign.in_flight)))
        assert bench.outbound.state_wait_s(loop.time()) == 0.0
        bench.outbound.follow(Transaction(), loop.time())
        bench.maker.fold(Transaction(), CampaignPaused("lunch", "m-1"))
        bench.outbound.follow(Transaction(), loop.time())
        waits_s = bench.outbound.state_wait_s(loop.time())
        assert waits_s is not None
        assert 0.0 < waits_s <= STATE_EVERY_S
        await asyncio.sleep(waits_s)
        bench.outbound.follow(Transaction(), loop.time())
        await asyncio.sleep(0.01)
        assert [(each.in_flight, each.reason) for each in states(bench)] == [(1, ""), (0, ""), (0, "lunch")]
        bench.outbound.link_down()
        assert bench.outbound.state_wait_s(loop.time()) is None
        await up(bench)
        assert len(states(bench)) == 4, "a broker that was started again may have forgotten it"

    played(fold)


def test_a_control_is_answered_with_the_digest_of_the_row_that_it_made() -> None:
    async def fold(bench: Bench) -> None:
        acks = [ControlAck("ada", ControlStatus.ACCEPTED, "", f"m-{row}", None, row) for row in (2, 99)]
        bench.outbound.send_control_receipts(acks)
        assert not bench.link.published, "without a link nothing is said"
        await up(bench)
        bench.outbound.send_control_receipts(acks)
        await asyncio.sleep(0.01)
        told = [decode(topic, payload) for topic, payload in bench.link.published if "/receipt/ada" in topic]
        assert {(each.answers, each.row, each.digest) for each in told if isinstance(each, ControlReceipt)} == {
            ("m-2", 2, "2" * 64),
            ("m-99", 99, None),
        }

    played(fold)
