"""Keeps requests from instruments that do not call themselves simulated, unless a person has allowed a real lab."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from agent.campaign.limits.live import why_real
from agent.runtime.presence import MAX_KNOWN
from protocols.errors import CampaignHalted
from protocols.wire.messages import Capabilities
from protocols.wire.topics import ANY_SIMULATOR

SILENCE_S: Final = 10.0
"""How long an instrument that is there may say nothing of itself before it is taken for real [s]: what it announces is
retained, and comes within two seconds of connecting."""

LISTEN_S: Final = 1.0
"""How long is listened for all who may answer a request to anybody, before the first of those [s]: what is retained
comes at once."""

LOOK_EVERY_S: Final = 0.25
"""How often we look whether it has, or has come [s]."""


class LiveGuard:
    """Looks at what instruments say of themselves, since this process began: who was simulated once may be real today.

    Args:
        is_live: Whether a person has allowed a real lab.
        recipients: Whom the campaign asks.
    """

    def __init__(self, *, is_live: bool = True, recipients: Collection[str] = ()) -> None:
        self._is_live = is_live
        self._recipients = frozenset(recipients)
        self._said: dict[str, dict[str, tuple[datetime, bool]]] = {}
        """Instrument -> campaign level of its topic -> when it said so by its clock, and whether it is simulated."""
        self._news = asyncio.Event()
        self._first_s: float | None = None

    def hear(self, word: Capabilities) -> None:
        """Take in what an instrument says of itself; an older word that comes again counts for nothing."""
        if not self._is_asked(word.simulator):
            return
        said = self._said.setdefault(word.simulator, {})
        if word.campaign not in said or word.sent_at >= said[word.campaign][0]:
            said[word.campaign] = (word.sent_at, word.simulated)
            self._news.set()

    async def admit(
        self, recipient: str, there: Callable[[], Collection[str]], is_wanted: Callable[[], bool] = lambda: True
    ) -> bool:
        """Wait until a recipient may be asked; return False when the request is no longer wanted.

        A moment's silence is waited for. Whoever may answer for "any" is listened for that long before the first is.

        Args:
            recipient: Whom a request is for; "any" means all that have been heard.
            there: Returns who is there.
            is_wanted: Tells whether it is to go out at all: the link is up, and its answer awaited.

        Raises:
            CampaignHalted: When it is real, as far as it says, and nobody has allowed that.
        """
        silent_s, now = 0.0, asyncio.get_running_loop().time
        self._first_s = now() if self._first_s is None else self._first_s
        while not self._is_live and is_wanted():
            asked = self._asked(recipient, there())
            reason = why_real(asked)
            if not reason and (recipient != ANY_SIMULATOR or now() - self._first_s >= LISTEN_S):
                break
            if reason and (silent_s >= SILENCE_S or False in asked.values()):
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
        return is_wanted()

    def _is_asked(self, instrument: str) -> bool:
        """Tell whether an instrument may be asked; of made-up names no more are kept than can be there."""
        if ANY_SIMULATOR not in self._recipients:
            return not self._recipients or instrument in self._recipients
        return instrument in self._said or len(self._said) < MAX_KNOWN

    def _asked(self, recipient: str, there: Collection[str]) -> dict[str, bool | None]:
        """Return what is known of those whom a request to a recipient may reach."""
        named = {*there, *self._said} if recipient == ANY_SIMULATOR else {recipient}
        return {name: self._is_simulated(name) for name in sorted(named) or [recipient]}

    def _is_simulated(self, instrument: str) -> bool | None:
        """Return whether an instrument calls itself simulated wherever it speaks; None where it says nothing."""
        said = self._said.get(instrument)
        return None if not said else all(simulated for _, simulated in said.values())
