"""Calls what blocks, or runs an event loop of its own, from wherever it is called: a script, a notebook, a coroutine.

Where an event loop runs in this thread already, as in every cell of a notebook, the call is made in another thread,
and this one waits. Ctrl-C, or the cancellation of a coroutine, ends what runs in order: it is waited for, so that
nothing is left half done, and only then the interrupt goes on.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from scenarios.run.interrupts import Interrupts

Returned = TypeVar("Returned")

THREAD_NAME: Final = "entropilot"


def call(function: Callable[[Interrupts], Returned]) -> Returned:
    """Call a function, wherever this is; it is given what ends it."""
    interrupts = Interrupts()
    if not _is_loop_running():
        return function(interrupts)
    with ThreadPoolExecutor(1, thread_name_prefix=THREAD_NAME) as threads:
        called = threads.submit(contextvars.copy_context().run, function, interrupts)
        try:
            return called.result()
        except KeyboardInterrupt:
            _end(called, interrupts)
            raise


async def call_beside(function: Callable[[Interrupts], Returned]) -> Returned:
    """Call a function in another thread, while the event loop of here goes on."""
    interrupts = Interrupts()
    with ThreadPoolExecutor(1, thread_name_prefix=THREAD_NAME) as threads:
        called = threads.submit(contextvars.copy_context().run, function, interrupts)
        try:
            return await asyncio.wrap_future(called)
        except asyncio.CancelledError:
            await asyncio.to_thread(_end, called, interrupts)
            raise


def _end(called: Future[Returned], interrupts: Interrupts) -> None:
    """End a call and wait for it; what it fails with meanwhile is of no interest to whoever gave it up."""
    interrupts.end()
    wait([called])


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
