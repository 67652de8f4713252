"""What shows a run asks a source: a run folder, a server's database, or a broker.

Every call is synchronous and short, and tells one moment: it reads in one transaction. A source is used by one thread
at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from agent.entropy.bands import Band
from scenarios.watch.state.lab import Instrument
from scenarios.watch.state.moment import DecisionCard, Moment
from scenarios.watch.state.points import Points
from scenarios.watch.state.runs import Campaign, RunCard
from scenarios.watch.state.tables import DatasetPage, JournalPage, SetAside
from scenarios.watch.state.trust import Trust

POLL_INTERVAL_S: Final = 0.25
"""How often a source is asked whether there is something new [s]: the one interval of polling."""

MAX_ROWS: Final = 1_000
"""Most rows of one page of a table, and most points told at once."""

DatasetOrder = Literal["sequence", "-sequence", "name", "-name", "family", "-family", "value", "-value"]
"""By what the dataset is ordered; with a minus the largest first."""


class Source(Protocol):
    """Where a run is read from."""

    @property
    def key(self) -> str:
        """Names the run in addresses."""
        ...

    def card(self) -> RunCard:
        """Return the run for a list of runs; it never raises, and says what is wrong as the card's problem."""
        ...

    def campaign(self) -> Campaign:
        """Return what the campaign is."""
        ...

    def moment(self, observation: int | None = None) -> Moment:
        """Return the campaign as it stood after an observation.

        Args:
            observation: Its number; None: as it stands now.

        Raises:
            StoreError: When there is no such observation, or the run cannot be read.
        """
        ...

    def series(self, first: int = 0, last: int | None = None, columns: int | None = None) -> bytes:
        """Return a part of the trajectory (`scenarios.watch.state.series`).

        Args:
            first: Number of its first observation.
            last: Number of its last; None: the latest.
            columns: Pixels that it is drawn on: what is longer than a page bears is reduced to them.
        """
        ...

    def bands(self) -> Mapping[int, Mapping[str, Band | None]]:
        """Return the bands by observation and family, of as many observations as a picture of the whole shows."""
        ...

    def points_after(self, sequence: int, most: int = MAX_ROWS) -> Points:
        """Return the points that came after a row of the journal, each once and in order.

        Args:
            sequence: Number of that row: what the points before said.
            most: How many at most.
        """
        ...

    def decision(self, number: int) -> DecisionCard:
        """Return a decision.

        Raises:
            StoreError: When there is none of that number.
        """
        ...

    def decisions(self, offset: int = 0, limit: int = MAX_ROWS) -> list[DecisionCard]:
        """Return some decisions, by number from `offset` on."""
        ...

    def instruments(self) -> list[Instrument]:
        """Return the instruments, by name."""
        ...

    def dataset(
        self,
        *,
        at: int | None = None,
        offset: int = 0,
        limit: int = MAX_ROWS,
        family: str | None = None,
        text: str = "",
        order: DatasetOrder = "sequence",
    ) -> DatasetPage:
        """Return some rows of the dataset, with those that were taken back.

        Args:
            at: As it was after this observation; None: now.
            offset: Number of the first row, from 0.
            limit: How many at most.
            family: Of this family alone.
            text: With this in the name or id, in capitals or not.
            order: By what they are ordered.
        """
        ...

    def set_aside(self) -> list[SetAside]:
        """Return the candidates that are closed without a value that counts, the latest first."""
        ...

    def journal(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        kind: str | None = None,
        candidate: str | None = None,
        operator: str | None = None,
        tail: bool = False,
    ) -> JournalPage:
        """Return some rows of the journal.

        Args:
            after: Behind this row.
            limit: How many at most.
            kind: Of this kind alone.
            candidate: About this candidate alone, by our id.
            operator: Ordered by this operator alone.
            tail: The last ones that fit, in place of the first behind `after`.
        """
        ...

    def trust(self) -> Trust:
        """Return how far the run can be trusted."""
        ...

    def version(self) -> int:
        """Return the number of the journal's last row: what a poll asks; 0 before the first."""
        ...

    def close(self) -> None:
        """Release what the source holds."""
        ...
