"""Lets an instrument have one request at a time, where its answers could not be told apart otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final

from agent.campaign.state import Attempt

LOOK_EVERY_S: Final = 0.25
"""How often one that waits looks whether the request before it has its answer [s]."""


class OneEach:
    """Who has a request.

    Args:
        in_flight: Returns the ids of the attempts that are awaited.
        asked: Attempts that an earlier process sent, and that are awaited.

    Attributes:
        on_turn: Called with an attempt that waited, when it goes out: its clock begins.
    """

    def __init__(self, in_flight: Callable[[], Collection[str]], asked: Iterable[Attempt] = ()) -> None:
        self.on_turn: Callable[[str], None] = lambda _attempt_id: None
        self._in_flight = in_flight
        self._with = {each.recipient: each.attempt_id for each in asked}
        self._held: set[str] = set()

    def is_held(self, attempt_id: str) -> bool:
        """Tell whether a request waits for the one before it."""
        return attempt_id in self._held

    async def turn(self, attempt: Attempt, is_wanted: Callable[[], bool]) -> bool:
        """Wait until an instrument has no other request; return False when this one is no longer wanted.

        Args:
            attempt: Whose request it is.
            is_wanted: Tells whether it is to go out at all.
        """
        has_waited = False
        self._held.add(attempt.attempt_id)
        try:
            while is_wanted():
                other = self._with.get(attempt.recipient)
                if other in {None, attempt.attempt_id} or other not in self._in_flight():
                    self._with[attempt.recipient] = attempt.attempt_id
                    break
                has_waited = True
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return False
        finally:
            self._held.discard(attempt.attempt_id)
        if has_waited:
            self.on_turn(attempt.attempt_id)
        return True
