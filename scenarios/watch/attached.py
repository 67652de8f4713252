"""`watch --json`: a run, or a campaign of a broker, as lines for programs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from protocols.errors import SettingsError
from scenarios.display.console import print_json
from scenarios.watch.watch import WatchRequest, shelf_of

if TYPE_CHECKING:
    from scenarios.watch.serving.desk import Shelf

MAX_NAMES_SHOWN: Final = 10
"""Most runs that an error names."""


def print_lines(request: WatchRequest) -> None:
    """Print a line of JSON for each change of one run, until its campaign has ended.

    Raises:
        SettingsError: When there are several, and none is named.
        StoreError: When the run cannot be read.
        BrokerError: When the broker cannot be reached at the beginning, or lets nobody listen any more.
    """
    from scenarios.watch.lines import shadow_lines, watch_lines
    from scenarios.watch.reading.shadow import ShadowReader, is_shadow

    shelf = shelf_of(request)
    try:
        key = _the_one(shelf)
        folder = shelf.folder(key)
        if folder is not None and is_shadow(folder):
            _print(shadow_lines(ShadowReader(key, folder)))
            return
        with contextlib.closing(shelf.open(key)) as source:
            _print(watch_lines(source))
    finally:
        shelf.close()


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print_json(line)
        sys.stdout.flush()


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
