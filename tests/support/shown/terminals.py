"""The terminal's view driven by a test: keys pressed, and what is then on the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from textual.pilot import Pilot
from textual.widgets import Static

from scenarios.watch.reading.find import open_run
from scenarios.watch.tui.app import Opened, WatchApp
from scenarios.watch.tui.orders import Give
from scenarios.watch.tui.reading import Shown
from scenarios.watch.tui.screen import RunScreen

PATIENCE_S: Final = 60.0
"""How long a screen may take on a loaded machine [s]."""

PLAIN: Final = (80, 24)
LARGE: Final = (120, 40)
"""Columns and lines of terminals."""

Play = Callable[["Terminal"], Awaitable[None]]


class Terminal:
    """The app while a test plays with it."""

    def __init__(self, app: WatchApp, pilot: Pilot[None]) -> None:
        self.app, self._pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self._pilot.press(*keys)

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, f"{what}; the screen has\n{self.text()}"
            await self._pilot.pause(0.02)

    def screen(self) -> RunScreen:
        """The run's screen, whatever dialog is over it."""
        return next(each for each in self.app.screen_stack if isinstance(each, RunScreen))

    def shown(self) -> Shown | None:
        """What the screen shows."""
        return next((each.shown for each in self.app.screen_stack if isinstance(each, RunScreen)), None)

    def part(self, name: str) -> str:
        """The text of a part of the run's screen."""
        return _text(self.screen().query_one(f"#{name}", Static))

    def text(self) -> str:
        """All text of the screen on top."""
        return "\n".join(_text(each) for each in self.app.screen.query(Static))

    def lines(self) -> list[str]:
        """The screen as the terminal has it, line by line."""
        return [
            "".join(segment.text for segment in line).rstrip() for line in self.app.screen._compositor.render_strips()
        ]


def _text(widget: Static) -> str:
    from rich.console import Console

    console = Console(width=widget.size.width or 80, no_color=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(widget.content)
    return captured.get()


def play_terminal(
    folder: Path, play: Play, *, give: Give | None = None, why_not: str = "", size: tuple[int, int] = PLAIN
) -> None:
    """Show a run on a terminal of a size, and play with it once the run is on the screen."""
    play_opened(lambda _key: (open_run(folder), give, why_not), play, size=size)


def play_opened(
    open_one: Callable[[str], Opened], play: Play, *, key: str = "run", size: tuple[int, int] = PLAIN
) -> None:
    """Show a run, wherever it is read, and play with it once it is on the screen."""

    async def run() -> None:
        app = WatchApp(open_one, key)
        async with app.run_test(size=size) as pilot:
            terminal = Terminal(app, pilot)
            await terminal.until(lambda: terminal.shown() is not None, "the run is not shown")
            await pilot.pause(0.1)
            await play(terminal)

    asyncio.run(run())
