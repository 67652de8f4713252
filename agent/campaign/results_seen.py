"""Which results of an attempt the journal holds, so that a further one is known for what it is.

    the same content again, in whatever message, however long after     a repetition
    other content, where one that can be used is there already          a contradiction
    other content, where what is there was refused                      a correction, and as good as a first one

What is kept of each is a digest and the id of its message; of every attempt, at most a few.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agent.campaign.events import MeasuredQuantity
from protocols.wire.messages import ReceiptStatus

MAX_CONTRADICTIONS: Final = 4
"""Contradictions of one attempt that are journalled: enough to see that its lab is confused, or that somebody speaks in
its name. Further ones get the same receipt, and are only counted."""

MAX_KEPT_ASIDE: Final = 4
"""Results of one attempt that are journalled though they are of no use (late ones, and ones that break their contract):
a person corrects a value once or twice. Further ones get the same receipt, and are only counted."""

CONTENT_DIGEST_BYTES: Final = 16
"""Of the digest of a result's content: nobody finds another content of the same 128 bits."""

USABLE: Final = frozenset({ReceiptStatus.ACCEPTED, ReceiptStatus.LATE})
"""What became of a result that a further one can contradict."""


@dataclass(frozen=True, slots=True)
class ResultSeen:
    """A result that the journal holds.

    Attributes:
        message_id: Of the message that brought it; empty in journals of old.
        content: Digest of what it says; empty where the journal does not hold that.
        became: What became of it.
    """

    message_id: str
    content: str
    became: ReceiptStatus


def content_of(quantities: Iterable[MeasuredQuantity]) -> str:
    """Return the digest of what a result says: its quantities with unit and uncertainty, in whatever order."""
    rows = sorted((each.name, each.value, each.unit, each.standard_deviation or 0.0) for each in quantities)
    return hashlib.blake2b(repr(rows).encode(), digest_size=CONTENT_DIGEST_BYTES).hexdigest()


def repeated(seen: Iterable[ResultSeen], message_id: str, content: str) -> ResultSeen | None:
    """Return the result that a message repeats, or None where it says something new.

    The id tells only where the journal does not hold the content: one id with two contents is a contradiction too.
    """
    for each in seen:
        if each.content == content or (not each.content and each.message_id == message_id):
            return each
    return None


def is_contradiction(seen: Iterable[ResultSeen]) -> bool:
    """Tell whether another content contradicts what is there."""
    return any(each.became in USABLE for each in seen)


def may_be_journalled(seen: Iterable[ResultSeen], became: ReceiptStatus) -> bool:
    """Tell whether a further result that changes nothing is journalled, or only counted."""
    if became is ReceiptStatus.CONTRADICTS:
        return sum(each.became is became for each in seen) < MAX_CONTRADICTIONS
    return sum(each.became in {ReceiptStatus.LATE, ReceiptStatus.REFUSED} for each in seen) < MAX_KEPT_ASIDE
