"""Keeps requests from instruments that do not call themselves simulated, unless a person has allowed a real lab."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from agent.campaign.limits.live import why_real
from protocols.errors import CampaignHalted
from protocols.wire.topics import ANY_SIMULATOR

SILENCE_S: Final = 10.0
"""How long an instrument that is there may say nothing of itself before it is taken for real [s]: what it announces is
retained, and comes within two seconds of connecting."""

LOOK_EVERY_S: Final = 0.25
"""How often we look whether it has."""

SILENCE_IS_ALLOWED: Final = True
"""Whether an instrument may be asked that has said nothing of itself: as long as none can, for no message says it."""


class LiveGuard:
    """Looks at what instruments say of themselves.

    Args:
        is_live: Whether a person has allowed a real lab.
        known: Returns what instruments have said of themselves so far: whether they are simulated.
        silence_is_allowed: Whether who says nothing of itself may be asked all the same.
    """

    def __init__(
        self,
        *,
        is_live: bool = True,
        known: Callable[[], Mapping[str, bool]] = dict,
        silence_is_allowed: bool = SILENCE_IS_ALLOWED,
    ) -> None:
        self._is_live = is_live
        self._known = known
        self._silence_is_allowed = silence_is_allowed

    async def admit(self, recipient: str, is_there: Callable[[str], bool]) -> None:
        """Return when a recipient may be asked; a moment's silence is waited for.

        Args:
            recipient: Whom a request is for; "any" means all that have been heard.
            is_there: Tells whether a recipient is there.

        Raises:
            CampaignHalted: When it is real, as far as it says, and nobody has allowed that.
        """
        silent_s = 0.0
        while reason := self._why_not(recipient):
            if silent_s >= SILENCE_S or False in self._asked(recipient).values():
                raise CampaignHalted(
                    f"Nothing was asked of the lab: {reason}",
                    expected="instruments that call themselves simulated, or a person's word that a real lab is meant",
                    action="run again with --resume --live, at a broker that live.brokers names",
                )
            await asyncio.sleep(LOOK_EVERY_S)
            silent_s += LOOK_EVERY_S if is_there(recipient) else 0.0

    def _why_not(self, recipient: str) -> str:
        if self._is_live:
            return ""
        known = self._asked(recipient)
        if self._silence_is_allowed:
            known = {name: said for name, said in known.items() if said is not None}
        return why_real(known)

    def _asked(self, recipient: str) -> dict[str, bool | None]:
        """Return what is known of those whom a request to a recipient may reach."""
        said = self._known()
        if recipient == ANY_SIMULATOR and said:
            return dict(said)
        return {recipient: said.get(recipient)}
