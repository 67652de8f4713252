"""Calls work wherever they are made, and end in order."""

from __future__ import annotations

import asyncio
import threading

import pytest

from scenarios.python.calling import call, call_beside
from scenarios.run.interrupts import Interrupts


def test_a_call_in_a_script_is_made_in_its_own_thread() -> None:
    assert call(lambda _: threading.current_thread()) is threading.current_thread()


def test_a_call_within_an_event_loop_may_run_a_loop_of_its_own() -> None:
    """As in every cell of a notebook."""

    async def cell() -> str:
        async def inner() -> str:
            await asyncio.sleep(0)
            return "done"

        return call(lambda _: asyncio.run(inner()))

    assert asyncio.run(cell()) == "done"


def test_an_error_comes_through() -> None:
    async def cell() -> None:
        call(lambda _: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(cell())


async def test_a_coroutine_that_is_cancelled_ends_the_call_and_waits_for_it() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(interrupts: Interrupts) -> None:
        async def until_ended() -> None:
            end = asyncio.Event()
            with interrupts.ending(end.set):
                began.set()
                await end.wait()
            ended.set()

        asyncio.run(until_ended())

    task = asyncio.create_task(call_beside(work))
    await asyncio.to_thread(began.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_what_begins_after_the_end_was_asked_for_ends_at_once() -> None:
    interrupts, ended = Interrupts(), []
    interrupts.end()
    with interrupts.ending(lambda: ended.append(True)):
        assert ended == [True]


async def test_an_end_that_is_asked_for_when_nothing_runs_any_more_is_no_fault() -> None:
    interrupts = Interrupts()
    with interrupts.ending(lambda: None):
        pass
    interrupts.end()
