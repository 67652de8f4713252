"""The trajectory as a series for pictures, and its points as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from agent.entropy.bands import Band
from scenarios.watch.reading.bands import BandCache, grid
from scenarios.watch.reading.history import History
from scenarios.watch.reading.moments import compares_families
from scenarios.watch.state.model import finite
from scenarios.watch.state.points import Column, Points
from scenarios.watch.state.series import Series

MOST_UNREDUCED: Final = 50_000
"""Most observations that are told one by one; of more each column of pixels gets its smallest and largest."""

USUAL_PIXELS: Final = 1_000
"""Width of a picture where nobody says [pixel]."""

MAX_PIXELS: Final = 10_000
"""Most columns of pixels."""

MAX_FAMILIES_DRAWN: Final = 64
"""Most families whose lines a series holds: the largest; a picture shows no more, and a table tells all."""


def series_of(
    connection: Connection, history: History, bands: BandCache, *, first: int, last: int | None, pixels: int | None
) -> Series:
    """Return a window of a trajectory; arguments as of `Source.series`."""
    total = len(history.course)
    end = total - 1 if last is None else min(last, total - 1)
    begin = min(max(first, 0), max(end, 0))
    columns, values = _table(history, begin, end)
    if end - begin + 1 <= MOST_UNREDUCED:
        found = bands.on_grid(connection, history, grid(total, begin, end))
        more, band_values = _bands(_drawn(history), found, begin, end)
        return Series(begin, end, total, [*columns, *more], np.hstack((values, band_values)))
    width = min(max(pixels or USUAL_PIXELS, 1), MAX_PIXELS)
    return _reduced(Series(begin, end, total, columns, values), width)


def points_of(history: History, sequence: int, most: int) -> Points:
    """Return the points behind a row of the journal; arguments as of `Source.points_after`."""
    course = history.course
    first = course.observation_at(sequence) + 1
    last = min(len(course) - 1, first + most - 1)
    columns, values = _table(history, first, last)
    more = last < len(course) - 1
    rows = tuple(tuple(finite(value) for value in row) for row in values.tolist())
    told_to = course.sequence_of(last) if more else history.last
    return Points(columns=tuple(columns), rows=rows, sequence=told_to, more=more)


def _drawn(history: History) -> list[str]:
    """Return the families whose lines are drawn, by name."""
    families = history.course.families
    if len(families) <= MAX_FAMILIES_DRAWN:
        return sorted(families)
    end = np.array([float(len(history.course) - 1)])
    sizes = {name: float(family.at(end)[0][0]) for name, family in families.items()}
    return sorted(sorted(sizes, key=lambda name: (-sizes[name], name))[:MAX_FAMILIES_DRAWN])


def _table(history: History, first: int, last: int) -> tuple[list[Column], NDArray[np.float64]]:
    """Return the columns of a window, shape (last − first + 1, columns)."""
    course, shown = history.course, compares_families(history)
    observations = np.arange(first, last + 1, dtype=np.float64)
    columns = [Column(name="observation"), Column(name="sequence"), Column(name="spent")]
    parts = [observations, course.sequences[first : last + 1].astype(np.float64), course.spent_all[first : last + 1]]
    declared = {metric.name for metric in history.chronicle.plan.metrics}
    figures = course.figures(first, last)
    for place, metric in enumerate(course.metrics):
        if shown or metric.name in declared:
            columns.append(Column(metric=metric.name))
            parts.append(figures[:, place])
    for name in _drawn(history):
        sizes, entropies = course.families[name].at(observations)
        columns += [Column(family=name, what="entropy"), Column(family=name, what="size")]
        parts += [entropies, sizes]
    return columns, np.column_stack(parts)


def _bands(
    families: list[str], found: Mapping[int, Mapping[str, Band | None]], first: int, last: int
) -> tuple[list[Column], NDArray[np.float64]]:
    columns = [Column(family=name, what=what) for name in families for what in ("low", "high")]
    values = np.full((last - first + 1, len(columns)), np.nan)
    for observation, bands in found.items():
        ends = [end for name in families for end in (bands.get(name) or (np.nan, np.nan))]
        values[observation - first] = ends
    return columns, values


def _reduced(series: Series, width: int) -> Series:
    """Let a row stand for all observations of a column of pixels: the last of each, and smallest and largest."""
    values, count = series.values, len(series.values)
    starts = np.unique(np.linspace(0, count, min(width, count) + 1).astype(int)[:-1])
    ends = np.append(starts[1:], count) - 1
    columns, parts = list[Column](), list[NDArray[np.float64]]()
    for column, of_column in zip(series.columns, values.T, strict=True):
        columns.append(column)
        parts.append(of_column[ends])
        if column.name is None and column.what != "size":
            columns += [column.model_copy(update={"what": what}) for what in ("min", "max")]
            parts += [np.fmin.reduceat(of_column, starts), np.fmax.reduceat(of_column, starts)]
    return Series(series.first, series.last, series.total, columns, np.column_stack(parts), reduced=True)
