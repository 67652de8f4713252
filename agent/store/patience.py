"""How long a database that is away is waited for, and who is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from protocols.errors import DatabaseAway

FIRST_PAUSE_S: Final = 0.1
"""Before the second try: a server that restarts in peace is back within a second."""

LONGEST_PAUSE_S: Final = 2.0
"""Between later ones: a try costs next to nothing, and the lab waits."""

Result = TypeVar("Result")


class Patience:
    """Waits for a database.

    Args:
        limit_s: How long [s]; 0 does not wait.
        tell: Called with a sentence when the wait begins, and when it has ended well.
    """

    def __init__(self, limit_s: float = 0.0, tell: Callable[[str], None] = lambda _sentence: None) -> None:
        self._limit_s = limit_s
        self._tell = tell
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """End a wait that goes on in another thread, and every later one."""
        self._given_up.set()

    def wait_for(self, attempt: Callable[[], Result]) -> Result:
        """Try until the database is there; return what the attempt returns.

        Raises:
            DatabaseAway: When it has not come back in time.
        """
        began = time.monotonic()
        pause_s = FIRST_PAUSE_S
        told = False
        while True:
            try:
                result = attempt()
            except DatabaseAway as away:
                waited_s = time.monotonic() - began
                if waited_s >= self._limit_s or self._given_up.is_set():
                    raise self._too_long(away, waited_s) from None
                if not told:
                    told = True
                    self._tell(f"{away.found.rstrip('.')}; it is waited for, up to {self._limit_s:g} s")
            else:
                if told:
                    self._tell(f"The database is there again, after {time.monotonic() - began:.1f} s")
                return result
            self._given_up.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _too_long(self, away: DatabaseAway, waited_s: float) -> DatabaseAway:
        if not self._limit_s:
            return away
        why = "and the run was to end" if waited_s < self._limit_s else "campaign.database_timeout_s says no longer"
        return DatabaseAway(
            f"{away.found.rstrip('.')}; it was waited for {waited_s:.0f} s, {why}",
            expected=away.expected,
            action=away.action,
        )
