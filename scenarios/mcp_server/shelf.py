"""The runs that a language model may read: those below a folder, one run, or what a broker tells; by their keys alone.

A key is looked up among those that are listed. It is never a path: a model cannot have other files opened.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from protocols.errors import StoreError
from protocols.settings.suggestions import did_you_mean
from scenarios.watch.reading.find import RunRef, card_of_run, find_runs, open_run
from scenarios.watch.reading.source import Source
from scenarios.watch.state.runs import RunCard

MAX_OPEN: Final = 4
"""Most runs that are held open: each holds what it has read of a journal."""

MAX_LISTED: Final = 100
"""Most runs that are listed."""

MAX_NAMED: Final = 10
"""Most keys that an error names."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How a run is reached by whoever gives it orders.

    Attributes:
        folder: Its folder; None on a broker.
        broker: URL of the broker; None of a folder.
    """

    folder: Path | None = None
    broker: str | None = None


class Shelf(Protocol):
    """Where runs are read from."""

    def cards(self) -> list[RunCard]:
        """Return the runs, each with how it stands."""
        ...

    @contextmanager
    def opened(self, key: str) -> Iterator[Source]:
        """Hold a run for reading; one reader at a time.

        Raises:
            StoreError: When there is none of this key, or it cannot be read.
        """
        ...

    def reached(self, key: str) -> Reached:
        """Return how a run is reached.

        Raises:
            StoreError: When there is none of this key.
        """
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class RunsShelf:
    """Runs in folders.

    Args:
        runs: The folder of runs.
        only: The one run that may be read; None: all below the folder.
        database: Of another database than that run's own, or than it remembers.
    """

    def __init__(self, runs: Path, only: RunRef | None = None, database: str | None = None) -> None:
        self._runs, self._only, self._database = runs, only, database
        self._open: OrderedDict[str, Source] = OrderedDict()
        self._lock = threading.RLock()  # two runs are held at once to compare them

    def cards(self) -> list[RunCard]:
        """Return the runs, each with how it stands."""
        return [card_of_run(ref, self._database) for ref in self._refs()[:MAX_LISTED]]

    @contextmanager
    def opened(self, key: str) -> Iterator[Source]:
        """Hold a run for reading; one reader at a time."""
        with self._lock:
            yield self._source(self._ref(key))

    def reached(self, key: str) -> Reached:
        """Return how a run is reached."""
        return Reached(folder=self._ref(key).folder.resolve())

    def close(self) -> None:
        """Release what is held."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _refs(self) -> Sequence[RunRef]:
        return find_runs(self._runs) if self._only is None else [self._only]

    def _ref(self, key: str) -> RunRef:
        refs = {each.key: each for each in self._refs()}
        if not key and len(refs) == 1:
            return next(iter(refs.values()))
        if key not in refs:
            raise unknown_run(key, list(refs))
        return refs[key]

    def _source(self, ref: RunRef) -> Source:
        source = self._open.pop(ref.key, None) or open_run(ref.folder, self._database, ref.key)
        self._open[ref.key] = source
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)[1].close()
        return source


def unknown_run(key: str, known: Sequence[str]) -> StoreError:
    """Return the error of a key that names no run."""
    return StoreError(
        f"There is no run {key[:100]!r}" if key else "No run is named, and there are several",
        expected=f"one of {', '.join(known[:MAX_NAMED])}" + (", …" if len(known) > MAX_NAMED else "")
        if known
        else "a run; there are none yet",
        action=did_you_mean(key, known) or "list_runs shows them",
    )
