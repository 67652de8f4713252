"""`entropilot watch --tui`: the view of a run, or of all that are there, attached to them on this terminal."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final

from protocols.errors import SettingsError, StoreError
from protocols.extras import load
from scenarios.watch.tui.orders import to_place
from scenarios.watch.watch import WatchRequest, shelf_of

if TYPE_CHECKING:
    from scenarios.watch.serving.desk import Shelf
    from scenarios.watch.tui.app import Opened

LOOK_ONLY: Final = "it was opened with --read-only"


def watch_in_terminal(request: WatchRequest) -> None:
    """Show a run, or let a person choose one, until that one leaves; the runs go on.

    Args:
        request: Which, and who looks; what is said of the page does not matter here.

    Raises:
        SettingsError: When the extra is missing, or this is no terminal.
        StoreError: When there is no such run, or none at all.
        BrokerError: When the broker cannot be reached.
    """
    load("textual")
    require_terminal()
    from scenarios.watch.tui.app import WatchApp

    with closing(shelf_of(request)) as shelf:
        keys = list(shelf.keys())
        if not keys:
            where = request.broker or request.runs
            raise StoreError(f"There is no run at {where}", expected="one that has begun", action="start one")
        chosen = keys[0] if len(keys) == 1 else None
        cards = [] if chosen is not None else [shelf.card(key) for key in keys]
        app = WatchApp(partial(opened, shelf, read_only=request.read_only), chosen, cards)
        app.run()
        if app.problem is not None:
            raise app.problem


def opened(shelf: Shelf, key: str, *, read_only: bool) -> Opened:
    """Open a run: its source, what gives it orders, and why nothing does.

    Raises:
        EntropilotError: When it cannot be read.
    """
    give = None if read_only else to_place(lambda: shelf.place(key))
    return shelf.open(key), give, LOOK_ONLY if read_only else ""


def require_terminal() -> None:
    """Check that a person is at a terminal here.

    Raises:
        SettingsError: When input or output goes elsewhere.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SettingsError(
            "Input or output is no terminal",
            expected="a terminal, whose keys are read and which is drawn on",
            action="leave the pipe out, or take --json for lines",
        )
