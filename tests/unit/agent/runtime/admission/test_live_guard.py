"""A request goes to no instrument that calls itself real, nor, where all can speak, to one that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from agent.runtime.admission.live_guard import SILENCE_S, LiveGuard
from protocols.errors import CampaignHalted
from protocols.wire.topics import ANY_SIMULATOR
from tests.support.virtual_loop import run_in_virtual_time


def there(_recipient: str) -> bool:
    return True


def in_time(work: Coroutine[Any, Any, Any]) -> float:
    """Return how long some work took [s]."""

    async def timed() -> float:
        began = asyncio.get_running_loop().time()
        await work
        return asyncio.get_running_loop().time() - began

    return run_in_virtual_time(timed(), seed=1)


def test_one_that_calls_itself_simulated_is_asked_at_once() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=False, silence_is_allowed=False)
    said["one"] = True
    assert in_time(guard.admit("one", there)) == 0


def test_one_that_calls_itself_real_is_not_asked_and_the_error_says_what_to_do() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=False)
    said["one"] = False
    with pytest.raises(CampaignHalted, match=r"one says that it is not simulated.*--resume --live"):
        in_time(guard.admit("one", there))


def test_with_a_persons_word_everybody_is_asked() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=True, silence_is_allowed=False)
    said["one"] = False
    assert in_time(guard.admit("one", there)) == in_time(guard.admit("other", there)) == 0


def test_silence_is_waited_for_while_the_instrument_is_there_and_then_taken_for_real() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=False, silence_is_allowed=False)
    with pytest.raises(CampaignHalted, match="one does not say that it is simulated"):
        in_time(guard.admit("one", there))


def test_one_that_is_away_may_say_it_when_it_comes() -> None:
    said = dict[str, bool]()
    guard, is_there = LiveGuard(known=lambda: said, is_live=False, silence_is_allowed=False), False

    async def work() -> None:
        nonlocal is_there
        asked = asyncio.create_task(guard.admit("one", lambda _recipient: is_there))
        await asyncio.sleep(10 * SILENCE_S)
        is_there = True
        await asyncio.sleep(SILENCE_S / 2)
        said["one"] = True
        await asked

    assert in_time(work()) >= 10 * SILENCE_S


def test_where_silence_is_allowed_only_a_word_of_its_own_keeps_an_instrument_from_being_asked() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=False, silence_is_allowed=True)
    assert in_time(guard.admit("one", there)) == 0
    assert in_time(guard.admit(ANY_SIMULATOR, there)) == 0


def test_a_request_to_whoever_is_free_may_reach_everybody_that_was_heard() -> None:
    said = dict[str, bool]()
    guard = LiveGuard(known=lambda: said, is_live=False)
    said["one"] = True
    assert in_time(guard.admit(ANY_SIMULATOR, there)) == 0
    said["other"] = False
    with pytest.raises(CampaignHalted, match="other says that it is not simulated"):
        in_time(guard.admit(ANY_SIMULATOR, there))
