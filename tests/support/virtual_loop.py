"""An event loop without a clock and without sockets: time is virtual, and a seed shuffles what is ready.

`asyncio` promises no order between callbacks that are ready at once; a loop that always runs them in the order of
their coming hides every fault that another order would show. Here a seed chooses the order, and time jumps to the next
timer when nothing is ready, so hours pass in milliseconds and a seed is the whole story. Where nothing is ready and no
timer runs, nothing would ever happen again: that is reported as a deadlock.

It stands on three private names of `asyncio.BaseEventLoop` (`_ready`, `_scheduled`, `_run_once`), the same in Python
3.11 to 3.13; `tests/unit/support/test_virtual_loop.py` holds every Python to that. The idea is FoundationDB's.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

T = TypeVar("T")

MAX_TURNS: Final = 5_000_000
"""Turns of the loop after which a run counts as one that spins: a campaign of 100 candidates takes about 20,000."""


class Deadlock(RuntimeError):
    """Nothing is ready and nothing is scheduled: nothing would ever happen again."""


class Spinning(RuntimeError):
    """The loop turned too often: something is ready for ever."""


class NoSockets(RuntimeError):
    """Something wanted a thread, a socket or a process; in virtual time there is none."""


class NumberedTask(asyncio.Task[Any]):
    """A task whose hash is its number, so that sets of tasks have the same order in every process.

    asyncio keeps tasks in sets and cancels them in the order of the set, which is else that of addresses in memory.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        loop = options["loop"]
        loop.tasks_made += 1
        self.number: int = loop.tasks_made
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _NoSelector(selectors.BaseSelector):
    """Answers `select` by moving the clock."""

    def __init__(self) -> None:
        self.advance: Callable[[float | None], None] = lambda _timeout: None
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.advance(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop.

    Args:
        seed: Chooses the order of what is ready; None keeps the order of coming.
    """

    def __init__(self, seed: int | None) -> None:
        self._virtual_s = 0.0
        self._order = None if seed is None else random.Random(seed)
        self.turns = 0
        self.tasks_made = 0
        selector = _NoSelector()
        super().__init__(selector)
        selector.advance = self._advance
        self.set_task_factory(lambda loop, work, **options: NumberedTask(work, loop=loop, **options))

    def time(self) -> float:
        """Return the virtual time [s], from 0."""
        return self._virtual_s

    def leap(self, seconds: float) -> None:
        """Let time pass in which nothing ran, as a suspended machine does [s]."""
        self._virtual_s += seconds

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> Any:  # type: ignore[override]
        raise NoSockets("a thread was asked for in virtual time")

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        raise NoSockets("a socket was asked for in virtual time")

    def add_writer(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        raise NoSockets("a socket was asked for in virtual time")

    def _advance(self, timeout: float | None) -> None:
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise Spinning(f"{MAX_TURNS} turns, at {self._virtual_s:.3f} s of virtual time")
        if timeout is None:
            if not self._stopping:  # type: ignore[attr-defined]
                raise Deadlock(f"nothing is ready and nothing is scheduled at {self._virtual_s:.3f} s of virtual time")
        elif timeout > 0:
            self._virtual_s = max(self._virtual_s, self._scheduled[0].when())  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if self._order is not None and len(ready) > 1:
            handles = list(ready)
            self._order.shuffle(handles)
            ready.clear()
            ready.extend(handles)
        super()._run_once()  # type: ignore[misc]


def run_in_virtual_time(work: Coroutine[Any, Any, T], *, seed: int | None) -> T:
    """Run a coroutine to its end in virtual time.

    Args:
        work: What to run.
        seed: Of the order of what is ready; None keeps the order of coming.

    Raises:
        Deadlock: When nothing would ever happen again.
        Spinning: When the loop turns without end.
        NoSockets: When something wants the real world.
    """
    loop = VirtualLoop(seed)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        try:
            _cancel_all(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
