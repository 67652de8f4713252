"""`watch --json` and `watch --tui`: runs, or campaigns of a broker, as lines for programs or on this terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from protocols.errors import SettingsError
from scenarios.display.console import print_json
from scenarios.watch.watch import WatchRequest, shelf_of

if TYPE_CHECKING:
    from scenarios.watch.serving.desk import Shelf
    from scenarios.watch.tui.app import Opened

MAX_NAMES_SHOWN: Final = 10
"""Most runs that an error names."""


def print_lines(request: WatchRequest) -> None:
    """Print a line of JSON for each change of one run, until its campaign has ended.

    Raises:
        SettingsError: When there are several, and none is named.
        StoreError: When the run cannot be read.
        BrokerError: When the broker cannot be reached, or goes.
    """
    from scenarios.watch.lines import watch_lines

    shelf = shelf_of(request)
    try:
        source = shelf.open(_the_one(shelf))
        try:
            for line in watch_lines(source):
                print_json(line)
                sys.stdout.flush()
        finally:
            source.close()
    finally:
        shelf.close()


def show_in_terminal(request: WatchRequest) -> None:
    """Show runs on this terminal until the person leaves.

    Raises:
        SettingsError: When the extra is missing, or this is no terminal.
        StoreError: When there is no such run.
        BrokerError: When the broker cannot be reached.
    """
    from scenarios.watch.tui.terminal import LOOK_ONLY, show_on_terminal, watch_in_terminal

    if request.broker is None:
        request.require_possible()
        watch_in_terminal(
            request.run,
            request.runs,
            database=request.database,
            read_only=request.read_only,
            operator=request.operator,
            keys=request.keys,
        )
        return
    from scenarios.watch.tui.orders import to_place

    shelf = shelf_of(request)

    def open_one(key: str) -> Opened:
        give = None if request.read_only else to_place(lambda: shelf.place(key))
        return shelf.open(key), give, LOOK_ONLY if request.read_only else ""

    try:
        keys = list(shelf.keys())
        only = keys[0] if len(keys) == 1 else None
        show_on_terminal(open_one, only, lambda: [shelf.card(key) for key in keys])
    finally:
        shelf.close()


def _the_one(shelf: Shelf) -> str:
    """Return the only run that there is.

    Raises:
        SettingsError: When there is none, or there are several.
    """
    keys = list(shelf.keys())
    if len(keys) == 1:
        return keys[0]
    named = ", ".join(keys[:MAX_NAMES_SHOWN]) + (", …" if len(keys) > MAX_NAMES_SHOWN else "")
    raise SettingsError(
        f"--json tells one run, and there are {len(keys)}" if keys else "There is no run to tell of",
        expected="RUN, or --broker with --campaign" + (f"; there are {named}" if keys else ""),
        action="name one" if keys else "start one, or name --runs",
    )
