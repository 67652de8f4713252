"""The trajectory as a table: one row per observation and family, for any program that reads CSV.

The file is streamed and replaced whole. An empty cell means that the figure is not defined there; entropy_low and
entropy_high are empty also where a long run has no band (see `scenarios.run.banded`). Metrics that the policy declares
stand in further columns, headed "name [unit]", and after them, where the scenario knows what effects are, how far off
they are believed to be: no policy sees that. Files of runs before there were bands, evenness, coverage and joint
entropy are read too: these figures follow from what they hold.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from agent.entropy.bands import Band
from agent.entropy.bias import BIAS_METRICS, BiasPoint, coverage, evenness, joint_entropy
from agent.metrics import Metric
from protocols.errors import TableError
from protocols.storage.csv_cells import from_cell
from protocols.storage.csv_file import write_csv
from scenarios.effects.truth import ERROR, HELD, AgainstTruth

Bands = tuple[Band | None, ...]
"""Of every family of a point, in its order; None where a family has none."""

METRICS: Final = tuple(metric.name for metric in BIAS_METRICS)
COLUMNS: Final = (
    "observation", "family", "size", "entropy", "entropy_low", "entropy_high", *METRICS, "starved_family",
)  # fmt: skip
"""Columns of the file; entropies, range, standard deviation and gap in nat, evenness and coverage as shares."""

FIRST_COLUMNS: Final = (
    "observation", "family", "size", "entropy", "entropy_range", "entropy_std", "mean_gap", "starved_family",
)  # fmt: skip
"""Those of the first files."""

_HEADING: Final = re.compile(r"(?P<name>[^\[\]]+?)(?: \[(?P<unit>[^\[\]]+)\])?")
"""Of a declared metric: its name, and its unit unless it is a pure number."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How the bias of a dataset went.

    Attributes:
        property: The property whose entropy is meant.
        unit: Its unit.
        points: Observation (results accepted) and bias, by ascending observation.
        bands: Observation -> band of every family's entropy, in the order of the point's families; for those that have
            some.
        against_truth: Observation -> how far off the effects are; for those where that is known. No policy sees it.
        spent: What had been spent of the budget by each point, where measurements have costs; else nothing.
    """

    property: str
    unit: str
    points: tuple[tuple[int, BiasPoint], ...]
    bands: Mapping[int, Bands] = field(default_factory=dict)
    against_truth: Mapping[int, AgainstTruth] = field(default_factory=dict)
    spent: tuple[int, ...] = ()


def positions_of(run: Trajectory) -> tuple[int, ...]:
    """Return where each point stands: by what had been spent where measurements have costs, else by its observation."""
    return run.spent or tuple(observation for observation, _ in run.points)


def write_trajectory_csv(path: Path, trajectory: Trajectory) -> None:
    """Write the trajectory in long format; floats keep all their digits.

    Raises:
        StoreError: When the file cannot be written.
    """
    declared = trajectory.points[0][1].declared if trajectory.points else ()
    headings = [_heading(metric.name, metric.unit) for metric, _ in declared]
    truth = trajectory.against_truth
    headings += [_heading(ERROR, trajectory.unit), HELD] if truth else []
    rows = (
        (*row, *(_truth_cells(truth.get(observation)) if truth else ()))
        for observation, point in trajectory.points
        for row in _rows(observation, point, trajectory.bands.get(observation))
    )
    write_csv(path, (*COLUMNS, *headings), rows)


def read_trajectory_csv(path: Path, *, property: str = "", unit: str = "") -> Trajectory:  # noqa: A002 - its field
    """Read a trajectory that `write_trajectory_csv` wrote.

    Args:
        path: The file.
        property: What the file does not hold: the property.
        unit: And its unit.

    Raises:
        TableError: When the file cannot be read, or a row is not as written (with its line).
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = ([from_cell(cell) for cell in row] for row in csv.reader(file))
            header = next(reader, [])
            columns = FIRST_COLUMNS if tuple(header) == FIRST_COLUMNS else COLUMNS
            declared = [_HEADING.fullmatch(each) for each in header[len(columns) :]]
            if tuple(header[: len(columns)]) != columns or None in declared:
                raise TableError(
                    f"{path} begins with the columns {', '.join(header) or '(none)'}", expected=", ".join(COLUMNS)
                )
            metrics = tuple(_metric_of(each) for each in declared if each is not None)
            read = list(_points(path, reader, columns, metrics))
            return Trajectory(
                property,
                unit,
                tuple((observation, _as_declared(point)) for observation, point, _ in read),
                {observation: bands for observation, _, bands in read if any(bands)},
                {observation: truth for observation, point, _ in read if (truth := _truth_in(point)) is not None},
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            f"The trajectory {path} cannot be read ({error})", action="write it again with entropilot report"
        ) from error


def _rows(observation: int, point: BiasPoint, bands: Bands | None) -> Iterator[tuple[object, ...]]:
    declared = (_cell(value) for _, value in point.declared)
    figures = (*(_cell(getattr(point, name)) for name in METRICS), point.starved_family or "", *declared)
    bands = bands or (None,) * len(point.families)
    for family, size, entropy, band in zip(point.families, point.sizes, point.entropies, bands, strict=True):
        yield observation, family, size, _cell(entropy), *map(_cell, band or (None, None)), *figures


def _heading(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _truth_cells(against: AgainstTruth | None) -> tuple[str, str]:
    return ("", "") if against is None else (_cell(against.error), _cell(against.held))


def _metric_of(heading: re.Match[str]) -> Metric:
    """Return a metric of which a file tells name and unit only; which way is good stands in `summary.json`."""
    name = heading["name"]
    return Metric(name, name, name, heading["unit"] or "", lower_is_better=True)


def _cell(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _points(
    path: Path, reader: Iterable[list[str]], columns: tuple[str, ...], metrics: tuple[Metric, ...]
) -> Iterator[tuple[int, BiasPoint, Bands]]:
    families: tuple[str, ...] = ()
    numbered = enumerate(reader, start=2)
    last = -math.inf
    for text, group in itertools.groupby(numbered, key=lambda row: row[1][0] if row[1] else ""):
        rows = list(group)
        observation, point, bands = _point(path, text, rows, columns, metrics)
        if observation <= last:
            raise _bad_row(path, rows[0][0], f"observation {observation} follows observation {last}")
        last = observation
        # One tuple of names for all observations: a long trajectory would hold them thousands of times.
        families = families if point.families == families else point.families
        yield observation, replace(point, families=families), bands


def _point(
    path: Path,
    text: str,
    rows: Sequence[tuple[int, list[str]]],
    columns: tuple[str, ...],
    metrics: tuple[Metric, ...],
) -> tuple[int, BiasPoint, Bands]:
    of_families, starved, width = columns.index(METRICS[0]), len(columns) - 1, len(columns) + len(metrics)
    parsed: list[tuple[str, int, float | None, Band | None]] = []
    figures: list[str] = []
    for line, row in rows:
        if len(row) != width:
            raise _bad_row(path, line, f"{len(row)} cells instead of {width}")
        try:
            entropy, *ends = map(_number, row[3:of_families])
            parsed.append((row[1], int(row[2]), entropy, _band(ends)))
            observation, numbers = int(text), [_number(cell) for cell in row[of_families:starved]]
            declared = [_number(cell) for cell in row[starved + 1 :]]
        except ValueError as error:
            raise _bad_row(path, line, str(error)) from error
        if figures and row[of_families:] != figures:
            raise _bad_row(path, line, "the figures differ from those of the same observation above")
        figures = row[of_families:]
    families, sizes, entropies, bands = zip(*parsed, strict=True)
    named: dict[str, Any] = {
        "evenness": evenness(entropies),
        "coverage": coverage(sizes),
        "joint_entropy": joint_entropy(sizes, entropies),
    }
    named |= dict(zip(columns[of_families:starved], numbers, strict=True))
    named |= {"starved_family": figures[starved - of_families] or None}
    named |= {"declared": tuple(zip(metrics, declared, strict=True))}
    return observation, BiasPoint(families, sizes, entropies, **named), bands


def _band(ends: Sequence[float | None]) -> Band | None:
    if not ends or ends[0] is None or ends[1] is None:
        return None
    return ends[0], ends[1]


def _has_truth(point: BiasPoint) -> bool:
    return tuple(metric.name for metric, _ in point.declared[-2:]) == (ERROR, HELD)


def _as_declared(point: BiasPoint) -> BiasPoint:
    """Return a point as its policy declared it: the columns after that are against the truth."""
    return replace(point, declared=point.declared[:-2]) if _has_truth(point) else point


def _truth_in(point: BiasPoint) -> AgainstTruth | None:
    """Return what the columns after the declared ones say; None where they are empty, or not there."""
    if not _has_truth(point):
        return None
    (_, error), (_, held) = point.declared[-2:]
    return None if error is None or held is None else AgainstTruth(error, held)


def _number(cell: str) -> float | None:
    if not cell:
        return None
    value = float(cell)
    if not math.isfinite(value):
        message = f"{cell} is not a finite number"
        raise ValueError(message)
    return value


def _bad_row(path: Path, line: int, found: str) -> TableError:
    return TableError(
        f"{path}, line {line}: {found}",
        expected="rows as this program writes them, by ascending observation",
        action="write the trajectory again with entropilot report",
    )
