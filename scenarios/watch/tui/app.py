"""The program on the terminal: a run, or the list of runs and the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from protocols.errors import EntropilotError
from scenarios.watch.reading.source import Source
from scenarios.watch.state.runs import RunCard
from scenarios.watch.tui.orders import Give
from scenarios.watch.tui.reading import RunLook
from scenarios.watch.tui.runs_screen import RunsScreen
from scenarios.watch.tui.screen import RunScreen

Opened = tuple[Source, Give | None, str]
"""A run, what gives it orders, and why nothing does."""


class WatchApp(App[None]):
    """Shows one run, or lets a person choose one.

    Args:
        open_one: Opens a run by its key.
        key: The one that is shown; None to choose.
        cards: What there is to choose from.
    """

    TITLE = "entropilot watch"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, open_one: Callable[[str], Opened], key: str | None, cards: Sequence[RunCard] = ()) -> None:
        super().__init__()
        self._open, self._key, self._cards = open_one, key, cards
        self.problem: EntropilotError | None = None
        """Why the run could not be opened."""

    def on_mount(self) -> None:
        """Show the run, or the list."""
        if self._key is not None:
            self._show(self._key)
        else:
            self.push_screen(RunsScreen(self._cards), self._show)

    def _show(self, key: str | None) -> None:
        if key is None:
            self.exit()
            return
        try:
            source, give, why_not = self._open(key)
        except EntropilotError as error:
            self.problem = error
            self.exit()
            return
        self.push_screen(RunScreen(RunLook(source), give, why_not))
