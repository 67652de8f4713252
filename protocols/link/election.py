"""Two parts of one name on one broker (agents of a campaign, instruments of an id) notice each other; one gives way.

In one folder, and on one database, a lock keeps the second from starting. Elsewhere only the broker knows of both: each
says on the status topic of its name which one it is and whether it was there before (`protocols.wire.messages.Status`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final

from protocols.errors import BrokerError
from protocols.wire.messages import Health, Status

LISTEN_S: Final = 0.25
"""How long a newcomer listens before its first request or evaluation: what the broker retains comes with the
subscription."""

PROBATION_S: Final = 5.0
"""How long a part counts as a newcomer after its first connect: over a slow link, time enough to hear of another. One
that finds the word of another retained does nothing that long, for the work might be done twice, or for nobody."""


class Election:
    """Whether this part was there before, and may do anything yet.

    Args:
        instance: Names this part among those of its name.
        giving_way: Makes the error of the one who gives way.
    """

    def __init__(self, instance: str, giving_way: Callable[[], BrokerError]) -> None:
        self.may_act = asyncio.Event()
        """Set when it has listened long enough."""
        self.gave_way = False
        """Whether another one goes on."""
        self._instance = instance
        self._giving_way = giving_way
        self._first_up_s = math.inf
        self._another_may_be_there = False
        self._superior: Status | None = None

    def connected(self, now: float) -> bool:
        """Note a connect [s, monotonic]; return whether it is the first."""
        first = math.isinf(self._first_up_s)
        self._first_up_s = min(self._first_up_s, now)
        return first

    def is_incumbent(self, now: float) -> bool:
        """Tell whether this part has been connected long enough not to give way to a newcomer."""
        return now - self._first_up_s >= PROBATION_S

    async def listen(self) -> None:
        """Let nothing happen before we know whether there is another of this name."""
        await asyncio.sleep(LISTEN_S)
        if self._another_may_be_there:
            await asyncio.sleep(PROBATION_S - LISTEN_S)
        self.may_act.set()

    def meet(self, other: Status, *, retained: bool, now: float) -> bool:
        """Settle with another part who goes on: the incumbent, else the lesser name.

        What is retained may be years old, so only a live word counts. Nor does one word do: our own comes back to us,
        and a bit that flips in its name makes it another's. One who is there says so again when we answer.

        Returns:
            Whether we must say that we are here: the other one will then give way.

        Raises:
            BrokerError: When we must give way.
        """
        if other.instance is None or other.instance == self._instance:
            return False
        if retained:
            self._another_may_be_there = other.health is Health.ONLINE
            return False
        theirs_first = (not other.incumbent, other.instance) < (not self.is_incumbent(now), self._instance)
        if other.health is not Health.ONLINE or not theirs_first:
            return True
        heard, self._superior = self._superior, other
        if heard is not None and heard.instance == other.instance and heard.message_id != other.message_id:
            self.gave_way = True
            raise self._giving_way()
        self._another_may_be_there = True
        return True


def another_agent(campaign: str) -> BrokerError:
    """Return the error of an agent that gives way."""
    return BrokerError(
        f"Another agent runs campaign {campaign!r} on this broker, from another run folder",
        expected="one agent per campaign",
        action="end the other one and run again with --resume, or choose another --campaign",
    )


def another_instrument(simulator: str) -> BrokerError:
    """Return the error of an instrument that gives way."""
    return BrokerError(
        f"Another instrument is called {simulator!r} on this broker, with another memory",
        expected="one instrument of an id",
        action="end the other one, or give this one another --id",
    )
