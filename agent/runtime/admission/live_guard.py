"""Keeps requests from instruments that do not call themselves simulated, unless a person has allowed a real lab."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from agent.campaign.limits.live import why_real
from protocols.errors import CampaignHalted
from protocols.wire.messages import Capabilities
from protocols.wire.topics import ANY_SIMULATOR

SILENCE_S: Final = 10.0
"""How long an instrument that is there may say nothing of itself before it is taken for real [s]: what it announces is
retained, and comes within two seconds of connecting."""

LOOK_EVERY_S: Final = 0.25
"""How often we look whether it has, or has come [s]."""


class LiveGuard:
    """Looks at what instruments say of themselves.

    Args:
        is_live: Whether a person has allowed a real lab.
        known: What instruments have said of themselves before: whether they are simulated.
    """

    def __init__(self, *, is_live: bool = True, known: Mapping[str, bool] | None = None) -> None:
        self._is_live = is_live
        self._said = dict(known or {})
        self._news = asyncio.Event()

    def hear(self, word: Capabilities) -> None:
        """Take in what an instrument says of itself."""
        self._said[word.simulator] = word.simulated
        self._news.set()

    async def admit(self, recipient: str, there: Callable[[], Collection[str]]) -> None:
        """Return when a recipient may be asked; a moment's silence is waited for.

        Args:
            recipient: Whom a request is for; "any" means all that have been heard.
            there: Returns who is there.

        Raises:
            CampaignHalted: When it is real, as far as it says, and nobody has allowed that.
        """
        silent_s = 0.0
        while reason := self._why_not(recipient, there()):
            asked = self._asked(recipient, there())
            if silent_s >= SILENCE_S or False in asked.values():
                raise CampaignHalted(
                    f"Nothing was asked of the lab: {reason}",
                    expected="instruments that call themselves simulated, or a person's word that a real lab is meant",
                    action="run again with --resume --live, at a broker that live.brokers names",
                )
            self._news.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                silent_s += LOOK_EVERY_S if asked.keys() & set(there()) else 0.0

    def _why_not(self, recipient: str, there: Collection[str]) -> str:
        return "" if self._is_live else why_real(self._asked(recipient, there))

    def _asked(self, recipient: str, there: Collection[str]) -> dict[str, bool | None]:
        """Return what is known of those whom a request to a recipient may reach."""
        named = {*there, *self._said} if recipient == ANY_SIMULATOR else {recipient}
        return {name: self._said.get(name) for name in sorted(named) or [recipient]}
