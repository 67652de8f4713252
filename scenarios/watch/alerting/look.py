"""Looks at all runs of a shelf again and again: what does not change is read once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.run_files import DATABASE
from protocols.errors import EntropilotError
from scenarios.observe.figures import RunFigures
from scenarios.watch.figures import figures_of
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.desk import Shelf

AT_REST: Final = frozenset({"finished", "interrupted"})
"""Phases in which a run's figures stay as they are until its database changes."""

Signature = tuple[int, ...]
"""Sizes and times of the files of a database."""


@dataclass(slots=True)
class _Known:
    """What is known of a run: its source while it is at work, else its figures and how its files were."""

    source: Source | None = None
    figures: RunFigures | None = None
    signature: Signature = ()


class Looker:
    """Returns the figures of all runs, whenever it is called.

    Args:
        shelf: Where the runs are.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, _Known] = {}

    def __call__(self) -> list[RunFigures]:
        """Look at all of them.

        Raises:
            EntropilotError: When nobody can say which runs there are.
        """
        keys = list(self._shelf.keys())
        for gone in self._known.keys() - set(keys):
            _close(self._known.pop(gone))
        return list(self._each(keys))

    def close(self) -> None:
        """Release what is open."""
        for known in self._known.values():
            _close(known)
        self._known.clear()

    def _each(self, keys: list[str]) -> Iterator[RunFigures]:
        for key in keys:
            with suppress(KeyError):  # its folder went while we looked
                if (figures := self._figures(key)) is not None:
                    yield figures

    def _figures(self, key: str) -> RunFigures | None:
        """Return the figures of a run; None of one that has not begun, or is no campaign's."""
        known = self._known.setdefault(key, _Known())
        folder = self._shelf.folder(key)
        signature = () if folder is None else _signature_of(folder)
        if known.figures is not None and signature and signature == known.signature:
            return known.figures
        try:
            if known.source is None:
                known.source = self._shelf.open(key)
        except EntropilotError:
            return None
        figures = figures_of(known.source)
        is_at_rest = figures.phase in AT_REST and bool(signature)
        known.figures, known.signature = (figures, signature) if is_at_rest else (None, ())
        if is_at_rest:
            _close(known)
        return figures


def _close(known: _Known) -> None:
    if known.source is not None:
        with suppress(EntropilotError):
            known.source.close()
    known.source = None


def _signature_of(folder: Path) -> Signature:
    """Return what changes when the database of a run folder does; nothing where it is on a server."""
    found: list[int] = []
    for name in (DATABASE, f"{DATABASE}-wal"):
        try:
            status = (folder / name).stat()
        except OSError:
            found += [0, 0]
        else:
            found += [status.st_size, status.st_mtime_ns]
    return tuple(found) if found[0] else ()
