"""What recording, simulators and receipts are held against: a journal, its digests, and what is recorded beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.campaign.events import BudgetSet, CampaignFinished, Event, RequestIssued
from agent.campaign.plan import CampaignPlan
from scenarios.verify.anchors import Anchor, other_anchor
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.same_as_message import by_attempt


@dataclass(frozen=True, slots=True)
class KnownJournal:
    """What others are held against.

    Attributes:
        plan: Of the campaign.
        events: The journal.
        digests: Of its rows.
        recorded: The messages in its recording; None where they are not known.
    """

    plan: CampaignPlan
    events: Sequence[Event]
    digests: Sequence[str]
    recorded: RecordedMessages | None = None
    issued: Mapping[str, tuple[int, RequestIssued]] = field(init=False)
    answered: Mapping[str, Sequence[tuple[int, Event]]] = field(init=False)

    @property
    def is_over(self) -> bool:
        """Whether the campaign is finished; else it may go on while it is checked, and others know more rows.

        What comes late to a finished one is kept behind its last event.
        """
        ends = (each for each in reversed(self.events) if isinstance(each, CampaignFinished | BudgetSet))
        return isinstance(next(ends, None), CampaignFinished)

    def other_row(self, row: int | None, digest: str | None) -> str:
        """Return how a row and its digest that a message names do not fit, in words; empty when they do."""
        if not row or digest is None or (row > len(self.digests) and not self.is_over):
            return ""
        return other_anchor(Anchor("", row, digest), self.digests)

    def __post_init__(self) -> None:
        """Find the events of each attempt."""
        rows = enumerate(self.events, 1)
        issued = {each.attempt_id: (row, each) for row, each in rows if isinstance(each, RequestIssued)}
        object.__setattr__(self, "issued", issued)
        object.__setattr__(self, "answered", by_attempt(self.events))
