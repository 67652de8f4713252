"""Values that were corrected or taken back: when each held, of the few candidates that this happened to.

The dataset's view says how it is now. What it was at a moment follows with what stands here: all other rows never
change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from agent.campaign.event_descriptions import START_SET
from agent.campaign.events import ObservationAmended, ObservationRetracted
from scenarios.watch.reading.candidates import CandidateCourse, courses_of
from scenarios.watch.reading.chronicle import Entry
from scenarios.watch.reading.history import History


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value of a candidate, and from which row of the journal to which it held.

    Attributes:
        candidate_id: Whose.
        name: As the table writes it.
        family: Its family.
        value: In the unit of the plan.
        uncertainty: Standard uncertainty; None where none is known.
        begins: The row that brought it.
        source: Who says so.
        attempt_id: Of the request that it answers, if it answers one.
        fidelity: The method; empty for the usual one.
        replicate: Which repetition it is, from 0.
        ends: The row that took it back, or its place; None where it holds.
        retraction: What took it back; None where nothing did.
    """

    candidate_id: str
    name: str
    family: str
    value: float
    uncertainty: float | None
    begins: int
    source: str = START_SET
    attempt_id: str | None = None
    fidelity: str = ""
    replicate: int = 0
    ends: int | None = None
    retraction: Entry | None = None

    def holds_at(self, sequence: int) -> bool:
        """Tell whether it was in the dataset at a row of the journal."""
        return self.begins <= sequence and (self.ends is None or self.ends > sequence)

    def was_taken_back_by(self, sequence: int) -> bool:
        """Tell whether it had been taken back by then."""
        return self.retraction is not None and self.retraction.sequence <= sequence


def changed_values(connection: Connection, history: History) -> list[HeldValue]:
    """Return the values of candidates of which one was ever corrected or taken back, by the row that brought them.

    Args:
        connection: In a transaction.
        history: The run.
    """
    changed = {
        which
        for which, entries in history.chronicle.about.items()
        if any(isinstance(each.event, ObservationRetracted | ObservationAmended) for each in entries)
    }
    courses = courses_of(connection, history.chronicle, changed)
    start = history.course.sequence_of(0) if len(history.course) else 0
    found = [value for which in sorted(changed) for value in _values_of(history, which, courses[which], start)]
    return sorted(found, key=lambda each: (each.begins, each.candidate_id))


def _values_of(history: History, which: str, course: CandidateCourse, start: int) -> Iterator[HeldValue]:
    """Yield the values of a candidate; one of which nothing says where it came from was in the start set."""
    entries = {entry.sequence: entry for entry in history.chronicle.about[which]}
    property_name = history.chronicle.plan.property_name
    now: HeldValue | None = None

    asked = history.chronicle.plan.measurement_of(which)

    def held(begins: int, value: float, uncertainty: float | None = None) -> HeldValue:
        family, method = course.family or "", asked.fidelity or ""
        of_row = {"fidelity": method, "replicate": asked.replicate}
        return HeldValue(which, course.name, family, value, uncertainty, begins, **of_row)  # type: ignore[arg-type]

    for step in course.steps:
        entry = entries.get(step.sequence)
        event = None if entry is None else entry.event
        if isinstance(event, ObservationRetracted):
            before = now or held(start, event.value)
            yield replace(before, ends=step.sequence, retraction=entry)
            now = None
        elif step.value is not None:
            if isinstance(event, ObservationAmended) and now is None:
                was = event.before if event.corrected.name == property_name else step.value
                now = held(start, was)
            earlier = now
            if earlier is not None:
                yield replace(earlier, ends=step.sequence)
            now = held(step.sequence, step.value, step.uncertainty)
            if isinstance(event, ObservationAmended) and earlier is not None:  # who measured it stays
                now = replace(now, source=earlier.source, attempt_id=earlier.attempt_id)
            else:
                now = replace(now, source=step.source, attempt_id=step.attempt_id)
    if now is not None:
        yield now
