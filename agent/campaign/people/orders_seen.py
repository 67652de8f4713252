"""Which orders of operators are in the journal: a part of the campaign's state, folded from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """A control that is in the journal.

    Attributes:
        row: Number of its row, the first of them.
        refused: Why it was refused; empty where it was not.
    """

    row: int
    refused: str = ""


@dataclass(slots=True)
class OrdersSeen:
    """The orders so far.

    Attributes:
        seen: Message id -> each control that is in the journal.
        noted: How many of them changed nothing.
        refused: How many of them were refused.
        about: How often an operator has changed what is known of each candidate.
        pauses: How often one has paused the campaign.
        budgets: How often one has set its budget.
        last_sent_at: When the last pause or resumption was sent that was carried out; None before there was one.
    """

    seen: dict[str, ControlSeen] = field(default_factory=dict)
    noted: int = 0
    refused: int = 0
    about: Counter[str] = field(default_factory=Counter)
    pauses: int = 0
    budgets: int = 0
    last_sent_at: datetime | None = None
