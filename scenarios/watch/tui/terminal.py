"""`entropilot watch --tui`: the view of a run, or of all below a folder, attached to them on this terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import SettingsError, StoreError
from protocols.extras import load
from protocols.storage.server_url import DatabaseUrl
from scenarios.watch.reading.find import card_of_run, find_run, find_runs, open_run
from scenarios.watch.state.runs import RunCard
from scenarios.watch.tui.orders import to_run

if TYPE_CHECKING:
    from scenarios.watch.tui.app import Opened

LOOK_ONLY = "it was opened with --read-only"


def watch_in_terminal(
    run: str | None,
    runs: Path,
    *,
    database: DatabaseUrl | None = None,
    read_only: bool = False,
    operator: str | None = None,
    keys: Path | None = None,
) -> None:
    """Show a run until the person leaves; the run goes on.

    Args:
        run: Its folder, or its name below `runs`; None to choose one of all.
        runs: Where run folders are.
        database: Of the run, where it is another than its folder says.
        read_only: Whether no order can be given.
        operator: Who gives orders; None for the user of this system.
        keys: File of that one's keys.

    Raises:
        SettingsError: When the extra is missing, or this is no terminal.
        StoreError: When there is no such run, or none at all.
    """
    refs = [find_run(run, runs)] if run is not None else find_runs(runs)
    if not refs:
        raise StoreError(f"There is no run below {runs}", expected="a run folder", action="start one, or name --runs")
    folders = {ref.key: ref.folder for ref in refs}

    def open_one(key: str) -> Opened:
        source = open_run(folders[key], database, key)
        return source, None if read_only else to_run(folders[key], runs, operator, keys), LOOK_ONLY if read_only else ""

    show_on_terminal(open_one, refs[0].key if run is not None else None, lambda: [card_of_run(ref) for ref in refs])


def show_on_terminal(
    open_one: Callable[[str], Opened], key: str | None, cards: Callable[[], Sequence[RunCard]] = list
) -> None:
    """Show runs that are opened by their keys, wherever they are read from.

    Args:
        open_one: Opens a run: its source, what gives it orders, and why nothing does.
        key: The one that is shown; None to choose.
        cards: Returns what there is to choose from.

    Raises:
        SettingsError: When the extra is missing, or this is no terminal.
        StoreError: When the run cannot be opened.
    """
    load("textual")
    require_terminal()
    from scenarios.watch.tui.app import WatchApp

    app = WatchApp(open_one, key, cards() if key is None else ())
    app.run()
    if app.problem is not None:
        raise app.problem


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
