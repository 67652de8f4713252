"""A request goes to no instrument that calls itself real, nor, where all can speak, to one that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from agent.runtime.admission.live_guard import LISTEN_S, SILENCE_S, LiveGuard
from protocols.errors import CampaignHalted
from protocols.wire.topics import ANY_SIMULATOR, EVERY_CAMPAIGN
from tests.support.sample_messages import capabilities
from tests.support.virtual_loop import run_in_virtual_time


def both() -> tuple[str, ...]:
    return ("one", "other")


def in_time(work: Coroutine[Any, Any, Any]) -> float:
    """Return how long some work took [s]."""

    async def timed() -> float:
        began = asyncio.get_running_loop().time()
        await work
        return asyncio.get_running_loop().time() - began

    return run_in_virtual_time(timed(), seed=1)


def guard_that_heard(*, is_live: bool = False, **said: bool) -> LiveGuard:
    guard = LiveGuard(is_live=is_live)
    for name, simulated in said.items():
        guard.hear(capabilities(simulator=name, simulated=simulated))
    return guard


def test_one_that_calls_itself_simulated_is_asked_at_once() -> None:
    assert in_time(guard_that_heard(one=True).admit("one", both)) == 0


def test_one_that_calls_itself_real_is_not_asked_and_the_error_says_what_to_do() -> None:
    with pytest.raises(CampaignHalted, match=r"one says that it is not simulated.*--resume --live"):
        in_time(guard_that_heard(one=False).admit("one", both))


def test_with_a_persons_word_everybody_is_asked() -> None:
    guard = guard_that_heard(is_live=True, one=False)
    assert in_time(guard.admit("one", both)) == in_time(guard.admit("other", both)) == 0


def test_silence_is_waited_for_while_the_instrument_is_there_and_then_taken_for_real() -> None:
    with pytest.raises(CampaignHalted, match="one does not say that it is simulated"):
        in_time(LiveGuard(is_live=False).admit("one", both))


def test_one_that_is_away_may_say_it_when_it_comes() -> None:
    guard, there = LiveGuard(is_live=False), list[str]()

    async def work() -> None:
        asked = asyncio.create_task(guard.admit("one", lambda: there))
        await asyncio.sleep(10 * SILENCE_S)
        there.append("one")
        await asyncio.sleep(SILENCE_S / 2)
        guard.hear(capabilities(simulator="one", simulated=True))
        await asked

    assert in_time(work()) == 10.5 * SILENCE_S


def test_a_request_to_whoever_is_free_may_reach_everybody_that_is_there_or_was_heard() -> None:
    assert in_time(guard_that_heard(one=True).admit(ANY_SIMULATOR, tuple)) == LISTEN_S
    with pytest.raises(CampaignHalted, match="other does not say that it is simulated"):
        in_time(guard_that_heard(one=True).admit(ANY_SIMULATOR, both))
    with pytest.raises(CampaignHalted, match="other says that it is not simulated"):
        in_time(guard_that_heard(one=True, other=False).admit(ANY_SIMULATOR, tuple))


def test_nobody_is_asked_before_anybody_has_come() -> None:
    async def work() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100 * SILENCE_S):
                await LiveGuard(is_live=False).admit(ANY_SIMULATOR, tuple)

    in_time(work())


def test_an_older_word_that_comes_again_counts_for_nothing_and_a_real_one_for_more_than_a_simulated_one() -> None:
    old = capabilities(simulator="one", simulated=True)
    later = old.model_copy(update={"simulated": False, "sent_at": old.sent_at + timedelta(seconds=1)})
    elsewhere = later.model_copy(update={"simulated": True, "campaign": EVERY_CAMPAIGN})
    guard = LiveGuard(is_live=False)
    for word in (later, old, elsewhere):
        guard.hear(word)
    with pytest.raises(CampaignHalted, match="one says that it is not simulated"):
        in_time(guard.admit("one", both))


def test_of_those_that_nobody_asks_nothing_is_kept() -> None:
    guard = LiveGuard(is_live=False, recipients=("one",))
    guard.hear(capabilities(simulator="other", simulated=True))
    with pytest.raises(CampaignHalted, match="other does not say"):
        in_time(guard.admit("other", both))


def test_what_nobody_wants_any_more_goes_to_nobody_and_ends_nothing() -> None:
    wanted = [True]

    async def work() -> None:
        asked = asyncio.create_task(LiveGuard(is_live=False).admit("one", both, lambda: wanted[0]))
        await asyncio.sleep(SILENCE_S / 2)
        wanted[0] = False
        assert not await asked

    assert in_time(work()) < SILENCE_S
