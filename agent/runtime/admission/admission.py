"""What stands between a committed request and the broker: whether its recipient may be asked at all, then its turn."""

from __future__ import annotations

from collections.abc import Callable, Collection

from agent.campaign.limits.pace import PaceLimits
from agent.campaign.state import Attempt
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.pace import Pace


class Admission:
    """Lets requests out.

    Args:
        pace: When; without one, at once.
        live: To whom; without one, to everybody.

    Attributes:
        there: Returns who is there.
    """

    def __init__(self, pace: Pace | None = None, live: LiveGuard | None = None) -> None:
        self.pace = pace or Pace(PaceLimits())
        self.live = live or LiveGuard()
        self.there: Callable[[], Collection[str]] = tuple

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
        return await self.pace.turn(attempt.attempt_id, is_wanted)
