"""A blocking call in a thread that nobody has to wait for.

asyncio joins its own threads when its loop ends, and Python those of a pool when the interpreter does. A call that the
system does not answer (a name that no server resolves, an address that drops what knocks) would so hold the end of the
process for as long as it hangs. Here whoever is cancelled leaves the call behind; what it still makes is discarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from threading import Thread
from typing import TypeVar

Made = TypeVar("Made")


async def in_daemon_thread(make: Callable[[], Made], *, discard: Callable[[Made], object]) -> Made:
    """Call `make` in a thread of its own and return what it makes, or raise what it raises.

    Args:
        make: What blocks.
        discard: Takes what was made when nobody waits for it any more; called in either thread.
    """
    promise: Future[Made] = Future()

    def call() -> None:
        try:
            made = make()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            if not promise.cancelled():
                promise.set_exception(error)
            return
        try:
            promise.set_result(made)
        except InvalidStateError:  # cancelled
            discard(made)

    Thread(target=call, daemon=True, name="left behind at the end").start()
    try:
        return await asyncio.wrap_future(promise)
    except asyncio.CancelledError:
        if not promise.cancel() and promise.exception() is None:  # it was made, and nobody has been told
            discard(promise.result())
        raise
