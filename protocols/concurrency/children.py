"""Children that share a list of questions: each is answered by whoever is free, and none can hold up the rest.

Meant for callers that know no event loop: it runs in a thread of its own, whatever else the caller has.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Final

from protocols.concurrency.child import Child, ChildDied, serve
from protocols.concurrency.task_group_errors import first_failure

START_LIMIT_S: Final = 120.0
"""How long a child may take to import what it needs, on a loaded machine."""

READY: Final = b""
"""The first question and its answer: what comes after it counts against the limit."""

WALL_PER_CPU: Final = 20.0
"""Time by the clock per allowed processor time: a loaded machine is no fault of a question, waiting for ever is."""

TIMER_RANGE_S: Final = (1e-3, 1e8)
"""Shortest and longest time that a timer is set to [s]: one that rounds to nothing would never ring."""

COUNTS_CPU: Final = hasattr(signal, "setitimer")
"""Whether the system ends a process by its processor time; else the clock on the wall counts."""


class Unanswered(Enum):
    """Why a question has no answer."""

    TOO_LONG = auto()
    CHILD_DIED = auto()


Answer = bytes | Unanswered


def usable_cores() -> int:
    """Return how many cores this process may use: those that it is bound to, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ask_children(
    command: Sequence[str], questions: Sequence[bytes], *, limit_s: float, children: int
) -> Generator[tuple[int, Answer], None, None]:
    """Ask every question once, and yield its position and its answer, in the order in which answers come.

    A child that takes too long or dies is replaced, and only the question that it was at goes without an answer. Who
    closes the generator early ends the children.

    Args:
        command: Module and arguments of a child that calls `serve_within`.
        questions: None of them empty.
        limit_s: Longest processor time of one answer [s]; where the system cannot tell it, time by the clock.
        children: How many at once.

    Raises:
        ChildDied: When a child cannot even start.
    """
    answers: queue.SimpleQueue[tuple[int, Answer] | BaseException | None] = queue.SimpleQueue()
    with _in_a_thread(lambda: _share(command, questions, limit_s, children, answers.put), answers.put):
        while (answer := answers.get()) is not None:
            if isinstance(answer, BaseException):
                raise answer
            yield answer


def serve_within(answer: Callable[[bytes], bytes], limit_s: float) -> None:
    """Answer questions until the parent closes the pipe, and end this process at the first that takes too long.

    Runs in the child, when all is imported. The kernel ends it: no Python code runs while a library computes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all of us; the parent ends its children

    def limited(question: bytes) -> bytes:
        if question == READY:
            return READY
        _set_timer(min(max(limit_s, TIMER_RANGE_S[0]), TIMER_RANGE_S[1]))
        try:
            return answer(question)
        finally:
            _set_timer(0.0)

    serve(limited)


def _set_timer(limit_s: float) -> None:
    if COUNTS_CPU:
        signal.setitimer(signal.ITIMER_PROF, limit_s)


async def _share(
    command: Sequence[str],
    questions: Sequence[bytes],
    limit_s: float,
    children: int,
    tell: Callable[[tuple[int, Answer] | None], None],
) -> None:
    waiting = deque(enumerate(questions))
    async with asyncio.TaskGroup() as group:
        for _ in range(min(children, len(questions))):
            group.create_task(_ask_one_by_one(command, waiting, limit_s, tell))
    tell(None)


async def _ask_one_by_one(
    command: Sequence[str],
    waiting: deque[tuple[int, bytes]],
    limit_s: float,
    tell: Callable[[tuple[int, Answer] | None], None],
) -> None:
    """Put the questions that are left to one child after the other."""
    child = Child(*command)
    patience_s = limit_s * WALL_PER_CPU if COUNTS_CPU else limit_s
    try:
        while waiting:
            if not child.is_running:
                await child.start()
                await child.ask(READY, timeout_s=START_LIMIT_S)
            if not waiting:  # another child was faster
                return
            place, question = waiting.popleft()
            try:
                tell((place, await child.ask(question, timeout_s=patience_s)))
            except TimeoutError:
                tell((place, Unanswered.TOO_LONG))
            except ChildDied as death:
                at_its_limit = COUNTS_CPU and death.code == -signal.SIGPROF
                tell((place, Unanswered.TOO_LONG if at_its_limit else Unanswered.CHILD_DIED))
    finally:
        await child.stop()


@contextmanager
def _in_a_thread(
    work: Callable[[], Coroutine[None, None, None]], fail: Callable[[BaseException], None]
) -> Iterator[None]:
    """Run a coroutine in a loop and a thread of its own; who leaves the block ends it, and waits for its end."""
    running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None] | None]] = Future()

    async def run() -> None:
        running.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        await work()

    def carry_out() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for answers, in his thread
            fail(first_failure(error) if isinstance(error, BaseExceptionGroup) else error)

    thread = threading.Thread(target=carry_out, name="children")
    thread.start()
    try:
        yield
    finally:
        loop, task = running.result()
        if task is not None:
            with suppress(RuntimeError):  # the loop is closed: all is done
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
