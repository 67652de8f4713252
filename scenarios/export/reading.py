"""What a run's database says, read in one moment from a copy: of a run at work, a killed one, a read-only folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from agent.campaign.events import BudgetSet, CampaignFinished, CampaignStarted, Event
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BiasPoint
from agent.run_files import DATABASE
from agent.store.read_only import reading_journal
from agent.store.tables import BIAS_POINT, JOURNAL, OBSERVATION, REQUEST
from protocols.errors import StoreError

_JOURNAL: Final = select(JOURNAL).order_by(JOURNAL.c.sequence)
_DATASET: Final = select(OBSERVATION).order_by(OBSERVATION.c.sequence, OBSERVATION.c.candidate_id)
_REQUESTS: Final = select(REQUEST).order_by(REQUEST.c.sequence, REQUEST.c.attempt_id)
_POINTS: Final = select(BIAS_POINT.c.sequence).order_by(BIAS_POINT.c.observation)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run has written, in plain values.

    Attributes:
        events: The journal, its chain of digests checked.
        journal: The same as rows of the database: sequence, kind, payload, recorded_at, digest.
        observations: Rows of the dataset, in the order in which they came.
        requests: Rows of the attempts, in the order in which they were made.
        trajectory: Observation, row of the journal, and bias.
    """

    events: tuple[Event, ...]
    journal: tuple[Any, ...]
    observations: tuple[Any, ...]
    requests: tuple[Any, ...]
    trajectory: tuple[tuple[int, int, BiasPoint], ...]

    @property
    def started(self) -> CampaignStarted:
        """The first event.

        Raises:
            StoreError: When the campaign has not begun.
        """
        if not self.events or not isinstance(self.events[0], CampaignStarted):
            raise StoreError("The run has no journal yet", expected="a run that has begun")
        return self.events[0]

    @property
    def plan(self) -> CampaignPlan:
        """What the campaign was started with."""
        return self.started.plan

    @property
    def ended(self) -> CampaignFinished | None:
        """Its end; None while it goes on, was interrupted, or went on after an end with a larger budget."""
        found: CampaignFinished | None = None
        for event in self.events:
            found = event if isinstance(event, CampaignFinished) else None if isinstance(event, BudgetSet) else found
        return found

    def time_of(self, sequence: int | None) -> str | None:
        """Return when a row of the journal was written; None of none."""
        return None if sequence is None else str(self.journal[sequence - 1].recorded_at) or None


def read_run(folder: Path, database: str | None = None) -> RunRecord:
    """Read what a run has written; nothing is written, and nobody is held up.

    Args:
        folder: The run folder.
        database: Of another database than the folder's own, or than it remembers.

    Raises:
        StoreError: When there is none, it is damaged, or its campaign has not begun.
    """
    with reading_journal(folder / DATABASE, database) as (store, connection):
        events = tuple(store.journal())
        if not events or not isinstance(events[0], CampaignStarted):
            raise StoreError(f"{folder} has no journal yet", expected="a run that has begun")
        points = tuple(
            store.trajectory(events[0].plan.metrics)
        )  # before the connection begins a transaction of its own
        sequences = connection.execute(_POINTS).scalars().all()
        return RunRecord(
            events=events,
            journal=tuple(connection.execute(_JOURNAL)),
            observations=tuple(connection.execute(_DATASET)),
            requests=tuple(connection.execute(_REQUESTS)),
            trajectory=tuple((number, at, point) for (number, point), at in zip(points, sequences, strict=True)),
        )
