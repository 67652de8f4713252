"""A process that is kept running while a block lasts: it is started again when it dies, and ends with the block."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from protocols.errors import BrokerError

OnEvent = Callable[..., object]
"""Called with a short name and fields."""

PAUSE_S: Final = 0.2
"""Pause before a process that died is started again [s]: its port may still be held."""

LONGEST_PAUSE_S: Final = 5.0
"""The same where it cannot be started: pauses double up to this."""

END_S: Final = 4.0
"""How long it may take to end, before it is killed: SIGTERM has five seconds in all."""

OWN_GROUP: Final = 0
"""Process group of a child: one of its own, so that what the terminal sends (Ctrl-C) reaches us alone, who need it for
our goodbyes; and so that all that it started can be ended with it."""


@contextlib.asynccontextmanager
async def kept_running(
    start: Callable[[], Awaitable[Process]], watch: Callable[[Process], Awaitable[None]], on_event: OnEvent
) -> AsyncIterator[None]:
    """Keep a process running until the block ends. It must end when its standard input does.

    Args:
        start: Starts it, and returns it when it is ready.
        watch: Returns when it has died.
        on_event: Told when it died, and when it is back.

    Raises:
        BrokerError: When it does not start the first time.
    """
    processes = [await start()]
    keeping = asyncio.create_task(_keep(processes, start, watch, on_event))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await ended(processes[-1])


async def ended(process: Process) -> None:
    """End a process, and whatever it started."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()
    _kill_group(process.pid)
    await process.wait()


async def _keep(
    processes: list[Process],
    start: Callable[[], Awaitable[Process]],
    watch: Callable[[Process], Awaitable[None]],
    on_event: OnEvent,
) -> None:
    while True:
        await watch(processes[-1])
        _kill_group(processes[-1].pid)  # what a killed guard was to end
        code, pause_s = await processes[-1].wait(), PAUSE_S
        on_event("broker_died", code=code)
        while True:
            await asyncio.sleep(pause_s)
            try:
                processes[:] = [await start()]
            except BrokerError as error:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                on_event("broker_not_back", reason=error.found, retry_in_s=pause_s)
                continue
            on_event("broker_back")
            break


def _kill_group(leader: int) -> None:
    """Kill what is left of the group of a process that we started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
