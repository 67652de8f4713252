"""A campaign as an optimizer of Bluesky-Adaptive: its plans ask which candidates to measure, and tell what came of it.

It has the methods of the protocols `Optimizer`, `TrialFaultAware`, `SupportsStoppingCriteria`, `CanRegisterSuggestions`
and `Checkpointable` of bluesky-adaptive 1 (`bluesky_adaptive.protocols`), which ask for no base class: Bluesky is not
imported here, and no dependency of ours.

A point is a candidate of the pool: `_id` is its label as a text, and each parameter is what an actuator is moved to.

    optimizer = entropilot.BlueskyOptimizer(campaign, pool, {"anneal": "annealed_h"}, outcome="hardness")
    problem = OptimizationProblem(optimizer, [anneal], [detector], evaluate)
    RE(bluesky_adaptive.plans.optimize(problem, iterations=None))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, listed
from scenarios.python.ask_tell import Campaign, Label

ID: Final = "_id"
"""Key of a point's name, as bluesky-adaptive has it."""

TOLERANCE: Final = 1e-9
"""Relative difference up to which a point that somebody names by its parameters is a candidate's."""


class BlueskyOptimizer:
    """Suggests the candidates that a campaign decides on, and tells it their values.

    Args:
        campaign: The campaign.
        pool: The data frame that it was made with.
        parameters: Name of each actuator -> the column of the pool with what it is moved to; or columns that are called
            as their actuators.
        outcome: Key of the property's value in what the evaluation function returns.
        uncertainty: Key of its standard uncertainty there; None where none is told.
        id: The column of ids, where the campaign was made with one.

    Raises:
        SettingsError: When a column is not there, holds something else than numbers, or the pool is another one.
    """

    def __init__(
        self,
        campaign: Campaign,
        pool: pd.DataFrame,
        parameters: Mapping[str, str] | Sequence[str],
        *,
        outcome: str,
        uncertainty: str | None = None,
        id: str | None = None,  # noqa: A002 - the campaign's word
    ) -> None:
        columns = dict(parameters) if isinstance(parameters, Mapping) else {name: name for name in parameters}
        _require_numbers(pool, columns)
        self.campaign: Final = campaign
        self._outcome, self._uncertainty = outcome, uncertainty
        labels = list(pool.index if id is None else pool[id])
        self._label_of: Final[Mapping[str, Label]] = {str(label): label for label in labels}
        self._names: Final = tuple(columns)
        self._positions: Final = pool[list(columns.values())].to_numpy(dtype=np.float64)
        self._row_of: Final = {str(label): row for row, label in enumerate(labels)}
        self._told: list[tuple[str, Mapping[str, float], Mapping[str, float]]] = []

    def suggest(self, num_points: int | None = None) -> list[dict[str, Any]]:
        """Return the candidates to measure next; none when nothing more is asked for.

        Args:
            num_points: How many at most, up to what the campaign has in flight at once (`parallel`); by default one.

        Raises:
            SettingsError: When more are wanted than may be in flight, or all that may be are.
            CampaignHalted: When the campaign has paused itself.
        """
        asked = self.campaign.ask(num_points or 1)
        if not asked and not self.campaign.is_finished:
            raise SettingsError(
                f"{len(self.campaign.open)} candidates are open already, and nothing was told of them",
                expected="their values, or register_failures",
                action="ingest them, or make the campaign with a larger parallel",
            )
        return [{ID: str(label), **self._parameters(str(label))} for label in asked]

    def ingest(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Tell what was measured; a candidate that was not suggested may be told as well.

        Args:
            points: A mapping each, with `_id` and the outcome.

        Raises:
            SettingsError: When a point has no `_id` of the pool, no outcome, or a value that cannot be true; those
                before it are told then.
        """
        for point in points:
            which = self._named(point)
            value = self._number(point, self._outcome)
            deviation = None if self._uncertainty is None else self._number(point, self._uncertainty)
            self.campaign.tell(self._label_of[which], value, uncertainty=deviation)
            told = {self._outcome: value} | ({} if deviation is None else {str(self._uncertainty): deviation})
            self._told.append((which, self._parameters(which), told))

    def get_best_points(self) -> list[tuple[str, Mapping[str, float], Mapping[str, float]]]:
        """Return every point that was told here, in its order: id, parameters, outcomes.

        There is no best one: the campaign makes a dataset even, and each point is a part of it.
        """
        return list(self._told)

    def register_failures(self, suggestions: Sequence[Mapping[str, Any]]) -> None:
        """Tell that candidates gave no value; each is suggested again while attempts at it are left.

        Args:
            suggestions: As `suggest` gave them; those that were told meanwhile are passed over.
        """
        open_now = {str(label) for label in self.campaign.open}
        for point in suggestions:
            which = self._named(point)
            if which in open_now:
                self.campaign.tell_failed(self._label_of[which], "the plan failed")

    def register_suggestions(self, suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return points of somebody's own with their `_id`: the candidate of the pool that has these parameters.

        Raises:
            SettingsError: When none has, or several have.
        """
        return [{**point, ID: self._at(point)} for point in suggestions]

    def should_stop(self) -> tuple[bool, str | None]:
        """Return whether nothing more will be asked for, and why."""
        return self.campaign.is_finished, self.campaign.why_finished or None

    def checkpoint(self) -> None:
        """Do nothing: with a journal, everything is on the disk when `ingest` returns.

        Raises:
            SettingsError: Of a campaign in memory, which cannot be kept.
        """
        _ = self.campaign.run

    def _parameters(self, which: str) -> dict[str, float]:
        row = self._positions[self._row_of[which]]
        return {name: float(value) for name, value in zip(self._names, row, strict=True)}

    def _named(self, point: Mapping[str, Any]) -> str:
        which = str(point.get(ID, ""))
        if which not in self._label_of:
            raise SettingsError(
                f"The point {dict(point)} has the {ID} {which!r}" if which else f"The point {dict(point)} has no {ID}",
                expected="the label of a candidate, as suggest gave it",
                action=did_you_mean(which, self._label_of) or "register_suggestions finds it by the parameters",
            )
        return which

    def _number(self, point: Mapping[str, Any], key: str) -> float:
        if key not in point:
            names = [name for name in point if name != ID]
            raise SettingsError(
                f"The point {point[ID]!r} has no {key!r}",
                expected=f"what the evaluation function returns: it has {listed(names) or 'nothing else'}",
                action="name the key with outcome= or uncertainty=",
            )
        value = np.asarray(point[key], dtype=np.float64)
        return float(value) if value.ndim == 0 else math.nan  # which `tell` refuses, with what can be true

    def _at(self, point: Mapping[str, Any]) -> str:
        missing = [name for name in self._names if name not in point]
        if missing:
            raise SettingsError(f"The point {dict(point)} has no {missing[0]!r}", expected=listed(self._names))
        wanted = np.array([float(point[name]) for name in self._names])
        rows = np.isclose(self._positions, wanted, rtol=TOLERANCE, atol=0.0).all(axis=1).nonzero()[0]
        if len(rows) != 1:
            raise SettingsError(
                f"{len(rows) or 'No'} candidates of the pool have the parameters {dict(point)}",
                expected="those of one candidate: a campaign knows no others",
                action="name it by its _id" if len(rows) else "choose one of the pool",
            )
        return next(name for name, row in self._row_of.items() if row == rows[0])


def _require_numbers(pool: pd.DataFrame, columns: Mapping[str, str]) -> None:
    """Check that every actuator has a column of numbers.

    Raises:
        SettingsError: When one has none.
    """
    if not columns:
        raise SettingsError("No parameters are named", expected="the actuators, with the columns of their positions")
    for actuator, column in columns.items():
        if column not in pool.columns:
            names = [str(each) for each in pool.columns]
            raise SettingsError(
                f"The pool has no column {column!r} for the actuator {actuator!r}",
                expected=f"one of {listed(names)}",
                action=did_you_mean(column, names) or 'parameters={"actuator": "column"}',
            )
        if not pd.api.types.is_numeric_dtype(pool[column]) or not np.isfinite(pool[column]).all():
            raise SettingsError(
                f"Column {column!r} of the pool holds something else than finite numbers",
                expected=f"where {actuator!r} is moved to, for every candidate",
            )
