"""A run for who writes Python: what it wrote, as data frames and pictures, and what can be asked of it.

Everything is read from the run folder when it is asked for, so a run that goes on shows what it has come to; nothing is
written, but for pictures that are not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd
from rich.text import Text

from agent.campaign.events import BudgetSet, CampaignFinished, Event
from agent.run_files import DATABASE
from agent.store.read_only import reading_journal, referenced_in
from agent.store.store import Store
from protocols.errors import EntropilotError
from scenarios.display.progress import no_progress
from scenarios.python.calling import call
from scenarios.python.moment import Moment, moment_at
from scenarios.python.shown import Figure, as_html, as_text, embedded
from scenarios.python.tables import dataset_of, decisions_of, trajectory_of
from scenarios.sources.run_folder import FIGURE, METRICS_FIGURE, SHADOW_SUMMARY, SUMMARY
from scenarios.sources.run_world import started
from scenarios.verify.part import CheckedPart
from scenarios.why.explanation import Explanation

Returned = TypeVar("Returned")

FIGURES: Final = (FIGURE, METRICS_FIGURE)
"""Pictures of a finished run, the first that is there."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a decision was made.

    Attributes:
        explanation: All that is known of it, as plain values.
        folder: Of the run.
    """

    explanation: Explanation
    folder: Path = field(repr=False)

    def figure(self) -> Figure:
        """Draw it into the run folder."""
        from scenarios.why.why import draw_decision

        return Figure(draw_decision(self.folder, self.explanation))

    def __repr__(self) -> str:
        from scenarios.why.words import explanation_in_words

        return as_text(explanation_in_words(self.explanation))

    def _repr_html_(self) -> str:
        from scenarios.why.words import explanation_in_words

        return as_html(explanation_in_words(self.explanation))


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a run found.

    Attributes:
        parts: What was checked, and what is wrong with it.
    """

    parts: tuple[CheckedPart, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not any(part.problem for part in self.parts)

    def __bool__(self) -> bool:
        return self.is_sound

    def __repr__(self) -> str:
        from scenarios.verify.verify import verification_table

        return as_text(verification_table(self.parts))

    def _repr_html_(self) -> str:
        from scenarios.verify.verify import verification_table

        return as_html(verification_table(self.parts))


@dataclass(frozen=True, slots=True)
class Run:
    """A run: finished, interrupted, or still going on.

    Attributes:
        folder: Its run folder.
        database: Of another database than the folder's own, or than it remembers.
    """

    folder: Path
    database: str | None = None

    @property
    def name(self) -> str:
        """Name of the campaign."""
        return self.folder.name

    @property
    def summary(self) -> Mapping[str, Any]:
        """What it came to, as `summary.json` says it; of a run that goes on or was killed, what it has come to by now.

        Raises:
            StoreError: Before it has begun, or when its scenario makes another pool today.
        """
        from scenarios.listing.listing import run_json

        told: Mapping[str, Any] = json.loads(call(lambda _: run_json(self.folder, database_url=self.database)))
        return told

    @property
    def is_finished(self) -> bool:
        """Whether the campaign came to its end; an interrupted one goes on with `resume`."""
        return self._read(lambda _, __, events: _is_over(events))

    @property
    def trajectory(self) -> pd.DataFrame:
        """The bias trajectory, a row for each observation and family; observation 0 is the start set."""
        return self._read(lambda store, _, events: trajectory_of(store, started(events, self.folder).plan.metrics))

    @property
    def dataset(self) -> pd.DataFrame:
        """The dataset: value, uncertainty, family, who measured it and when, by candidate."""
        return self._read(lambda _, connection, __: dataset_of(connection))

    @property
    def decisions(self) -> pd.DataFrame:
        """The decisions, a row for each chosen candidate, with the policy's reason."""
        return self._read(lambda _, __, events: decisions_of(events))

    def at(self, *, observation: int) -> Moment:
        """Return the run as it stood after an observation; 0 is the start set, −1 the last.

        Raises:
            StoreError: When there is no such observation.
        """
        return self._read(
            lambda _, connection, events: moment_at(
                events, referenced_in(connection, list(events)), observation, f"The run {self.name}"
            )
        )

    def why(self, decision: int | str) -> Why:
        """Explain a decision, and ask for it again.

        Args:
            decision: Its number, `"last"`, or the id of a candidate.

        Raises:
            StoreError: When there is no such decision.
        """
        from scenarios.why.why import explain_run

        folder, explanation = call(
            lambda _: explain_run(str(self.folder), str(decision), self.folder.parent, self.database, no_progress)
        )
        return Why(explanation, folder)

    def verify(self) -> Verification:
        """Check everything that the run wrote against everything else.

        Raises:
            StoreError: When it is no run whose database is Entropilot's.
        """
        from scenarios.verify.verify import verify

        return Verification(call(lambda _: verify(str(self.folder), self.folder.parent, self.database, no_progress)))

    def figure(self) -> Figure:
        """Return the picture of the bias trajectory; of a run that goes on, as it stands now.

        Raises:
            StoreError: When there is nothing to draw yet.
        """
        for name in FIGURES:
            if (self.folder / name).is_file():
                return Figure(self.folder / name)
        from scenarios.python.drawn import draw_unfinished

        return Figure(
            self._read(lambda store, _, events: draw_unfinished(store, started(events, self.folder).plan, self.name))
        )

    def __repr__(self) -> str:
        return f"<Run {self.name}: {self._state()}>"

    def _repr_html_(self) -> str:
        from scenarios.listing.listing import run_report

        try:
            words = call(lambda _: as_html(run_report(self.folder, database_url=self.database)))
        except EntropilotError as error:
            return as_html(Text(f"{self!r}: {error}"))
        pictures = [name for name in FIGURES if (self.folder / name).is_file()][:1]
        return words + "".join(embedded(Figure(self.folder / name), f"The run {self.name}") for name in pictures)

    def _state(self) -> str:
        """Say in a few words how it stands; what has no summary is not folded for that."""
        for name in (SUMMARY, SHADOW_SUMMARY):
            if (self.folder / name).is_file():
                summary = json.loads((self.folder / name).read_text(encoding="utf-8"))
                return str(summary.get("stopped_because", "a shadow"))
        return "it runs, or was interrupted"

    def _read(self, read: Callable[[Store, Any, tuple[Event, ...]], Returned]) -> Returned:
        """Read a copy of the database: nothing is written, and nobody is held up."""
        with reading_journal(self.folder / DATABASE, self.database) as (store, connection):
            return read(store, connection, tuple(store.journal()))


def _is_over(events: tuple[Event, ...]) -> bool:
    """Whether a journal ends with the campaign's end: with a larger budget it may have gone on after one."""
    over = False
    for event in events:
        over = (over or isinstance(event, CampaignFinished)) and not isinstance(event, BudgetSet)
    return over
