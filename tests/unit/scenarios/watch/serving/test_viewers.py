"""Who reads too slowly is told nothing more, and nobody waits for it."""

from __future__ import annotations

import asyncio

from scenarios.watch.serving.limits import MAX_WAITING
from scenarios.watch.serving.viewers import Told, Viewer


def test_events_come_in_order_and_wait_for_who_reads_them() -> None:
    async def read() -> list[bytes]:
        viewer = Viewer()
        for number in range(MAX_WAITING):
            viewer.offer(Told(f"{number}".encode()))
        return [told.text for _ in range(MAX_WAITING) if (told := await viewer.next()) is not None]

    assert asyncio.run(read()) == [f"{number}".encode() for number in range(MAX_WAITING)]


def test_one_more_than_may_wait_ends_it() -> None:
    async def read() -> Told | None:
        viewer = Viewer()
        for _ in range(MAX_WAITING + 1):
            viewer.offer(Told(b"x"))
        viewer.offer(Told(b"later"))
        return await viewer.next()

    assert asyncio.run(read()) is None


def test_who_waits_hears_at_once() -> None:
    async def read() -> Told | None:
        viewer = Viewer()
        waiting = asyncio.create_task(viewer.next())
        await asyncio.sleep(0)
        viewer.offer(Told(b"now"))
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(read()) == Told(b"now")
