"""Who is there when a campaign of several instruments begins, and what they can do: heard before work is given out.

Without this every instrument in the plan would get its share at once, and one that never came would hold it until its
grace is over (`agent.runtime.presence`). Where all are there, nothing is waited for and nothing is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from protocols.errors import MessageError
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.signing.signature import require_signature
from protocols.signing.status_order import StatusOrder
from protocols.wire.codec import decode
from protocols.wire.messages import Capabilities, Health, Status
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR, Channel, parse

ANNOUNCING_S: Final = 0.5
"""How long those that are there may take to say what they can do: they do so at once, and old ones never do."""

HEARING_S: Final = 3.0
"""How long is listened after the connect: what the broker retains comes at once, and who starts with us some moments
later."""


class Gathering:
    """Listens beside the loop, which takes the same messages afterwards.

    Args:
        recipients: Who may be asked, and is not known to be away.
        require_signatures: Whether only a signed word counts, as in the loop; one that is sent again never does.
    """

    def __init__(self, recipients: Iterable[str], *, require_signatures: bool = False) -> None:
        self._recipients = frozenset(recipients)
        self._require_signatures = require_signatures
        self._status_order = StatusOrder()
        self._there: set[str] = set()
        self.announced: dict[str, tuple[Capabilities, str]] = {}
        """Instrument -> what it said that it can do, and who signed it."""
        self._all_there_s: float | None = None
        self._up_s: float | None = None
        self._news = asyncio.Event()
        self._is_over = len(self._recipients) < 2  # noqa: PLR2004 - with one there is nothing to choose

    @property
    def absent(self) -> tuple[str, ...]:
        """Who was not heard of while another was, sorted; nobody while nobody was."""
        return tuple(sorted(self._recipients - self._there)) if self._there else ()

    def note(self, item: Delivery | LinkUp | LinkDown, now: float) -> None:
        """Take in what the link brought [now: s, monotonic]."""
        if self._is_over:
            return
        match item:
            case LinkUp():
                self._up_s = now
            case LinkDown():
                self._up_s = None
            case Delivery():
                self._note_word(item)
        if not self._there >= self._recipients:
            self._all_there_s = None
        elif self._all_there_s is None:
            self._all_there_s = now
        self._news.set()

    def wake(self) -> None:
        """Look whether we are to end."""
        self._news.set()

    async def wait(self, *, unless: Callable[[], bool]) -> None:
        """Wait until all are there, or the time is over."""
        loop = asyncio.get_running_loop()
        while not self._is_over and not unless() and not self._is_complete():
            left_s = None if self._up_s is None else self._end_s(self._up_s) - loop.time()
            if left_s is not None and left_s <= 0:
                break
            self._news.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._news.wait()
            except TimeoutError:
                break
        self._is_over = True

    def _is_complete(self) -> bool:
        """Tell whether there is nothing left to hear: all are there, and have said what they can do."""
        named = self._recipients - {ANY_SIMULATOR}
        return self._there >= self._recipients and self.announced.keys() >= named

    def _end_s(self, up_s: float) -> float:
        """Return until when is listened [s, monotonic]."""
        end_s = up_s + HEARING_S
        return end_s if self._all_there_s is None else min(end_s, self._all_there_s + ANNOUNCING_S)

    def _note_word(self, delivery: Delivery) -> None:
        try:
            if parse(delivery.topic).channel not in {Channel.STATUS, Channel.CAPABILITIES}:
                return
            require_signature(delivery, always=self._require_signatures)
            word = decode(delivery.topic, delivery.payload)
        except MessageError:
            return
        if isinstance(word, Capabilities) and word.simulator in self._recipients:
            self.announced[word.simulator] = (word, delivery.signed_by)
        elif isinstance(word, Status) and word.client != AGENT_CLIENT:
            self._note_status(word, delivery.signed_by)

    def _note_status(self, status: Status, signed_by: str) -> None:
        if signed_by and not self._status_order.is_new(status):
            return
        named = {status.client, ANY_SIMULATOR} & self._recipients
        if status.health is Health.ONLINE:
            self._there |= named
        else:
            self._there -= named - {ANY_SIMULATOR}
