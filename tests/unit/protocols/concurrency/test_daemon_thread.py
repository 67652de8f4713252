"""A blocking call that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from protocols.concurrency.daemon_thread import in_daemon_thread

PATIENCE_S = 10.0


async def test_what_is_made_is_returned_and_not_discarded() -> None:
    discarded: list[int] = []
    assert await in_daemon_thread(lambda: 7, discard=discarded.append) == 7
    assert discarded == []


async def test_what_is_raised_is_raised_where_it_is_awaited() -> None:
    def fail() -> int:
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        await in_daemon_thread(fail, discard=lambda _: None)


def test_the_end_of_a_loop_does_not_wait_for_a_call_that_hangs_and_what_it_makes_then_is_discarded() -> None:
    release, discarded = threading.Event(), SimpleQueue[str]()

    def hang() -> str:
        assert release.wait(PATIENCE_S)
        return "late"

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await in_daemon_thread(hang, discard=discarded.put)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert discarded.empty(), "the loop has waited"
    release.set()
    assert discarded.get(timeout=PATIENCE_S) == "late"


async def cancelled_in_the_moment_of(make: Callable[[], str], discard: Callable[[str], object]) -> object:
    """Call in a thread, and cancel whoever waits when the call has ended and the loop has not turned since."""
    awaited, threads = threading.Event(), set(threading.enumerate())

    def make_when_awaited() -> str:
        assert awaited.wait(PATIENCE_S)
        return make()

    waiting = asyncio.create_task(in_daemon_thread(make_when_awaited, discard=discard))
    await asyncio.sleep(0)  # the thread starts
    awaited.set()
    (made_in,) = set(threading.enumerate()) - threads
    made_in.join(PATIENCE_S)
    waiting.cancel()
    (ended,) = await asyncio.gather(waiting, return_exceptions=True)
    return ended


async def test_what_is_made_in_the_moment_of_the_cancellation_is_discarded_too() -> None:
    discarded: list[str] = []
    assert isinstance(await cancelled_in_the_moment_of(lambda: "just made", discarded.append), asyncio.CancelledError)
    assert discarded == ["just made"]


async def test_what_fails_in_the_moment_of_the_cancellation_is_told_to_nobody() -> None:
    def fail() -> str:
        raise OSError("too late")

    assert isinstance(await cancelled_in_the_moment_of(fail, lambda _: None), asyncio.CancelledError)


def test_what_fails_after_nobody_waits_any_more_is_told_to_nobody() -> None:
    release = threading.Event()
    before = set(threading.enumerate())

    def hang() -> str:
        assert release.wait(PATIENCE_S)
        raise OSError("too late")

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await in_daemon_thread(hang, discard=lambda _: None)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    (left,) = set(threading.enumerate()) - before
    assert left.daemon
    release.set()
    left.join(PATIENCE_S)
    assert not left.is_alive()
