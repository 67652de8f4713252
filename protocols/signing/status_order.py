"""Which signed statuses tell anything new: one that is sent again by somebody who has heard it changes nothing.

A signature does not say when. So of each client the latest word is remembered, of `online` and of `offline` apart: a
last will is made when its connection begins, and comes after what was said over it since. Each kind only goes forward.
A client whose clock was set back is not heard until it has caught up, or the listener is started again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from protocols.wire.messages import Health, Status

CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
"""How far the clocks of two parts of one name may differ for each to notice the other."""

MAX_CLIENTS: Final = 4_096
"""Clients whose latest word is remembered; the one that was heard first is forgotten for a further one."""


class StatusOrder:
    """What one listener has heard of the signed statuses of a campaign.

    Args:
        own: Its own name and instance; None where there is nobody to settle with.
        began: When it began [wall clock]: somebody else of its own name who is there says so after it.
    """

    def __init__(self, own: tuple[str, str] | None = None, *, began: datetime | None = None) -> None:
        self._own = own
        self._earliest = None if began is None else began - CLOCKS_DIFFER_BY
        self._latest: dict[tuple[str, str | None, Health], datetime] = {}

    def is_new(self, status: Status) -> bool:
        """Tell whether a signed status is later than all that were heard of its kind; it is then remembered."""
        is_of_our_name = self._own is not None and status.client == self._own[0]
        is_another = is_of_our_name and (status.client, status.instance) != self._own
        if is_another and self._earliest is not None and status.sent_at < self._earliest:
            return False  # somebody who was there once
        key = (status.client, status.instance if is_of_our_name else None, status.health)
        latest = self._latest.get(key)
        if latest is not None and status.sent_at <= latest:
            return False
        if latest is None and len(self._latest) >= MAX_CLIENTS:
            del self._latest[next(iter(self._latest))]
        self._latest[key] = status.sent_at
        return True
