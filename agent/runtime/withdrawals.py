"""Attempts that nobody waits for any more and nobody has answered: their instruments are told to leave them.

Expired, overtaken by another attempt's value, excluded, or handed on while the instrument was away. A word that gets
lost costs an evaluation in vain and nothing else, so it is said when it comes up, with every connection, and when the
instrument comes back; the last ones only, for an instrument's queue is short.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent.campaign.state import Attempt, Campaign

MAX_REMEMBERED: Final = 256
"""Attempts that are withdrawn again, the last ones: as many as can be in flight at once."""


class Withdrawals:
    """What is to be withdrawn from the queues of instruments.

    Args:
        campaign: The state; only read.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._awaited = dict(campaign.in_flight)
        self._open: dict[str, Attempt] = {}
        self._remember(each for each in campaign.attempts.values() if not each.in_flight and not _is_answered(each))

    def new(self) -> list[Attempt]:
        """Return what is awaited no longer since the last call; once after every transaction."""
        in_flight = self._campaign.in_flight
        landed = [each for each in self._awaited.values() if each.attempt_id not in in_flight]
        self._awaited = dict(in_flight)
        silent = [each for each in landed if not _is_answered(each)]
        self._remember(silent)
        return silent

    def of(self, recipient: str | None = None) -> list[Attempt]:
        """Return what is withdrawn and still has no answer: of a recipient, or of everybody."""
        self._open = {name: each for name, each in self._open.items() if not _is_answered(each)}
        return [each for each in self._open.values() if recipient in {None, each.recipient}]

    def _remember(self, attempts: Iterable[Attempt]) -> None:
        for each in attempts:
            self._open[each.attempt_id] = each
            if len(self._open) > MAX_REMEMBERED:
                del self._open[next(iter(self._open))]


def _is_answered(attempt: Attempt) -> bool:
    return bool(attempt.results) or attempt.failure_seen
