"""What of a journal is rare and tells how a campaign stood: phases, budget, approvals, what went wrong, who ordered.

The many rows (requests, results, decisions) are asked for one by one where they are needed; of these here all are kept,
read once, and each time what is new. So the state at any row of the past is a look at what was before it.

The requests' view says of an attempt how it ended last: one that expired and was answered after all closes there with
its value. When it ended first stands here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, select

from agent.campaign.events import (
    EVENT_TYPES,
    AttemptFailed,
    BeginCorrected,
    BudgetSet,
    CampaignStarted,
    DecisionMade,
    Event,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    load_event,
)
from agent.campaign.plan import CampaignPlan
from agent.store.tables import JOURNAL
from protocols.errors import NotPossibleNow

MANY: Final = (RequestIssued, ResultAccepted, DecisionMade, StartSetLoaded)
"""Kinds of which there are as many as observations, or whose rows are as long as the dataset."""

RARE: Final = tuple(kind for kind in EVENT_TYPES if kind not in MANY)
"""All other kinds."""

_EVERY: Final = tuple(kind.__name__ for kind in EVENT_TYPES)

_HELD: Final = '%"held":true%'
"""What the row of a decision that waits for approval holds, and no other's does but in a text of a stranger's; it is
looked at again when it is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the journal, read."""

    sequence: int
    at: str
    event: Event


@dataclass(slots=True)
class Chronicle:
    """The rare rows of a journal.

    Attributes:
        kinds: Which of them are read.
        started: The first row; None before it.
        entries: In order.
        about: The same by the candidate that they are about.
        first_closed: Attempt -> the first row that ended it without a value.
        last: The journal's row up to which all is read.
        held: Whether there may be decisions that wait for approval.
    """

    kinds: tuple[type, ...] = RARE
    started: Entry | None = None
    entries: list[Entry] = field(default_factory=list)
    about: dict[str, list[Entry]] = field(default_factory=dict)
    first_closed: dict[str, int] = field(default_factory=dict)
    last: int = 0
    held: bool = False

    def read(self, connection: Connection, last: int) -> Sequence[Entry]:
        """Take in what is new up to a row, and return it.

        Args:
            connection: In a transaction.
            last: The journal's last row.
        """
        if last <= self.last:
            return ()
        columns = select(JOURNAL.c.sequence, JOURNAL.c.recorded_at, JOURNAL.c.kind, JOURNAL.c.payload)
        fresh = columns.where(JOURNAL.c.sequence > self.last, JOURNAL.c.sequence <= last)
        if (
            self.kinds is RARE
            and (unknown := connection.execute(fresh.where(JOURNAL.c.kind.not_in(_EVERY)).limit(1)).first()) is not None
        ):
            load_event(unknown.kind, unknown.payload)  # which says what to do
        names = [kind.__name__ for kind in self.kinds]
        rows = list(connection.execute(fresh.where(JOURNAL.c.kind.in_(names))).all())
        if self.started is None:
            first = connection.execute(columns.where(JOURNAL.c.sequence == 1)).first()
            event = None if first is None else load_event(first.kind, first.payload)
            if first is not None and isinstance(event, CampaignStarted):
                self.started = Entry(first.sequence, first.recorded_at, event)
                self.held = event.plan.approval.required != "never"
        if self.held:
            held = fresh.where(JOURNAL.c.kind == DecisionMade.__name__, JOURNAL.c.payload.like(_HELD))
            rows += connection.execute(held).all()
        read = [Entry(row.sequence, row.recorded_at, load_event(row.kind, row.payload)) for row in rows]
        entries = [each for each in read if not isinstance(each.event, DecisionMade) or each.event.held]
        entries.sort(key=attrgetter("sequence"))
        for entry in entries:
            self._note(entry)
        self.last = last
        return entries

    def _note(self, entry: Entry) -> None:
        self.entries.append(entry)
        event = entry.event
        for which in about(event):
            self.about.setdefault(which, []).append(entry)
        if isinstance(event, AttemptFailed | RequestExpired):
            self.first_closed.setdefault(event.attempt_id, entry.sequence)

    @property
    def plan(self) -> CampaignPlan:
        """The plan of a campaign that has begun.

        Raises:
            StoreError: When it has not.
        """
        if self.started is None or not isinstance(self.started.event, CampaignStarted):
            raise NotPossibleNow(
                "The journal of this run is empty", expected="a run that has begun", action="wait until it has begun"
            )
        return self.started.event.plan

    def up_to(self, sequence: int, kinds: type | tuple[type, ...] | None = None) -> Iterable[Entry]:
        """Yield the rows up to one, of some kinds or all."""
        place = bisect_right(self.entries, sequence, key=attrgetter("sequence"))
        for entry in self.entries[:place]:
            if kinds is None or isinstance(entry.event, kinds):
                yield entry

    def budget_at(self, sequence: int) -> int:
        """Return what might be asked for at a row of the journal."""
        budget = self.plan.budget
        for entry in self.up_to(sequence, BudgetSet):
            if isinstance(entry.event, BudgetSet):
                budget = entry.event.budget
        return budget

    def began_at(self) -> str | None:
        """Return when the campaign began, as it was corrected last."""
        if self.started is None or not isinstance(self.started.event, CampaignStarted):
            return None
        corrected = [entry.event.began_at for entry in self.entries if isinstance(entry.event, BeginCorrected)]
        began = corrected[-1] if corrected else self.started.event.began_at
        return self.started.at if began is None else began.isoformat()


def about(event: Event) -> tuple[str, ...]:
    """Return the candidates that a row of the journal is about, by our ids."""
    several = getattr(event, "candidate_ids", None)
    if several is not None:
        return tuple(several)
    which = getattr(event, "candidate_id", None)
    if which is not None:
        return (str(which),)
    return tuple(each.candidate_id for each in getattr(event, "candidates", ()))
