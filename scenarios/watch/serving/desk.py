"""The runs that the server shows: found by key, opened when they are asked for, each read by one thread at a time."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from protocols.errors import EntropilotError
from scenarios.control.place import Place
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.limits import MAX_KEY_SHOWN, MAX_LISTED_RUNS, MAX_OPEN_RUNS, READERS
from scenarios.watch.serving.refusals import not_found
from scenarios.watch.serving.told import Agent, RunListing
from scenarios.watch.state.runs import RunCard
from scenarios.watch.state.shadow import ShadowView

Read = TypeVar("Read")


class Shelf(Protocol):
    """Where runs are found: a folder of them, or a broker."""

    def keys(self) -> Iterable[str]:
        """Return the keys of all runs that are there now, in the order in which they are shown."""
        ...

    def open(self, key: str) -> Source:
        """Return the source of a run.

        Raises:
            EntropilotError: When it is not there, or cannot be read.
        """
        ...

    def card(self, key: str) -> RunCard:
        """Return the card of a run that nobody has opened; one that cannot be read says why."""
        ...

    def shadow(self, key: str, shown: int | None) -> ShadowView:
        """Return a shadow as it stood after some decisions; None: as it stands.

        Raises:
            EntropilotError: When there is none of this key, or it cannot be read.
        """
        ...

    def folder(self, key: str) -> Path | None:
        """Return the folder of a run; None where it has none."""
        ...

    def database(self, key: str) -> str | None:
        """Return the database of a run, where it is another than its folder says."""
        ...

    def agent(self, key: str) -> Agent:
        """Tell whether the agent of a run is there."""
        ...

    def why_no_control(self, key: str) -> str:
        """Say why no order can be sent to a run, in a sentence; "" where one can."""
        ...

    def place(self, key: str) -> Place:
        """Return where orders to a run go.

        Raises:
            EntropilotError: When nobody can send one.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what a person should know of what is found, in sentences."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class _Opened:
    """A source and the lock of who reads it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lock = threading.Lock()
        self.is_closed = False

    def close(self) -> None:
        with self.lock:
            self.is_closed = True
            self.source.close()


class SourceDesk:
    """Reads runs for the server, in threads of its own.

    Args:
        shelf: Where they are found.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    async def read(self, key: str, ask: Callable[[Source], Read]) -> Read:
        """Return what a run answers.

        Raises:
            Refusal: When there is no such run.
            EntropilotError: When it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, key, ask)

    async def read_two(self, one: str, other: str, ask: Callable[[Source, Source], Read]) -> Read:
        """Return what two runs answer together; they are held in one order, so that nobody waits for ever."""
        if one == other:
            return await self.read(one, lambda source: ask(source, source))
        if one < other:
            return await self.call(lambda: self._read(one, lambda a: self._read(other, lambda b: ask(a, b))))
        return await self.call(lambda: self._read(other, lambda b: self._read(one, lambda a: ask(a, b))))

    async def call(self, work: Callable[[], Read]) -> Read:
        """Return what a function returns that reads files, in one of the same threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def listing(self) -> RunListing:
        """Return the cards of all runs; one that cannot be read says why."""
        return await self.call(self._listing)

    async def of_all(self, ask: Callable[[Source], Read]) -> list[Read]:
        """Return what every run answers; one that cannot be opened is passed over."""
        return await self.call(lambda: self._of_all(ask))

    def warm(self, key: str) -> None:
        """Begin to read a run that will be asked for: a long one takes seconds the first time."""
        self._threads.submit(self._read, key, lambda source: source.moment())

    def close(self) -> None:
        """Release everything."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while self._opened:
            self._opened.popitem()[1].close()
        self.shelf.close()

    def _listing(self) -> RunListing:
        cards = [self._card(key) for key in list(self.shelf.keys())[:MAX_LISTED_RUNS]]
        return RunListing(runs=tuple(cards), as_of=datetime.now(UTC).isoformat(), notes=self.shelf.notes())

    def _card(self, key: str) -> RunCard:
        with self._lock:
            is_open = key in self._opened
        return self._read(key, lambda source: source.card()) if is_open else self.shelf.card(key)

    def _of_all(self, ask: Callable[[Source], Read]) -> list[Read]:
        found = []
        for key in list(self.shelf.keys())[:MAX_LISTED_RUNS]:
            with suppress(EntropilotError):
                found.append(self._read(key, ask))
        return found

    def _read(self, key: str, ask: Callable[[Source], Read]) -> Read:
        while True:
            opened = self._open(key)
            with opened.lock:
                if opened.is_closed:  # by another thread, that needed its place meanwhile
                    continue
                try:
                    return ask(opened.source)
                except EntropilotError:
                    raise
                except Exception:
                    self._forget(key)  # it may have been changed below us: the next one opens it again
                    raise

    def _open(self, key: str) -> _Opened:
        with self._lock:
            if key in self._opened:
                self._opened.move_to_end(key)
                return self._opened[key]
        if key not in set(self.shelf.keys()):
            self._forget(key)
            raise not_found(
                f"There is no run {key[:MAX_KEY_SHOWN]!r} here",
                expected="the key of a run, as /api/runs lists them",
                action="choose one of the list of runs",
            )
        opened = _Opened(self.shelf.open(key))
        with self._lock:
            there = self._opened.setdefault(key, opened)
            surplus = [self._opened.popitem(last=False)[1]] if len(self._opened) > MAX_OPEN_RUNS else []
        for each in (*surplus, *(() if there is opened else (opened,))):
            each.close()
        return there

    def _forget(self, key: str) -> None:
        with self._lock:
            opened = self._opened.pop(key, None)
        if opened is not None:
            opened.is_closed = True
            with suppress(Exception):
                opened.source.close()
