"""What runs in a worker of a Dask cluster: coroutines on its loop that own children of ours.

A task is bound to one worker by its id, and a worker begins an attempt once: whatever the scheduler does with a task
(another worker, the same again), nothing is evaluated twice. When nobody wants a task any more, because the simulator
cancelled it or is gone, or the worker closes, its child is killed. When the worker is killed, its children end with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, Final

from protocols.concurrency.child import Child, ChildDied
from protocols.extras import load

CHILD_MODULE: Final = "simulators.executors.child"
"""What a child runs."""

START_TIMEOUT_S: Final = 120.0
"""How long a child may take to import its calculator, on a loaded machine."""

LOOK_S: Final = 0.5
"""How often a task looks whether it is still wanted."""

IDLE_S: Final = 600.0
"""How long a child without work stays, with the calculator that it has loaded."""

MAX_BEGUN: Final = 100_000
"""Attempts that a worker knows to have begun."""

REPLY, DEADLINE, DIED, NOT_BEGUN = "reply", "deadline", "died", "not begun"
"""What an outcome is: a reply of the child, none in time, none at all, or nothing was evaluated."""

Outcome = tuple[str, bytes, float]
"""What it is, the reply or the reason, and how long it took on the worker [s]."""

_begun: OrderedDict[str, None] = OrderedDict()
_idle: dict[str, list[tuple[Child, float]]] = {}
"""Children without work, by the digest of their opening, each with when it became idle [s, monotonic]."""
_background: set[asyncio.Task[None]] = set()


async def admit(opening: bytes) -> tuple[str, Outcome]:
    """Start a child; return the worker's id, and the child's answer to its opening."""
    worker_id = str(load("distributed").get_worker().id)
    try:
        child, reply = await _opened_child(opening)
    except TimeoutError:
        return worker_id, (DIED, f"not started after {START_TIMEOUT_S:g} s".encode(), START_TIMEOUT_S)
    except ChildDied as error:
        return worker_id, (DIED, error.reason.encode(), 0.0)
    _put_back(opening, child)
    return worker_id, (REPLY, reply, 0.0)


async def evaluate(worker_id: str, key: str, opening: bytes, request: bytes, deadline_s: float) -> Outcome:
    """Evaluate a request in a child.

    Args:
        worker_id: The worker that is meant.
        key: Names the task, and what is evaluated at most once.
        opening: What a child is opened with.
        request: The request, encoded.
        deadline_s: How long the evaluation may take; a child's start does not count.
    """
    worker = load("distributed").get_worker()
    if worker.id != worker_id:
        return NOT_BEGUN, b"another worker has its address now", 0.0
    if key in _begun:
        return NOT_BEGUN, b"this worker has begun it before", 0.0
    _begun[key] = None
    if len(_begun) > MAX_BEGUN:
        _begun.popitem(last=False)
    return await _while_wanted(worker, key, _evaluate(opening, request, deadline_s))


async def _evaluate(opening: bytes, request: bytes, deadline_s: float) -> Outcome:
    child, began = _take_idle(opening), time.monotonic()
    try:
        if child is None:
            child, _ = await _opened_child(opening)
        return REPLY, await child.ask(request, timeout_s=deadline_s), time.monotonic() - began
    except TimeoutError:
        return DEADLINE, b"", deadline_s
    except ChildDied as error:
        return DIED, error.reason.encode(), time.monotonic() - began
    finally:
        if child is not None:
            _put_back(opening, child)


async def _while_wanted(worker: Any, key: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Do something until it is done or nobody wants it any more."""
    doing = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({doing}, timeout=LOOK_S))[0]:
            if not _is_wanted(worker, key):
                return DIED, b"nobody waited for it any more", 0.0
        return doing.result()
    finally:
        if not doing.done():
            doing.cancel()  # which kills the child
            await asyncio.wait({doing})


def _is_wanted(worker: Any, key: str) -> bool:
    """Whether the scheduler still wants a task of this worker, as far as the worker knows."""
    if worker.status.name in {"closing", "closed", "failed"}:
        return False
    task = worker.state.tasks.get(key)
    return task is not None and task.state in {"executing", "long-running"}


async def _opened_child(opening: bytes) -> tuple[Child, bytes]:
    """Start a child; return it with its answer.

    Raises:
        ChildDied: When it ended.
        TimeoutError: When it does not answer.
    """
    child = Child(CHILD_MODULE)
    try:
        await child.start()
        return child, await child.ask(opening, timeout_s=START_TIMEOUT_S)
    except BaseException:
        await child.stop()
        raise


def _take_idle(opening: bytes) -> Child | None:
    waiting = _idle.get(_name(opening), [])
    while waiting:
        child, _ = waiting.pop()
        if child.is_running:
            return child
        _stop(child)
    return None


def _put_back(opening: bytes, child: Child) -> None:
    if not child.is_running:
        _stop(child)
        return
    now = time.monotonic()
    _idle.setdefault(_name(opening), []).append((child, now))
    for name, waiting in list(_idle.items()):
        while waiting and now - waiting[0][1] > IDLE_S:
            _stop(waiting.pop(0)[0])
        if not waiting:
            del _idle[name]


def _stop(child: Child) -> None:
    task = asyncio.get_running_loop().create_task(child.stop())
    _background.add(task)
    task.add_done_callback(_background.discard)


def _name(opening: bytes) -> str:
    return hashlib.sha256(opening).hexdigest()
