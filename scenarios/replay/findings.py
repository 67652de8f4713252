"""What a replay found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scenarios.replay.decisions import Decision


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """A row of the recording, and its time [s]."""

    row: int
    time_s: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as recorded.

    Attributes:
        at: Where.
        what: In words.
        recorded: The decision then, where it is one.
        today: The decision now.
        state: What both could look at.
    """

    at: RecordPosition
    what: str
    recorded: Decision | None = None
    today: Decision | None = None
    state: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ReplayOutcome:
    """What was found so far.

    Attributes:
        rows: Rows of the recording.
        messages: How many of them are messages.
        events: Events of the journal that were folded.
        starts: Processes that the recording tells of.
        decisions: Made again and compared.
        identical: How many chose the same candidates.
        differing: How many did not, or were made where the other was not.
        other_figures: Identical ones whose scores, runner-up or family differ.
        first_other_figure: The first of these, in words.
        not_asked: Decisions that could not be made again: what they looked at is not recorded.
        first_difference: The first thing that is not as recorded.
        lost: Why the rest could not be followed; empty when all was.
        recorded_s: Time of the last row [s].
        phase: Where the campaign was at the end.
    """

    rows: int = 0
    messages: int = 0
    events: int = 0
    starts: int = 0
    decisions: int = 0
    identical: int = 0
    differing: int = 0
    other_figures: int = 0
    first_other_figure: str = ""
    not_asked: int = 0
    first_difference: Difference | None = None
    lost: str = ""
    recorded_s: float = 0.0
    phase: str = ""

    @property
    def is_identical(self) -> bool:
        """Whether everything is as recorded."""
        return self.first_difference is None and not self.lost

    def compare(self, recorded: Decision, today: Decision) -> bool:
        """Count a decision that was made again; return whether it chose the same candidates."""
        self.decisions += 1
        same = today.candidate_ids == recorded.candidate_ids
        if not same and (recorded.is_whole or set(today.candidate_ids) != set(recorded.candidate_ids)):
            self.differing += 1
            return False
        self.identical += 1
        if figure := recorded.other_figure(today):
            self.other_figures += 1
            self.first_other_figure = self.first_other_figure or f"decision {recorded.decision}: {figure}"
        return True
