"""Where a run is shown while a person watches it: in place on a terminal, in a log a line now and then.

It only shows: it reads no clock, decides nothing, and must never stop a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live

from scenarios.display.console import PlainConsole
from scenarios.run.live.state import LiveState
from scenarios.run.live.terminal import render
from scenarios.run.live.words import progress_line, share

REFRESHES_PER_S: Final = 8
"""How often the terminal is redrawn [1/s]: looks steady, costs little."""

LOG_INTERVAL_S: Final = 5.0
"""Least time between two lines in a log [s]..."""

LOG_SHARE: Final = 0.1
"""...unless so much more of the budget [1] is spent."""


@dataclass(slots=True)
class LiveView:
    """Shows states while it is entered: in place on a terminal, as lines elsewhere.

    Args:
        console: Where to; the terminal's error output by default, so that results can be piped.
    """

    console: Console = field(default_factory=lambda: PlainConsole(stderr=True))
    _live: Live | None = field(default=None, init=False)
    _logged: LiveState | None = field(default=None, init=False)
    _last: LiveState | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(console=self.console, refresh_per_second=REFRESHES_PER_S, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        elif self._last is not None and self._last is not self._logged:
            self._log(self._last)

    def show(self, state: LiveState) -> None:
        """Show a state: now on a terminal, when it is worth a line in a log."""
        self._last = state
        if self._live is not None:
            self._live.update(render(state, self.console.height, self.console.width))
        elif self._logged is None or _worth_a_line(self._logged, state):
            self._log(state)

    def _log(self, state: LiveState) -> None:
        self._logged = state
        self.console.print(progress_line(state), soft_wrap=True, highlight=False, markup=False)


def _worth_a_line(before: LiveState, now: LiveState) -> bool:
    return (
        now.elapsed_s - before.elapsed_s >= LOG_INTERVAL_S
        or share(now) - share(before) >= LOG_SHARE
        or now.phase != before.phase
        or now.connected != before.connected
        or now.waiting_for != before.waiting_for
    )
