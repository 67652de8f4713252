"""The loop of the simulation: time is virtual, a seed chooses the order, and the real world is out of reach."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from tests.support import virtual_loop
from tests.support.virtual_loop import Deadlock, NoSockets, NumberedTask, Spinning, VirtualLoop, run_in_virtual_time


def test_the_private_names_it_stands_on_are_there() -> None:
    loop = asyncio.SelectorEventLoop()
    try:
        for name in ("_ready", "_scheduled", "_run_once"):
            assert hasattr(loop, name)
        assert hasattr(loop._ready, "extend")  # type: ignore[attr-defined]
    finally:
        loop.close()


def test_a_day_passes_in_no_time_and_to_the_microsecond() -> None:
    async def sleep() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_in_virtual_time(sleep(), seed=1) == 86_400.0
    assert time.monotonic() - began < 5


def _order(seed: int | None) -> tuple[int, ...]:
    async def race() -> tuple[int, ...]:
        came: list[int] = []

        async def runner(number: int) -> None:
            await asyncio.sleep(0)
            came.append(number)

        await asyncio.gather(*(runner(number) for number in range(6)))
        return tuple(came)

    return run_in_virtual_time(race(), seed=seed)


def test_a_seed_chooses_the_order_of_what_is_ready_and_always_the_same() -> None:
    assert _order(None) == tuple(range(6))
    assert [_order(seed) for seed in range(20)] == [_order(seed) for seed in range(20)]
    assert len({_order(seed) for seed in range(20)}) > 10


def test_timers_fire_in_the_order_of_their_times_whatever_the_seed() -> None:
    async def race(seed: int) -> list[int]:
        came: list[int] = []

        async def runner(number: int) -> None:
            await asyncio.sleep(number)
            came.append(number)

        await asyncio.gather(*(runner(number) for number in range(6)))
        return came

    for seed in range(20):
        assert run_in_virtual_time(race(seed), seed=seed) == list(range(6))


def test_a_leap_makes_late_what_was_due_meanwhile() -> None:
    async def suspended() -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        due = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        loop.leap(3_600)
        await asyncio.sleep(0.1)
        return loop.time(), due.done()

    when, fired = run_in_virtual_time(suspended(), seed=None)
    assert when == pytest.approx(3_600.1)
    assert fired


def test_what_would_wait_for_ever_is_a_deadlock() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"at 0\.000 s"):
        run_in_virtual_time(wait(), seed=1)


def test_what_never_rests_is_spinning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_loop, "MAX_TURNS", 100)

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it must spin
            await asyncio.sleep(0)

    with pytest.raises(Spinning):
        run_in_virtual_time(spin(), seed=1)


def test_threads_and_sockets_are_refused() -> None:
    async def use_thread() -> None:
        await asyncio.to_thread(time.sleep, 0)

    async def use_socket() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as server:
            loop.add_reader(server, lambda: None)

    for work in (use_thread(), use_socket()):
        with pytest.raises(NoSockets):
            run_in_virtual_time(work, seed=1)


def test_tasks_that_are_left_over_are_cancelled_at_the_end() -> None:
    ended: list[str] = []

    async def stay() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    left: list[Any] = []

    async def leave() -> None:
        left.append(asyncio.create_task(stay()))
        await asyncio.sleep(1)

    run_in_virtual_time(leave(), seed=1)
    assert ended == ["cancelled"]


def test_a_set_of_tasks_has_the_order_of_their_making_not_of_their_addresses() -> None:
    async def many() -> list[int]:
        tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(50)]
        numbers = [task.number for task in set(tasks) if isinstance(task, NumberedTask)]
        await asyncio.gather(*tasks)
        return numbers

    assert run_in_virtual_time(many(), seed=1) == run_in_virtual_time(many(), seed=1)
    assert len(run_in_virtual_time(many(), seed=1)) == 50
