"""Each occurrence once: what held at the last look, since when, and whether it was told. Pure, but for its clock.

An occurrence begins when a condition comes to hold, is told when it has held for as long as it must, and is over when
it does not hold any more; then the next one is another. What is known outlives the process as JSON, so that a restart
tells nothing twice. A run that is over, or whose agent is gone, when it is seen for the first time is no news.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from scenarios.observe.alerts.rules import Condition, conditions_of
from scenarios.observe.alerts.settings import AlertRules
from scenarios.observe.figures import RunFigures

RATE_WINDOW_S: Final = 60.0
"""Over which messages that were put aside are counted [s]."""

NO_NEWS_AT_FIRST: Final = frozenset({"finished", "agent_gone"})
"""Kinds of what may have been so for long when a run is seen for the first time."""

MAX_OCCURRENCES: Final = 10_000
"""Most that hold at once and are remembered; further ones are not told."""


class Alert(BaseModel):
    """An alert as it is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Names the occurrence for ever: whoever is told twice can see it."""
    kind: str
    run: str
    campaign: str
    subject: str
    words: str
    since: str
    """When it began to hold, as RFC 3339."""
    figures: dict[str, float | int | str | None]
    """How the run stood when it was told."""


class Occurrence(BaseModel):
    """Something that holds."""

    model_config = ConfigDict(extra="forbid")

    run: str
    kind: str
    subject: str
    since_s: float
    """[s since 1970]"""
    is_told: bool = False


class Pending(BaseModel):
    """An alert that a destination was not told yet."""

    model_config = ConfigDict(extra="forbid")

    alert: Alert
    to: str
    tries: int = 0


class Remembered(BaseModel):
    """What outlives the process."""

    model_config = ConfigDict(extra="forbid")

    entropilot_alerts: Annotated[int, Field(ge=1, le=1)] = 1
    runs: Annotated[list[str], Field(max_length=100_000)] = []
    """Runs that were seen."""
    holding: Annotated[list[Occurrence], Field(max_length=MAX_OCCURRENCES)] = []
    pending: Annotated[list[Pending], Field(max_length=MAX_OCCURRENCES)] = []


@dataclass(slots=True)
class Occurrences:
    """What holds of all runs.

    Attributes:
        rules: On what there are alerts.
        remembered: What an earlier process knew.
    """

    rules: AlertRules
    remembered: Remembered = field(default_factory=Remembered)
    _holding: dict[tuple[str, str, str], Occurrence] = field(init=False)
    _seen: dict[str, None] = field(init=False)
    _counts: dict[str, deque[tuple[float, int]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Take up what an earlier process knew."""
        self._holding = {(each.run, each.kind, each.subject): each for each in self.remembered.holding}
        self._seen = dict.fromkeys(self.remembered.runs)

    def look(self, runs: Iterable[RunFigures], now_s: float) -> list[Alert]:
        """Look at all runs; return what is to be told now.

        Args:
            runs: Their figures; what holds of a run that is not among them is over.
            now_s: The time [s since 1970].
        """
        alerts: list[Alert] = []
        there: dict[tuple[str, str, str], Occurrence] = {}
        rates: dict[str, deque[tuple[float, int]]] = {}
        for run in runs:
            rates[run.run] = self._counted(run, now_s)
            held = frozenset(kind for name, kind, subject in self._holding if name == run.run and not subject)
            for condition in conditions_of(run, self.rules, _per_minute(rates[run.run]), held=held):
                occurrence = self._occurrence(run, condition, now_s)
                if len(there) < MAX_OCCURRENCES:
                    there[run.run, condition.kind, condition.subject] = occurrence
                    if not occurrence.is_told and now_s - occurrence.since_s >= condition.after_s:
                        occurrence.is_told = True
                        alerts.append(_alert(run, condition, occurrence))
            self._seen[run.run] = None
        self._holding, self._counts = there, rates
        self._seen = {run: None for run in self._seen if run in rates}
        return alerts

    def to_remember(self, pending: Iterable[Pending] = ()) -> Remembered:
        """Return what the next process must know.

        Args:
            pending: What is still to be told.
        """
        return Remembered(runs=list(self._seen), holding=list(self._holding.values()), pending=list(pending))

    def _occurrence(self, run: RunFigures, condition: Condition, now_s: float) -> Occurrence:
        key = run.run, condition.kind, condition.subject
        known = self._holding.get(key)
        if known is not None:
            return known
        is_old = run.run not in self._seen and condition.kind in NO_NEWS_AT_FIRST
        return Occurrence(run=run.run, kind=condition.kind, subject=condition.subject, since_s=now_s, is_told=is_old)

    def _counted(self, run: RunFigures, now_s: float) -> deque[tuple[float, int]]:
        """Return how many messages were put aside by when, of a little more than the last minute."""
        counts = self._counts.get(run.run, deque())
        counts.append((now_s, sum(run.quarantined.values())))
        while len(counts) > 1 and now_s - counts[1][0] >= RATE_WINDOW_S:
            counts.popleft()
        return counts


def _per_minute(counts: deque[tuple[float, int]]) -> float | None:
    """Return how many came within the window, or since the first look; None at that."""
    (began, before), (_, now) = counts[0], counts[-1]
    return float(max(0, now - before)) if len(counts) > 1 and counts[-1][0] > began else None


def _alert(run: RunFigures, condition: Condition, occurrence: Occurrence) -> Alert:
    since = datetime.fromtimestamp(occurrence.since_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    named = f"{run.run}|{run.campaign}|{condition.kind}|{condition.subject}|{since}"
    return Alert(
        id=hashlib.sha256(named.encode(errors="replace")).hexdigest()[:16],
        kind=condition.kind,
        run=run.run,
        campaign=run.campaign or run.run,
        subject=condition.subject,
        words=condition.words,
        since=since,
        figures={
            "phase": run.phase,
            "observation": run.observation,
            "spent": run.spent,
            "budget": run.budget,
            "in_flight": run.in_flight,
            "mean_gap": run.mean_gap,
            "journal_row": run.journal_row,
        },
    )
