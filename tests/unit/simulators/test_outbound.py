"""What a simulator sends: answers again and again until their receipt, with pauses that grow, and its status."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from protocols.link.transport import PublishRefused
from protocols.wire.codec import decode, encode
from protocols.wire.messages import Health, ReceiptStatus, ResultReceipt, Status
from protocols.wire.topics import EVERY_CAMPAIGN
from simulators.messages import Messages
from simulators.outbound import SAID_AGAIN_S, SHUTDOWN_GRACE_S, STATUS_EVERY_S, Outbound
from simulators.outbox import Answer
from simulators.settings import SimulatorSettings
from tests.support.campaigns import NOW
from tests.support.sample_messages import receipt, result
from tests.support.virtual_loop import run_in_virtual_time

ANSWER = Answer("a-1", "entropilot/v1/demo/result/sim-1", b"an answer")
SETTINGS = SimulatorSettings(id="sim-1", evaluator="a:B", resend_min_s=1.0, resend_max_s=8.0)


class Link:
    """A transport that takes everything, or answers nothing."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.closed = False
        self.refuses = "nothing"
        """Part of the topics on which nobody may say anything."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.published.append((topic, payload))
        if self.refuses in topic:
            raise PublishRefused(topic, "not authorized", expected="an account that may", action="change it")
        await self.answers.wait()

    async def close(self) -> None:
        self.closed = True

    def announced(self) -> list[str]:
        """Topics on which it was said what the simulator can do."""
        return [topic for topic, _ in self.published if "/capabilities/" in topic]

    def health(self) -> list[Health]:
        messages = [decode(*each) for each in self.published if each != (ANSWER.topic, ANSWER.payload)]
        return [each.health for each in messages if isinstance(each, Status)]


def outbound(link: Link, *undelivered: Answer, seed: int = 1, campaign: str | None = "demo") -> Outbound:
    return Outbound(
        SETTINGS,
        link,  # type: ignore[arg-type]
        Messages("sim-1", lambda: NOW),
        campaign=campaign,
        undelivered=undelivered,
        counts=Counter(),
        jitter=random.Random(seed),
    )


def played(fold: Callable[[Link, Outbound], Coroutine[Any, Any, None]], *undelivered: Answer) -> None:
    """Play a story in virtual time; whatever is on its way afterwards is given up."""

    async def whole() -> None:
        link = Link()
        sends = outbound(link, *undelivered)
        group = asyncio.TaskGroup()
        async with group:
            sends.run_in(group)
            await fold(link, sends)
            link.answers.set()

    run_in_virtual_time(whole(), seed=3)


def pauses(seed: int) -> list[float]:
    """The pauses before the repetitions of one answer."""
    found: list[float] = []

    async def fold(link: Link, _: Outbound) -> None:
        sends, now = outbound(link, ANSWER, seed=seed), 100.0
        for _again in range(6):
            sends.send_answers([ANSWER], now)
            wait_s = sends.due["a-1"][0] - now
            found.append(wait_s)
            now += wait_s

    played(fold)
    return found


def test_pauses_between_repetitions_double_up_to_their_bound_and_scatter() -> None:
    for pause, nominal in zip(pauses(1), (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.75 * nominal <= pause <= 1.25 * nominal
    assert pauses(1) != pauses(2)


def test_an_answer_is_due_again_after_its_pause_until_its_receipt() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        assert sends.link_up() == [ANSWER], "what an earlier start has left goes out at once"
        sends.send_answers([ANSWER], 0.0)
        wait_s = sends.wait_s(0.0)
        assert wait_s is not None
        assert sends.pop_due(wait_s - 0.01) == []
        assert sends.pop_due(wait_s) == [ANSWER]
        assert sends.take_receipt(receipt("a-1"))
        assert not sends.take_receipt(receipt("a-1"))
        assert (sends.wait_s(0.0), sends.pop_due(1e9)) == (None, [])

    played(fold, ANSWER)


HELD = Answer("a-1", "entropilot/v1/alloys/result/sim-1", encode(result("a-1", message_id="m-1")))


@pytest.mark.parametrize(
    "another",
    [
        receipt("a-2", answers="m-1"),
        receipt("a-1", answers="m-2"),
        receipt("a-1", answers="m-2", status=ReceiptStatus.REFUSED),
        receipt("a-1", status=ReceiptStatus.REFUSED),
        receipt("a-1", status=ReceiptStatus.WITHDRAWN),
    ],
)
def test_a_receipt_of_another_message_does_not_end_the_repetition(another: ResultReceipt) -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        sends.link_up()
        sends.send_answers([HELD], 0.0)
        for _ in range(3):
            assert not sends.take_receipt(another)
        assert sends.pop_due(1e9) == [HELD]
        assert sends.take_receipt(receipt("a-1", answers="m-1"))

    played(fold, HELD)


def test_an_answer_that_is_refused_goes_out_once_more_and_no_further() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        refused = receipt("a-1", answers="m-1", status=ReceiptStatus.REFUSED)
        sends.link_up()
        sends.send_answers([HELD], 0.0)
        assert not sends.take_receipt(refused)
        assert sends.pop_due(1e9) == [HELD]
        assert sends.take_receipt(refused)
        assert sends.pop_due(1e9) == []

    played(fold, HELD)


def test_without_a_link_nothing_is_sent_and_nothing_is_due() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        sends.send_answers([ANSWER], 0.0)
        await asyncio.sleep(1)
        assert (link.published, sends.wait_s(0.0), sends.pop_due(1e9)) == ([], None, [])

    played(fold, ANSWER)


def test_the_status_is_repeated_until_we_are_to_end() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        sends.link_up()
        ending = asyncio.Event()
        repeating = asyncio.create_task(sends.repeat_status(unless=ending.is_set))
        await asyncio.sleep(2.5 * STATUS_EVERY_S)
        assert link.health() == [Health.ONLINE] * 3
        ending.set()
        await asyncio.sleep(2 * STATUS_EVERY_S)
        assert len(link.health()) == 3
        repeating.cancel()

    played(fold)


@pytest.mark.parametrize("answers", [True, False])
def test_the_last_word_is_that_we_leave_and_a_silent_broker_does_not_hold_it_up(answers: bool) -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        sends.link_up()
        await asyncio.sleep(0.01)
        if not answers:
            link.answers.clear()
        began = asyncio.get_running_loop().time()
        await sends.shut_down()
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.0 if answers else SHUTDOWN_GRACE_S)
        assert link.health()[-1] is Health.OFFLINE
        assert link.closed

    played(fold)


def test_it_says_at_every_connect_what_it_can_do_and_again_when_asked_but_not_without_end() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        sends.say_again(0.0)
        assert not link.published, "without a link nothing is said"
        sends.link_up()
        await asyncio.sleep(0.01)
        assert link.announced() == ["entropilot/v1/demo/capabilities/sim-1"]
        now = asyncio.get_running_loop().time
        for _ in range(4):
            sends.say_again(now())
        await asyncio.sleep(0.01)
        assert len(link.announced()) == 2
        await asyncio.sleep(2 * SAID_AGAIN_S)
        assert len(link.announced()) == 3, "whoever asked in the meantime hears it as well"
        assert link.health() == [Health.ONLINE] * 3

    played(fold)


def test_one_that_serves_every_campaign_says_so_in_place_of_a_campaign() -> None:
    async def fold(link: Link, _: Outbound) -> None:
        sends = outbound(link, campaign=None)
        async with asyncio.TaskGroup() as group:
            sends.run_in(group)
            sends.link_up()
            sends.say_again(10.0)
        assert link.announced() == [f"entropilot/v1/{EVERY_CAMPAIGN}/capabilities/sim-1"] * 2
        assert link.health() == [], "its status is kept elsewhere"

    played(fold)


def test_a_broker_that_forbids_to_say_what_one_can_do_ends_nothing() -> None:
    async def fold(link: Link, sends: Outbound) -> None:
        link.refuses = "/capabilities/"
        sends.link_up()
        await asyncio.sleep(0.01)
        assert link.announced()
        assert link.health() == [Health.ONLINE]

    played(fold)
