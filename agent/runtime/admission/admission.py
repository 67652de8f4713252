"""What stands between a committed request and the broker: whether its recipient may be asked at all, then its turn."""

from __future__ import annotations

from collections.abc import Callable, Collection

from agent.campaign.limits.pace import PaceLimits
from agent.campaign.state import Attempt
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.one_each import OneEach
from agent.runtime.admission.pace import Pace


class Admission:
    """Lets requests out.

    Args:
        pace: When; without one, at once.
        live: To whom; without one, to everybody.
        one_each: Which instruments have one request at a time; without it, none need to.

    Attributes:
        there: Returns who is there.
    """

    def __init__(
        self, pace: Pace | None = None, live: LiveGuard | None = None, one_each: OneEach | None = None
    ) -> None:
        self.pace = pace or Pace(PaceLimits())
        self.live = live or LiveGuard()
        self.one_each = one_each
        self.there: Callable[[], Collection[str]] = tuple

    def follow(self, there: Callable[[], Collection[str]], on_turn: Callable[[str], None]) -> None:
        """Say who is there, and what happens when a request that waited goes out: its clock begins.

        Args:
            there: Returns who is there.
            on_turn: Called with the attempt.
        """
        self.there, self.pace.on_turn = there, on_turn
        if self.one_each is not None:
            self.one_each.on_turn = on_turn

    def is_held(self, attempt_id: str) -> bool:
        """Tell whether a request waits for its turn: nobody can answer it, and its time does not run."""
        is_queued = self.one_each is not None and self.one_each.is_held(attempt_id)
        return is_queued or self.pace.is_held(attempt_id)

    async def admit(self, attempt: Attempt, is_wanted: Callable[[], bool]) -> bool:
        """Wait until a request may go out; return False when it is no longer wanted.

        Args:
            attempt: Whose request it is.
            is_wanted: Tells whether it is to go out at all.

        Raises:
            CampaignHalted: When its recipient is real, and nobody has allowed that.
            StoreError: When its turn cannot be written down.
        """
        if not await self.live.admit(attempt.recipient, self.there, is_wanted):
            return False
        if self.one_each is not None and not await self.one_each.turn(attempt, is_wanted):
            return False
        return await self.pace.turn(attempt.attempt_id, is_wanted)
