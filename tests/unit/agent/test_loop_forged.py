"""A thousand tries to forge a value where signatures are required, through the real loop: none of them succeeds.

Two hundred and fifty of each kind: without a key, with another instrument's key, a genuine message that was moved to
another topic or campaign, and a genuine message that is sent again after a correction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from agent.campaign.events import ResultAccepted
from agent.campaign.state import Attempt
from agent.runtime.transaction import Transaction
from protocols.link.transport import Delivery, LinkUp, NobodyListens, Transport
from protocols.signing.envelope import wrap
from protocols.signing.signature import signature
from protocols.signing.transport import SignedTransport
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import CandidateRequest, ControlAction
from protocols.wire.topics import simulator_subscriptions
from tests.support.agents import agent_on
from tests.support.campaigns import control, failure_of, quantity, result_of, small_plan, small_pool, value_of
from tests.support.lab import PATIENCE_S, until
from tests.support.memory_bus import MemoryBus
from tests.support.samples.keys import SIGNING, key_of

POOL = small_pool()
PLAN = small_plan(POOL, budget=5, max_attempts=9, require_signatures=True)
LAB: Final = "simulator-1"
TRIES_OF_A_KIND: Final = 250
FORGED: Final = 9.875
"""A value that the contract lets through, and that no candidate has."""


class Truth:
    """What the agent committed."""

    def __init__(self) -> None:
        self.accepted: dict[str, float] = {}
        self.signers: set[str] = set()
        self.events = 0
        self.quarantined: Counter[str] = Counter()

    def note(self, transaction: Transaction) -> None:
        """Take in a transaction."""
        self.events += len(transaction.events)
        self.quarantined.update(each.reason for each in transaction.quarantined)
        for event in transaction.events:
            if isinstance(event, ResultAccepted):
                self.accepted[event.candidate_id] = event.value
                self.signers.add(event.signed_by)


def without_a_key(attempt: Attempt) -> Iterator[tuple[str, bytes]]:
    """Forge with no key: unsigned, with digits of nothing, and with an envelope that is none."""
    topic, payload = of(result_of(attempt, quantity(FORGED)))
    yield topic, payload
    yield topic, wrap(payload, {LAB: "0" * 64})
    yield topic, b'{"entropilot_signed":1,"signatures":{},"payload":"{}"}'
    yield of(failure_of(attempt))
    yield of(control(ControlAction.STOP))
    yield of(control(ControlAction.STOP, operator="alice"))


def with_another_key(attempt: Attempt) -> Iterator[tuple[str, bytes]]:
    """Forge with another instrument's key, in the name of the one asked and in its own, and as an operator."""
    messages = (
        result_of(attempt, quantity(FORGED)),
        result_of(attempt, quantity(FORGED), simulator="furnace"),
        failure_of(attempt),
        control(ControlAction.STOP, operator="alice"),
        control(ControlAction.STOP, operator="furnace"),
    )
    for topic, payload in map(of, messages):
        digits = signature(key_of("furnace"), topic, payload)
        for name in (LAB, "furnace", "alice", "agent"):
            yield topic, wrap(payload, {name: digits})


def moved(attempt: Attempt) -> Iterator[tuple[str, bytes]]:
    """Move what the right key signed for another topic or another campaign."""
    topic, payload = of(result_of(attempt, quantity(FORGED)))
    places = (
        topic.replace("/demo/", "/demo2/"),
        topic.replace("/result/", "/failure/"),
        topic.replace("/result/", "/status/"),
        topic.replace("/result/", "/receipt/"),
        topic.replace("/result/", "/request/"),
        topic + "0",
    )
    for place in places:
        yield topic, wrap(payload, {LAB: signature(key_of(LAB), place, payload)})
        yield place, wrap(payload, {LAB: signature(key_of(LAB), topic, payload)})


async def test_a_thousand_forged_messages_change_nothing(tmp_path: Path) -> None:
    bus, truth = MemoryBus(), Truth()
    lab = SignedTransport(
        bus.transport(LAB, simulator_subscriptions(LAB, campaign="demo", shared=False)), SIGNING.part_of(LAB)
    )
    stranger = bus.transport("stranger", ("entropilot/v1/demo/result/+",))
    with agent_on(bus, tmp_path, POOL, PLAN, signing=SIGNING, on_commit=truth.note) as agent:
        running = [asyncio.create_task(each.run()) for each in (lab, stranger, agent)]
        for each in (lab, stranger):
            assert isinstance(await each.receive(), LinkUp)

        first = await request(lab)
        attempt = agent.campaign.in_flight[first.attempt_id]
        before = truth.events
        for kind in (without_a_key, with_another_key, moved):
            for topic, payload in islice(cycle(kind(attempt)), TRIES_OF_A_KIND):
                with contextlib.suppress(NobodyListens):
                    await stranger.publish(topic, payload)
        refused = 3 * TRIES_OF_A_KIND - elsewhere(attempt)
        await until(lambda: truth.quarantined.total() >= refused)
        assert set(truth.quarantined) <= {"unsigned", "wrong_signature", "wrong_sender"}
        assert (truth.events, truth.accepted) == (before, {})

        # A genuine result in a wrong unit, corrected by the genuine one that the next attempt brings:
        await lab.publish(*of(result_of(attempt, quantity(1.0, unit="meV/atom"))))
        genuine = [await sent(stranger, {topic_of(result_of(attempt))})]
        again = agent.campaign.in_flight[(await request(lab)).attempt_id]
        await lab.publish(*of(result_of(again)))
        genuine.append(await sent(stranger, {topic_of(result_of(again))}))
        awaited = agent.campaign.in_flight[(await request(lab)).attempt_id]
        before = truth.events
        for payload in islice(cycle(genuine), TRIES_OF_A_KIND):
            await stranger.publish(topic_of(result_of(attempt)), payload)
        await lab.publish(*of(result_of(awaited)))  # behind them all
        await until(lambda: awaited.candidate_id in truth.accepted)
        while not running[2].done():
            asked = asyncio.create_task(request(lab))
            await asyncio.wait({asked, running[2]}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                await lab.publish(*of(result_of(agent.campaign.attempts[asked.result().attempt_id])))
            asked.cancel()
        await asyncio.gather(lab.close(), stranger.close())
        await asyncio.gather(*running)
    assert truth.accepted == {each: value_of(each) for each in truth.accepted}
    assert (len(truth.accepted), truth.signers) == (PLAN.budget, {LAB})


def of(message: object) -> tuple[str, bytes]:
    """Return topic and payload of a message."""
    return topic_of(message), encode(message)  # type: ignore[arg-type]


def elsewhere(attempt: Attempt) -> int:
    """Count the tries that go where the agent does not listen."""
    tried = islice(cycle(moved(attempt)), TRIES_OF_A_KIND)
    return sum("/demo2/" in topic or "/receipt/" in topic or "/request/" in topic for topic, _ in tried)


async def request(lab: Transport) -> CandidateRequest:
    """Return the next new request that the lab hears, which its agent has signed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            item = await lab.receive()
            if isinstance(item, Delivery):
                lab.acknowledge(item)
                message = decode(item.topic, item.payload) if item.signed_by == "agent" else None
                if isinstance(message, CandidateRequest):
                    return message


async def sent(stranger: Transport, topics: set[str]) -> bytes:
    """Return what a stranger hears of the lab's latest answer: the exact bytes, and its own words passed over."""
    latest = b""
    while True:
        try:
            async with asyncio.timeout(0.05):
                item = await stranger.receive()
        except TimeoutError:
            return latest
        if isinstance(item, Delivery):
            stranger.acknowledge(item)
            latest = item.payload if item.topic in topics else latest
