"""An operator believes what answers its own order, asks again until it is answered, and says what it knows if not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from protocols.errors import BrokerError
from protocols.link.transport import Delivery, LinkLost, NobodyListens, PublishRefused
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import (
    CampaignPhase,
    CampaignState,
    Control,
    ControlAction,
    ControlReceipt,
    ControlStatus,
    Health,
    Message,
    Status,
)
from scenarios.control.sender import Answer, Fate, OrderSender, subscriptions_for
from tests.support.campaigns import NOW
from tests.support.memory_bus import MemoryBus
from tests.support.samples.keys import RING

CAMPAIGN, WHO = "lab", "ann"
SAID: dict[str, Any] = {"campaign": CAMPAIGN, "sent_at": NOW}
SIGNED = Signing(KeyRing(operators={WHO: b"k" * 32}))

Said = Callable[[Control], list[Message]]


def order(message_id: str = "order-1", action: ControlAction = ControlAction.PAUSE) -> tuple[Control, str]:
    return Control(message_id=message_id, action=action, operator=WHO, **SAID), ""


def receipt(control: Control, **changed: object) -> ControlReceipt:
    told: dict[str, Any] = {
        "answers": control.message_id,
        "status": ControlStatus.ACCEPTED,
        "row": 7,
        "digest": "a" * 64,
    }
    return ControlReceipt(message_id=fresh_id(), operator=WHO, **SAID, **(told | changed))


async def asked(
    *orders: tuple[Control, str],
    says: Said = lambda control: [receipt(control)],
    signing: Signing = UNSIGNED,
    agents: Signing = UNSIGNED,
    kept: tuple[Message, ...] = (),
    timeout_s: float = 5.0,
) -> tuple[tuple[Answer, ...], list[Control]]:
    """Give orders to an agent that says what it is told to; return the answers, and what it heard."""
    bus = MemoryBus()
    heard: list[Control] = []
    agent = SignedTransport(bus.transport("agent", (f"entropilot/v1/{CAMPAIGN}/control/+",)), agents)
    operator = SignedTransport(bus.transport("ann", subscriptions_for(CAMPAIGN, WHO)), signing)

    async def play() -> None:
        while True:
            item = await agent.receive()
            if isinstance(item, Delivery):
                control = decode(item.topic, item.payload)
                assert isinstance(control, Control)
                heard.append(control)
                agent.acknowledge(item)
                for message in says(control):
                    await agent.publish(topic_of(message), encode(message))  # type: ignore[arg-type]

    tasks = [asyncio.create_task(agent.run()), asyncio.create_task(play())]
    await asyncio.sleep(0)
    for message in kept:
        while True:
            try:
                await agent.publish(topic_of(message), encode(message), retain=True)  # type: ignore[arg-type]
                break
            except LinkLost:
                await asyncio.sleep(0.001)
    try:
        sender = OrderSender(operator, signs=signing.has_keys, timeout_s=timeout_s, clock=lambda: NOW)
        return await sender.send(orders), heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_the_agent_says_is_told_with_the_number_of_its_row() -> None:
    (answer,), heard = await asked(order())
    assert (answer.fate, answer.row, answer.digest) == (Fate.ACCEPTED, 7, "a" * 64)
    assert [each.message_id for each in heard] == ["order-1"]


async def test_a_refusal_keeps_no_other_order_back() -> None:
    def says(control: Control) -> list[Message]:
        if control.message_id == "order-1":
            return [receipt(control, status=ControlStatus.REFUSED, detail="no", row=None, digest=None)]
        return [receipt(control, status=ControlStatus.DUPLICATE)]

    answers, _ = await asked(order("order-1"), order("order-2"), says=says)
    assert [(each.fate, each.detail) for each in answers] == [(Fate.REFUSED, "no"), (Fate.DUPLICATE, "")]


async def test_an_order_goes_out_again_under_its_id_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.control.sender.AGAIN_S", 0.01)
    times = iter((False, False, True))
    (answer,), heard = await asked(order(), says=lambda control: [receipt(control)] if next(times) else [])
    assert (answer.fate, [each.message_id for each in heard]) == (Fate.ACCEPTED, ["order-1"] * 3)


async def test_after_silence_nothing_more_is_sent_and_what_is_known_is_told() -> None:
    state = CampaignState(
        message_id="s", phase=CampaignPhase.PAUSED, reason="lunch", budget=9, spent=1, in_flight=0, abandoned=0,
        decision=1, observation=1, **SAID,
    )  # fmt: skip
    there = Status(message_id="t", client="agent", role="agent", health=Health.OFFLINE, **SAID)
    (first, second), heard = await asked(
        order("order-1"), order("order-2"), says=lambda _: [], kept=(state, there), timeout_s=0.2
    )
    assert (first.fate, second.fate) == (Fate.NO_ANSWER, Fate.NOT_SENT)
    assert "the agent is away" in first.detail
    assert "the campaign is paused (lunch)" in first.detail
    assert {each.message_id for each in heard} == {"order-1"}


async def test_an_answer_to_another_order_is_none() -> None:
    (answer,), _ = await asked(
        order(),
        says=lambda control: [receipt(control, answers="order-9"), receipt(control, answers=None)],
        timeout_s=0.2,
    )
    assert answer.fate is Fate.NO_ANSWER


async def test_with_a_key_only_a_receipt_that_is_signed_with_it_is_believed() -> None:
    (signed,), _ = await asked(order(), signing=SIGNED, agents=SIGNED)
    assert signed.fate is Fate.ACCEPTED
    strange = Signing(KeyRing(operators={WHO: b"x" * 32}))
    for agents in (UNSIGNED, strange, Signing(RING)):
        (answer,), _ = await asked(order(), signing=SIGNED, agents=agents, timeout_s=0.3)
        assert answer.fate is Fate.NO_ANSWER
        assert "receipts were not believed" in answer.detail


class Deaf:
    """A link over which nothing gets out, for a reason."""

    def __init__(self, why: Exception) -> None:
        self._why = why
        self._told = False

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def receive(self) -> object:
        from protocols.link.transport import LinkUp

        if not self._told:
            self._told = True
            return LinkUp(session_present=False)
        await asyncio.Event().wait()
        return None

    def acknowledge(self, delivery: Delivery) -> None:
        raise AssertionError

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        raise self._why

    async def close(self) -> None:
        pass


async def test_where_nobody_listens_nothing_has_changed_and_an_unconfirmed_order_may_be_carried_out() -> None:
    for why, fate, words in (
        (NobodyListens(), Fate.NOT_SENT, "nothing has changed"),
        (LinkLost(), Fate.NO_ANSWER, "has not confirmed it"),
    ):
        sender = OrderSender(Deaf(why), signs=False, timeout_s=0.05)  # type: ignore[arg-type]
        (answer,) = await sender.send([order()])
        assert (answer.fate, words in answer.detail) == (fate, True)


async def test_an_order_that_the_broker_refuses_ends_the_command() -> None:
    sender = OrderSender(Deaf(PublishRefused("t", "not authorised")), signs=False, timeout_s=1.0)  # type: ignore[arg-type]
    with pytest.raises(BrokerError, match="not authorised"):
        await sender.send([order()])
