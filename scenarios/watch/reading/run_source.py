"""A run folder as a source: its database, in SQLite or on a server, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlalchemy import Connection

from agent.campaign.life_cycle import Phase as CampaignPhase
from agent.entropy.bands import Band
from agent.run_files import DATABASE, LOCK, RECORDING
from protocols.errors import NotPossibleNow, StoreError
from protocols.storage.run_lock import seems_held
from protocols.storage.server_url import DatabaseUrl
from scenarios.watch.reading.answers.question import AskedRun
from scenarios.watch.reading.bands import BandCache, grid
from scenarios.watch.reading.cards import card_of
from scenarios.watch.reading.chain import ChainCheck
from scenarios.watch.reading.dataset import dataset_page
from scenarios.watch.reading.decisions import decision_card, decision_cards
from scenarios.watch.reading.history import History
from scenarios.watch.reading.instruments import instruments_of
from scenarios.watch.reading.journal_rows import journal_page
from scenarios.watch.reading.moments import compares_families, figures_shown, moment_of
from scenarios.watch.reading.put_aside import set_aside
from scenarios.watch.reading.reader import reader_of
from scenarios.watch.reading.recorded_world import RecordedWorld
from scenarios.watch.reading.series import points_of, series_of
from scenarios.watch.reading.source import MAX_ROWS, DatasetOrder
from scenarios.watch.state.lab import Instrument
from scenarios.watch.state.moment import DecisionCard, Moment
from scenarios.watch.state.points import Points
from scenarios.watch.state.runs import Campaign, MetricShown, RunCard
from scenarios.watch.state.series import encode
from scenarios.watch.state.tables import DatasetPage, JournalPage, SetAside
from scenarios.watch.state.trust import Trust

MAX_DECISIONS: Final = 200
"""Most decisions of one answer: each looks up what became of its candidates."""

EXPORTED_BANDS_S: Final = 1.0
"""How long the bands of a file may be measured [s], while nothing new is told; those that are shown are known already.
What is left has none."""

NO_BROKER: Final = "a run folder is only read; orders go over a broker"
"""Why a folder alone takes no orders; whoever knows the run's broker says otherwise."""


class RunSource:
    """A run folder as a source (`scenarios.watch.reading.source.Source`); nothing is written, and nothing left behind.

    Args:
        folder: Of the run.
        database: Of another database than the folder's own, or than it remembers.
        key: Names the run in addresses; by default the folder's name.
    """

    def __init__(self, folder: Path, database: DatabaseUrl | None = None, key: str = "") -> None:
        self.folder: Final = folder
        self.key: Final = key or folder.resolve().name
        self._database = None if database is None else str(database)
        self._reader = reader_of(folder / DATABASE, database)
        self._history = History()
        self._bands = BandCache()
        self._chain = ChainCheck()
        self._world = RecordedWorld(folder / RECORDING)

    def card(self) -> RunCard:
        """As of `Source`."""
        try:
            with self._connection() as connection:
                return card_of(connection, self.key, self.folder, is_interrupted=self._is_alone)
        except StoreError as error:
            return RunCard(key=self.key, name=self.folder.name, source="folder", phase="unreadable", problem=str(error))

    def campaign(self) -> Campaign:
        """As of `Source`."""
        with self._told():
            history = self._history
            plan = history.chronicle.plan
            shown = figures_shown(history, len(history.course) - 1) if len(history.course) else {}
            metrics = [metric for metric in history.course.metrics if not shown or metric.name in shown]
            return Campaign(
                key=self.key,
                name=plan.campaign,
                source="folder",
                uid=plan.uid,
                label=plan.label,
                property=plan.property_name,
                unit=plan.unit,
                policy=plan.policy,
                seed=plan.seed,
                scenario=self._world.scenario,
                families=tuple(sorted(history.course.families)),
                compares_families=compares_families(history),
                metrics=tuple(
                    MetricShown(
                        name=each.name,
                        label=each.label,
                        short=each.short,
                        unit=each.unit,
                        lower_is_better=each.lower_is_better,
                    )
                    for each in metrics
                ),
                started_at=history.chronicle.began_at(),
                pool_size=self._world.pool_size,
                budget_unit=plan.budget_unit,
                can_control=False,
                why_not=NO_BROKER,
                journal_digest=history.digest,
                fidelities=tuple(plan.fidelities),
            )

    def moment(self, observation: int | None = None) -> Moment:
        """As of `Source`."""
        with self._told() as connection:
            return moment_of(
                connection, self._history, self._bands, self.key, observation, is_interrupted=self._is_interrupted
            )

    def series(self, first: int = 0, last: int | None = None, columns: int | None = None) -> bytes:
        """As of `Source`."""
        with self._told() as connection:
            return encode(series_of(connection, self._history, self._bands, first=first, last=last, pixels=columns))

    @property
    def has_all_bands(self) -> bool:
        """Whether the last series had all the bands that it may have; else the next one has more of them."""
        return self._bands.is_complete

    def bands(self) -> Mapping[int, Mapping[str, Band | None]]:
        """As of `Source`."""
        with self._told() as connection:
            return self._bands.on_grid(connection, self._history, grid(len(self._history.course)), EXPORTED_BANDS_S)

    def points_after(self, sequence: int, most: int = MAX_ROWS) -> Points:
        """As of `Source`."""
        with self._told():
            return points_of(self._history, sequence, min(most, MAX_ROWS))

    def decision(self, number: int) -> DecisionCard:
        """As of `Source`."""
        with self._told() as connection:
            return decision_card(connection, self._history, number, self._history.last)

    def decisions(self, offset: int = 0, limit: int = MAX_ROWS) -> list[DecisionCard]:
        """As of `Source`."""
        with self._told() as connection:
            end = min(self._history.decisions, max(offset, 0) + min(limit, MAX_DECISIONS))
            return decision_cards(connection, self._history, range(max(offset, 0), end), self._history.last)

    def instruments(self) -> list[Instrument]:
        """As of `Source`."""
        with self._told() as connection:
            return instruments_of(connection, self._history, datetime.now(UTC))

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
        """As of `Source`."""
        with self._told() as connection:
            return dataset_page(
                connection, self._history, at=at, offset=offset, limit=limit, family=family, text=text, order=order
            )

    def set_aside(self) -> list[SetAside]:
        """As of `Source`."""
        with self._told() as connection:
            return set_aside(connection, self._history)

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
        """As of `Source`."""
        with self._told() as connection:
            return journal_page(
                connection,
                self._history.last,
                after=after,
                limit=limit,
                kind=kind,
                candidate=candidate,
                operator=operator,
                tail=tail,
            )

    def trust(self) -> Trust:
        """As of `Source`."""
        with self._told() as connection:
            recording = (self.folder / RECORDING).is_file()
            return self._chain.trust(connection, self._history.last, datetime.now(UTC), recording=recording)

    def version(self) -> int:
        """As of `Source`."""
        return self._reader.version()

    def close(self) -> None:
        """As of `Source`."""
        self._reader.close()

    def asked(self) -> AskedRun:
        """Return the run as the worker is asked about it (`scenarios.watch.reading.answers.worker`)."""
        with self._told():
            return AskedRun(self.folder.resolve(), self._database, self._history.chronicle.plan.uid, self._history.last)

    @property
    def _is_alone(self) -> bool:
        """Whether no agent seems to have the folder open."""
        return not seems_held(self.folder / LOCK)

    @property
    def _is_interrupted(self) -> bool:
        stands = self._history.standing.at(self._history.last)
        return self._is_alone and stands.phase is not CampaignPhase.FINISHED

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Open a transaction; what a stranger's file holds in our columns is told, and is no fault of ours."""
        try:
            with self._reader.reading() as connection:
                yield connection
        except (ValidationError, ValueError, TypeError, LookupError, OverflowError) as error:
            raise StoreError(
                f"The database of the run {self.key} holds what Entropilot does not write: {_first_line(error)}",
                expected="the tables as they were written",
                action="`entropilot verify` tells what is wrong; restore the run folder from a copy",
            ) from error

    @contextmanager
    def _told(self) -> Iterator[Connection]:
        """Open a transaction, and take in what is new."""
        with self._connection() as connection:
            self._history.read(connection)
            if not self._history.last:
                raise NotPossibleNow(
                    f"The journal of the run {self.key} is empty",
                    expected="a run that has begun",
                    action="wait until it has begun",
                )
            yield connection


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
