"""How far the clocks of others differ from ours, by when their messages say that they were sent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from scenarios.doctor.checks import Check, passed, warned

TOLERATED: Final = timedelta(seconds=2)
"""A difference that hurts nobody: times are for people, and orders from before a campaign's beginning are refused."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of somebody's.

    Attributes:
        sender: Who says it.
        sent_at: When, by the sender's clock.
        heard_at: When it came, by ours.
        retained: Whether the broker had kept it: it may be old, and never from tomorrow.
    """

    sender: str
    sent_at: datetime
    heard_at: datetime
    retained: bool


def differences(messages: Iterable[Heard]) -> dict[str, timedelta]:
    """Return by how much each sender's clock is ahead of ours, at least; senders of old messages are left out.

    A message that was on its way, or kept, makes a clock seem slow. So of several the one that makes it seem the
    fastest is nearest to the truth.
    """
    found: dict[str, timedelta] = {}
    for each in messages:
        ahead = each.sent_at - each.heard_at
        if not each.retained or ahead > timedelta():
            found[each.sender] = max(found.get(each.sender, ahead), ahead)
    return found


def judge_clocks(messages: Iterable[Heard]) -> list[Check]:
    """Return what the clocks of others come to."""
    ahead = differences(messages)
    wrong = {name: by for name, by in ahead.items() if abs(by) > TOLERATED}
    if wrong:
        return [
            warned(
                "clocks",
                f"its clock is {abs(by.total_seconds()):,.1f} s {'ahead of' if by > timedelta() else 'behind'} ours",
                "set both clocks by a time server (NTP): times of results and orders are compared",
                subject=name,
            )
            for name, by in sorted(wrong.items())
        ]
    if not ahead:
        return [passed("clocks", "nobody said anything meanwhile by which clocks could be compared")]
    return [passed("clocks", f"those of {', '.join(sorted(ahead))} are within {TOLERATED.total_seconds():g} s of ours")]
