"""Before the first work of several instruments is given out, it is heard for a moment who is there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.runtime.gathering import ANNOUNCING_S, HEARING_S, Gathering
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.wire.messages import Health
from simulators.messages import Messages, status_message
from tests.support.campaigns import NOW
from tests.support.virtual_loop import run_in_virtual_time


def word(client: str, health: Health = Health.ONLINE, at_s: float = 0.0) -> Delivery:
    return Delivery(*status_message("demo", client, health, NOW + timedelta(seconds=at_s)), True, 1, None)


def able(instrument: str) -> Delivery:
    """The announcement of an instrument of two slots."""
    said = Messages(instrument, lambda: NOW).capabilities("demo", {"slots": 2})
    return Delivery(*said, True, 1, None)


def signed(delivery: Delivery) -> Delivery:
    """The same word, as it comes where its signature holds."""
    return replace(delivery, signed_by=delivery.topic.rpartition("/")[2])


def now() -> float:
    return asyncio.get_running_loop().time()


def played(story: Coroutine[Any, Any, None]) -> None:
    run_in_virtual_time(story, seed=5)


async def waited(gathering: Gathering, *items: tuple[float, Any], end_at: float | None = None) -> float:
    """Let these items come at their times; return when the waiting was over."""
    ended: list[bool] = []

    async def bring() -> None:
        for at, item in items:
            await asyncio.sleep(at - now())
            gathering.note(item, now())
        if end_at is not None:
            await asyncio.sleep(end_at - now())
            ended.append(True)
            gathering.wake()

    bringing = asyncio.create_task(bring())
    await gathering.wait(unless=lambda: bool(ended))
    over = now()
    bringing.cancel()
    return over


def test_with_one_instrument_there_is_nothing_to_choose_and_nothing_is_waited_for() -> None:
    async def story() -> None:
        for recipients in ((), ("a",), ("any",)):
            gathering = Gathering(recipients)
            assert await waited(gathering) == now()
            assert gathering.absent == ()

    played(story())


def test_it_is_over_as_soon_as_all_are_there_and_have_said_what_they_can_do() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"))
        said = ((1.0, LinkUp(False)), (1.1, word("a")), (1.2, able("a")), (1.5, word("b")), (1.7, able("b")))
        assert await waited(gathering, *said) == pytest.approx(1.7)
        assert gathering.absent == ()
        assert {name: message.slots for name, (message, _) in gathering.announced.items()} == {"a": 2, "b": 2}

    played(story())


def test_those_that_are_there_and_never_say_what_they_can_do_are_waited_for_shortly() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"))
        at = await waited(gathering, (1.0, LinkUp(False)), (1.1, word("a")), (1.5, word("b")))
        assert at == pytest.approx(1.5 + ANNOUNCING_S)
        assert gathering.absent == ()
        assert not gathering.announced

    played(story())


def test_a_forged_announcement_or_one_of_a_stranger_is_passed_over() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"), require_signatures=True)
        said = (able("a"), signed(able("stranger")), replace(signed(able("b")), topic=able("a").topic))
        for each in (*said, signed(able("b"))):
            gathering.note(each, now())
        await waited(gathering, (1.0, LinkUp(False)))
        assert [(name, by) for name, (_, by) in gathering.announced.items()] == [("b", "b")]

    played(story())


def test_who_was_not_heard_of_in_time_while_another_was_is_absent() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b", "c"))
        said = ((10.0, LinkUp(False)), (10.1, word("a")), (10.2, word("b", Health.OFFLINE)))
        at = await waited(gathering, *said)
        assert at == pytest.approx(10.0 + HEARING_S)
        assert gathering.absent == ("b", "c")
        gathering.note(word("b"), now())
        assert gathering.absent == ("b", "c"), "from here on the loop hears it"

    played(story())


def test_where_nobody_is_heard_of_nobody_is_absent() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"))
        at = await waited(gathering, (1.0, LinkUp(False)), (2.0, word("stranger")), (2.5, word("agent")))
        assert at == pytest.approx(1.0 + HEARING_S)
        assert gathering.absent == ()

    played(story())


def test_the_time_runs_from_the_connect_and_again_after_a_cut() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"))
        said = ((1.0, LinkUp(False)), (2.0, LinkDown("cut")), (90.0, LinkUp(False)), (91.0, word("a")))
        assert await waited(gathering, *said) == pytest.approx(90.0 + HEARING_S)

    played(story())


def test_who_is_asked_to_end_waits_no_longer() -> None:
    async def story() -> None:
        assert await waited(Gathering(("a", "b")), end_at=7.0) == pytest.approx(7.0)

    played(story())


def test_garbage_and_what_is_no_status_is_passed_over() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"))
        topic, payload = status_message("demo", "a", Health.ONLINE, NOW)
        for bad in (
            Delivery(topic, b"{", True, 1, None),
            Delivery("else/where", payload, True, 1, None),
            Delivery(topic.replace("status/a", "result/a"), payload, False, 1, None),
        ):
            gathering.note(bad, now())
        await waited(gathering, (1.0, LinkUp(False)))
        assert gathering.absent == ()

    played(story())


def test_a_word_whose_signature_does_not_hold_counts_nowhere_and_an_unsigned_one_only_where_none_is_required() -> None:
    async def story() -> None:
        forged = replace(word("a"), signature_fault="another key")
        for required, words, absent in (
            (True, (word("a"), signed(word("b"))), ("a",)),
            (True, (word("a"), word("b")), ()),
            (True, tuple(signed(word(each)) for each in ("a", "b")), ()),
            (False, (forged, word("b")), ("a",)),
        ):
            gathering = Gathering(("a", "b"), require_signatures=required)
            await waited(gathering, (now() + 1.0, LinkUp(False)), *((now() + 1.5, each) for each in words))
            assert gathering.absent == absent

    played(story())


def test_a_strangers_goodbye_takes_no_signed_word_back() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"), require_signatures=True)
        goodbye = (2.0, word("a", Health.OFFLINE))
        await waited(gathering, (1.0, LinkUp(False)), (1.5, signed(word("a"))), goodbye)
        assert gathering.absent == ("b",)

    played(story())


@pytest.mark.parametrize(("again", "absent"), [(0.0, ("a",)), (2.0, ())], ids=["the same word", "a later one"])
def test_a_signed_word_that_is_sent_again_brings_nobody_back(again: float, absent: tuple[str, ...]) -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b"), require_signatures=True)
        said = [word("a"), word("a", Health.OFFLINE, 1.0), word("a", at_s=again), word("b")]
        await waited(gathering, (1.0, LinkUp(False)), *((1.5, signed(each)) for each in said))
        assert gathering.absent == absent

    played(story())


def test_a_word_that_was_moved_to_another_topic_speaks_for_nobody() -> None:
    async def story() -> None:
        gathering = Gathering(("a", "b", "c"))
        moved = [replace(word("a"), topic=word("b").topic), replace(word("c"), topic="entropilot/v1/another/status/c")]
        await waited(gathering, (1.0, LinkUp(False)), (1.2, word("b")), *((1.5, each) for each in moved))
        assert gathering.absent == ("a", "c")

    played(story())
