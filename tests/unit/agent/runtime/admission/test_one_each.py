"""An instrument whose answers name no request has one at a time; the clock of the next stands until its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent.campaign.state import Attempt
from agent.runtime.admission.one_each import LOOK_EVERY_S, OneEach
from tests.support.virtual_loop import run_in_virtual_time

FIRST, SECOND = (Attempt(f"a-{number}", f"c{number}", number, 1, "press") for number in (1, 2))
ELSEWHERE = Attempt("b-1", "c9", 9, 1, "oven")


class Bench:
    def __init__(self, *asked: Attempt) -> None:
        self.in_flight = {"a-1", "a-2", "b-1"}
        self.wanted = True
        self.begun: list[str] = []
        self.each = OneEach(lambda: self.in_flight, asked)
        self.each.on_turn = self.begun.append

    async def turn(self, attempt: Attempt) -> bool:
        return await self.each.turn(attempt, lambda: self.wanted)


def play(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    run_in_virtual_time(whole(), seed=None)


def test_the_second_request_waits_for_the_answer_to_the_first_and_another_instrument_does_not() -> None:
    bench = Bench()

    async def work() -> None:
        assert await bench.turn(FIRST)
        assert await bench.turn(FIRST), "it may be repeated"
        waiting = asyncio.create_task(bench.turn(SECOND))
        assert await bench.turn(ELSEWHERE)
        await asyncio.sleep(60)
        assert not waiting.done()
        assert bench.each.is_held("a-2")
        bench.in_flight.discard("a-1")
        assert await waiting
        assert bench.begun == ["a-2"]
        assert not bench.each.is_held("a-2")

    play(work)


def test_after_a_restart_the_one_that_was_sent_has_its_turn_and_what_nobody_wants_has_none() -> None:
    bench = Bench(FIRST)

    async def work() -> None:
        waiting = asyncio.create_task(bench.turn(SECOND))
        await asyncio.sleep(2 * LOOK_EVERY_S)
        bench.wanted = False
        assert not await waiting
        assert bench.begun == []

    play(work)
